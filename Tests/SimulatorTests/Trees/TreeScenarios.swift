import Simulator
import TestSupport

/// Runs whose steps hold others.
extension Scenario {
  /// A request that changes something and has its undo; the name may be an expression.
  static func put(_ id: String, _ name: String? = nil, method: String = "put", fates: String = "200") -> String {
    let name = name ?? id
    return #"{id: \#(id), action: http.\#(method), with: {url: "http://127.0.0.1:8099/do/\#(fates)/\#(name)"}, "#
      + #"rollback: [{action: http.delete, with: {url: "http://127.0.0.1:8099/do/200/\#(name)"}}]}"#
  }

  private static func named(_ name: String, _ steps: String) -> String {
    """
    runbook: v1
    name: \(name)
    locks: [rack-1]
    secrets: {token: {source: env, key: T}}
    steps:
    \(steps)
    always: [{run: bell}]
    """
  }

  private static func undone(_ names: [String], _ posted: [String] = []) -> [String: String] {
    var pairs: [String: String] = [:]
    for name in names { pairs["PUT \(name)"] = "DELETE \(name)" }
    for name in posted { pairs["POST \(name)"] = "DELETE \(name)" }
    return pairs
  }

  static let branches = Scenario(
    name: "two branches, one failing",
    text: named(
      "branches",
      """
        - \(put("first"))
        - id: both
          parallel:
            - id: left
              block: [{sleep: 3s}, \(put("l1")), {sleep: 20s}, \(put("l2"))]
            - id: right
              block:
                - {id: script, run: do-script, env: {T: "${{ secrets.token }}"}, rollback: [{run: undo-script}]}
                - \(put("posting", method: "post"))
                - {id: nope, fail: no luck}
      """), secrets: ["token": "vps_token-1"], scripts: [.init(matching: "do-script", duration: .seconds(10))],
    exitCode: 3, once: ["sh do-script", "POST posting"],
    undo: undone(["first", "l1", "l2"], ["posting"]).merging(["sh do-script": "sh undo-script"]) { own, _ in own })

  static let loopOfFour = Scenario(
    name: "a loop of four, one failing and borne",
    text: named(
      "fleet",
      """
        - id: wave
          for_each: {in: "['a', 'b', 'c', 'd']", max_parallel: 2, max_failures: 1}
          block:
            - \(put("one", "${{ item }}"))
            - {id: pause, sleep: 5s}
            - \(put("two", "post-${{ item }}", method: "post"))
            - {id: nope, if: "item == 'c'", fail: no luck}
            - {id: mark, run: mark-it, env: {T: "${{ secrets.token }}"}, rollback: none}
      """), secrets: ["token": "vps_token-1"], exitCode: 3,
    once: ["POST post-a", "POST post-b", "POST post-c", "POST post-d"], undo: undone(["c"], ["post-c"]))

  static let rescued = Scenario(
    name: "a rescue in a branch, and a failure behind it",
    text: named(
      "rescued",
      """
        - id: both
          parallel:
            - id: guarded
              block: [\(put("x")), {sleep: 4s}, {id: bad, fail: not today}]
              rescue:
                - {id: help, run: do-help, env: {W: "${{ failure.message }}"}, rollback: [{run: undo-help}]}
                - \(put("w"))
            - id: beside
              block: [\(put("z")), {sleep: 6s}, \(put("posting", method: "post"))]
        - {id: last, run: breaks, env: {T: "${{ secrets.token }}"}, rollback: none}
      """), secrets: ["token": "vps_token-1"],
    scripts: [.init(matching: "breaks", exitCode: 3), .init(matching: "do-help", duration: .seconds(3))], exitCode: 3,
    once: ["sh do-help", "POST posting", "sh breaks"],
    undo: undone(["x", "w", "z"], ["posting"]).merging(["sh do-help": "sh undo-help"]) { own, _ in own })

  static let called: Scenario = {
    var scenario = Scenario(
      name: "a call in a loop, failing",
      text: named(
        "callers",
        """
          - id: each
            for_each: {in: "['a', 'b', 'c']", as: name, max_parallel: 3}
            call: ./lib/one.yaml
            with: {name: "${{ name }}"}
          - {id: last, run: breaks, env: {T: "${{ secrets.token }}", S: "${{ steps.each.items[1].outputs.said }}"}, rollback: none}
        """), secrets: ["token": "vps_token-1"], scripts: [.init(matching: "breaks", exitCode: 3)], exitCode: 3,
      once: ["POST post-a", "POST post-b", "POST post-c", "sh breaks"],
      undo: undone(["a", "b", "c"], ["post-a", "post-b", "post-c"]))
    scenario.files = [
      "lib/one.yaml": """
      runbook: v1
      name: one
      inputs: {name: {type: string}}
      steps:
        - \(put("one", "${{ inputs.name }}"))
        - {sleep: 2s}
        - \(put("two", "post-${{ inputs.name }}", method: "post"))
      outputs: {said: "'done ' + inputs.name"}
      """
    ]
    return scenario
  }()

  static let askedInABranch = Scenario(
    name: "an approval in a branch that nobody gives",
    text: named(
      "asked",
      """
        - id: both
          parallel:
            - id: careful
              block:
                - {id: go, approve: {prompt: Go on?, timeout: 40m, on_timeout: continue}}
                - \(put("posting", method: "post"))
            - id: quick
              block: [\(put("x")), {id: script, run: do-script, env: {T: "${{ secrets.token }}"}, rollback: [{run: undo-script}]}]
        - {id: last, run: breaks, rollback: none}
      """), secrets: ["token": "vps_token-1"], scripts: [.init(matching: "breaks", exitCode: 3)], exitCode: 3,
    once: ["sh do-script", "POST posting", "sh breaks"],
    undo: undone(["x"], ["posting"]).merging(["sh do-script": "sh undo-script"]) { own, _ in own })

  static let trees = [branches, loopOfFour, rescued, called, askedInABranch]
}
