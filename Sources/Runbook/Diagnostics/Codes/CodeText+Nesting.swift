/// Codes about steps that hold others.
extension CodeText {
  static let call = CodeText(
    "a file cannot be called",
    "It has mistakes, calls itself, or has a key that would have no effect when it is called (`always`, `on_failure`, "
      + "`timeout`, …). `runbook validate` on that file shows its mistakes.",
    wrong: CodeExample(
      #"""
      # `snapshot.yaml` beside it has `always:`
      runbook: v1
      name: update
      steps:
        - {id: before, call: ./snapshot.yaml}
      """#, files: ["snapshot.yaml": "runbook: v1\nname: s\nsteps: [{sleep: 1s}]\nalways: [{sleep: 1s}]\n"]),
    right: CodeExample(
      #"""
      # `snapshot.yaml` beside it has `steps:`, and no `always:`
      runbook: v1
      name: update
      steps:
        - {id: before, call: ./snapshot.yaml}
      """#, files: ["snapshot.yaml": "runbook: v1\nname: s\nsteps: [{sleep: 1s}]\n"]))

  static let branch = CodeText(
    "two branches of a `parallel` change the same server",
    "A run lets one branch at a time change a server: the other one would fail. Put both steps into one branch, one "
      + "after the other.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: pause
      secrets: {token: {source: env, key: TOKEN}}
      providers: {cloud: {type: vps_org, token: "${{ secrets.token }}"}}
      steps:
        - parallel:
            - {action: server.stop, with: {server: "12345"}, rollback: none}
            - {action: snapshot.create, with: {server: "12345", name: pre}, rollback: none}
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: pause
      secrets: {token: {source: env, key: TOKEN}}
      providers: {cloud: {type: vps_org, token: "${{ secrets.token }}"}}
      steps:
        - {action: server.stop, with: {server: "12345"}, rollback: none}
        - {action: snapshot.create, with: {server: "12345", name: pre}, rollback: none}
      """#))

  static let warnItems = CodeText(
    "a `for_each` goes through the keys of a map",
    "A map has no order of its own: its keys are taken in alphabetical order. Write a list if the order matters.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: update
      vars: {ports: {web: 443, mail: 25}}
      steps:
        - for_each: vars.ports
          action: log.info
          with: {message: "${{ item }}"}
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: update
      steps:
        - for_each: [web, mail]
          action: log.info
          with: {message: "${{ item }}"}
      """#))

  static let warnTimeout = CodeText(
    "a step ends sooner than a step in it may take",
    "The `timeout` of a `block`, `parallel` or `call` covers everything in it. Make it longer, or that of the step "
      + "inside shorter.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: check
      steps:
        - timeout: 5m
          block:
            - {run: df -h, effect: none, timeout: 10m}
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: check
      steps:
        - timeout: 15m
          block:
            - {run: df -h, effect: none, timeout: 10m}
      """#))
}
