import VPSOrgCloud
import Runbook
import Simulator
import Stores
import TestSupport
import Testing

/// A run of the enumeration: what it does, how it ends when nothing happens to it, and which of its deeds may be done
/// once at the most.
struct Scenario: Sendable, CustomTestStringConvertible {
  var name: String
  var text: String
  var inputs: [String: Value] = [:]
  var secrets: [String: String] = [:]
  var scripts: [SimulatedScripts.Rule] = []
  var faults: [String] = []
  /// Files beside it that it calls, by their paths.
  var files: [String: String] = [:]
  var exitCode: Int32 = 0
  /// Deeds that leave no trace: never repeated unasked. As `MovingWorld.deeds` names them.
  var once: [String] = []
  /// Deed → its undo: no undo comes before a deed that may still happen, and what is told as undone has its undo.
  var undo: [String: String] = [:]
  var beginning = Beginning.run
  /// Deeds of another run, which this one takes over.
  var never: [String] = []
  /// What the requests to an address hold: by the deed.
  var bodies: [String: String] = [:]
  /// What branches do at one moment comes in any order.
  var hasBranches: Bool { text.contains("parallel") }
  var testDescription: String { name }

  enum Beginning: Sendable {
    case run
    /// `run --key`.
    case keyed(String)
    /// `rerun`, of a run that ended with `earlierExit`.
    case rerun(from: String?, earlierExit: Int32)
  }

  func world() async throws -> MovingWorld {
    let world = try MovingWorld(text, inputs: inputs, secrets: secrets, scripts: scripts, files: files)
    for fault in faults { try world.twin.inject(fault) }
    switch beginning {
    case .run: break
    case .keyed(let key): world.key = key
    case .rerun(let from, let earlierExit):
      let end = try await world.rerunOfARun(from: from)
      #expect(end.exitCode == earlierExit)
    }
    return world
  }

  private static func http(_ name: String, _ fates: String = "200", _ path: String) -> String {
    #"{id: \#(name), action: http.\#(name), "#
      + #"with: {url: "http://127.0.0.1:8099/do/\#(fates)/\#(path)", headers: {T: "${{ secrets.token }}"}}"#
  }

  /// A script, a convergent and an opaque request with undo steps, then success or failure.
  private static func mixed(_ ending: String) -> String {
    """
    runbook: v1
    name: mixed
    locks: [rack-1]
    secrets: {token: {source: env, key: T}}
    steps:
      - {id: script, run: do-script, env: {T: "${{ secrets.token }}"}, timeout: 10m, rollback: [{run: undo-script}]}
      - \(http("put", "200", "putting")), rollback: [{action: http.delete, with: {url: "http://127.0.0.1:8099/putting"}}]}
      - \(http("post", "200", "posting")), rollback: [{action: http.delete, with: {url: "http://127.0.0.1:8099/posting"}}]}
      - \(http("get", "503,200", "looking"))}
      - {id: pause, sleep: 20s}
      - {id: last, run: \(ending), rollback: none}
    always: [{run: bell}]
    """
  }

  private static let undoes = [
    "sh do-script": "sh undo-script", "PUT putting": "DELETE putting", "POST posting": "DELETE posting",
  ]

  static let mixedSucceeding = Scenario(
    name: "scripts and requests, succeeding", text: mixed("fine"), secrets: ["token": "vps_token-1"],
    once: ["sh do-script", "POST posting", "sh fine"], undo: undoes)
  static let mixedFailing = Scenario(
    name: "scripts and requests, failing", text: mixed("breaks"), secrets: ["token": "vps_token-1"],
    scripts: [.init(matching: "breaks", exitCode: 3), .init(matching: "do-script", duration: .seconds(30))],
    exitCode: 3,
    once: ["sh do-script", "POST posting", "sh breaks"], undo: undoes)
  /// A request of each class: convergent, opaque, opaque and repeatable.
  static let requests = Scenario(
    name: "requests of each class",
    text: """
      runbook: v1
      name: requests
      locks: [rack-1]
      secrets: {token: {source: env, key: T}}
      steps:
        - \(http("get", "503,200", "looking"))}
        - \(http("put", "200", "putting")), rollback: [{action: http.delete, with: {url: "http://127.0.0.1:8099/putting"}}]}
        - \(http("patch", "200", "patching")), rollback: [{action: http.put, with: {url: "http://127.0.0.1:8099/patching"}}]}
        - \(http("delete", "200", "deleting")), rollback: [{action: http.put, with: {url: "http://127.0.0.1:8099/deleting"}}]}
        - \(http("post", "200", "again")), idempotent: true, rollback: [{action: http.delete, with: {url: "http://127.0.0.1:8099/again"}}]}
        - {id: stop, fail: no luck}
      """, secrets: ["token": "vps_token-1"], exitCode: 3, once: ["PATCH patching"],
    undo: [
      "PUT putting": "DELETE putting", "PATCH patching": "PUT patching", "DELETE deleting": "PUT deleting",
      "POST again": "DELETE again",
    ])
  static let parked = Scenario(
    name: "a question",
    text: """
      runbook: v1
      name: asking
      locks: [rack-1]
      secrets: {token: {source: env, key: T}}
      steps:
        - {id: script, run: do-script, rollback: [{run: undo-script}]}
        - \(http("post", "503", "posting")), rollback: none}
        - {id: last, run: fine, rollback: none}
      """, secrets: ["token": "vps_token-1"], exitCode: 6, once: ["sh do-script", "POST posting", "sh fine"],
    undo: ["sh do-script": "sh undo-script"])

  /// People are asked on the way there and on the way back, are told that they are, and do not answer.
  static let asking = Scenario(
    name: "approvals that nobody gives",
    text: """
      runbook: v1
      name: asking
      locks: [rack-1]
      secrets: {token: {source: env, key: T}}
      steps:
        - id: script
          run: do-script
          env: {T: "${{ secrets.token }}"}
          rollback: [{approve: {prompt: Undo it?, timeout: 40m, on_timeout: continue}}, {run: undo-script}]
        - {id: go, approve: {prompt: Go on?, timeout: 2h, on_timeout: continue}}
        - \(http("post", "200", "posting")), rollback: [{action: http.delete, with: {url: "http://127.0.0.1:8099/posting"}}]}
        - {id: last, run: breaks, rollback: none}
      on_waiting:
        - {action: notify.webhook, with: {url: "http://127.0.0.1:8099/told", text: "${{ waiting.message }}"}}
      always: [{run: bell}]
      """, secrets: ["token": "vps_token-1"], scripts: [.init(matching: "breaks", exitCode: 3)], exitCode: 3,
    once: ["sh do-script", "POST posting", "sh breaks"],
    undo: ["sh do-script": "sh undo-script", "POST posting": "DELETE posting"])

  /// One job of a CI, which is repeated after a crash.
  static let keyed: Scenario = {
    var scenario = mixedFailing
    scenario.name = "a job with a key"
    scenario.beginning = .keyed("deploy-4711")
    return scenario
  }()

  /// The step `flaky` fails in the first run and not in the one that repeats it.
  private static func again(_ ending: String) -> String {
    """
    runbook: v1
    name: again
    locks: [rack-1]
    secrets: {token: {source: env, key: T}}
    steps:
      - {id: base, run: do-base, outputs: {word: result.stdout}, rollback: none}
      - {id: flaky, run: flaky, env: {T: "${{ secrets.token }}"}, rollback: none}
      - {id: put, action: http.put, with: {url: "http://127.0.0.1:8099/putting", json: {word: "${{ steps.base.outputs.word }}"}},
         rollback: [{action: http.delete, with: {url: "http://127.0.0.1:8099/putting"}}]}
      - \(http("post", "200", "posting")), rollback: [{action: http.delete, with: {url: "http://127.0.0.1:8099/posting"}}]}
      - {id: last, run: \(ending), rollback: none}
    always: [{run: bell}]
    """
  }

  static let rerun = Scenario(
    name: "rerun", text: again("fine"), secrets: ["token": "vps_token-1"],
    scripts: [.init(matching: "flaky", exitCode: 3, times: 1), .init(matching: "do-base", stdout: "heritage")],
    once: ["sh do-base", "sh flaky", "POST posting", "sh fine"],
    undo: ["PUT putting": "DELETE putting", "POST posting": "DELETE posting"],
    beginning: .rerun(from: nil, earlierExit: 1), bodies: ["PUT putting": "heritage"])
  static let rerunFrom = Scenario(
    name: "rerun --from, failing", text: again("breaks"), secrets: ["token": "vps_token-1"],
    scripts: [
      .init(matching: "flaky", exitCode: 3, times: 1), .init(matching: "do-base", stdout: "heritage"),
      .init(matching: "breaks", exitCode: 3),
    ],
    exitCode: 3, once: ["sh flaky", "POST posting", "sh breaks"],
    undo: ["PUT putting": "DELETE putting", "POST posting": "DELETE posting"],
    beginning: .rerun(from: "flaky", earlierExit: 1), never: ["sh do-base"], bodies: ["PUT putting": "heritage"])

  static func preUpgrade(_ scenario: PreUpgradeWorld.Scenario) throws -> Scenario {
    Scenario(
      name: "pre_upgrade, \(scenario.rawValue)", text: try Repository.text("runbooks/pre_upgrade.yaml"),
      inputs: PreUpgradeWorld.inputs,
      secrets: ["vps_token": "vps_canary_token_1", "chat_hook": "https://chat.example.com/hook/canary_2"],
      scripts: scenario == .succeeding ? [] : [.init(matching: "upgrade", exitCode: 1, stderr: "no luck")],
      faults: scenario == .failingInRollback ? ["fails:snapshot.restore"] : [], exitCode: scenario.exitCode,
      once: ["update"], undo: ["server.stop 12345": "server.start 12345"])
  }

  static var all: [Scenario] {
    get throws {
      [.mixedSucceeding, .mixedFailing, .requests, .parked, .asking, .keyed, .rerun, .rerunFrom] + trees
        + (try PreUpgradeWorld.Scenario.allCases.map { try preUpgrade($0) })
    }
  }
}

/// What anybody outside has seen of a run: it outlives all processes.
struct Outside: Sendable {
  let scripts: SimulatedScripts
  let web: LedgerWeb
  let twin: SimulatedVPSOrg
  let store: MemoryStore

  /// Every effect, and how long the run's journal is.
  var traces: [String] {
    let entries = (try? store.entries(of: MovingWorld.runID, after: 0).count) ?? 0
    let ledgers = scripts.ledger + web.ledger + twin.ledger
    return ledgers.map { "\($0.effect) \($0.subject) \($0.detail)" } + ["\(entries) entries"]
  }
}

extension MovingWorld {
  var outside: Outside { Outside(scripts: scripts, web: web, twin: twin, store: store) }

  /// What was done to the world, in the order in which it took effect: scripts, requests, changes of the cloud.
  var deeds: [(at: Timestamp, deed: String)] {
    let texts = texts
    let scripted = scripts.ledger.compactMap { entry -> (Timestamp, String)? in
      switch entry.effect {
      case "script.start": (entry.at, "sh " + (texts[entry.subject] ?? entry.detail))
      case "command.run" where entry.detail.contains("deploy"): (entry.at, "update")
      default: nil
      }
    }
    let asked = web.ledger.map { ($0.at, "\($0.effect) \($0.subject)") }
    let changed = twin.ledger.map { ($0.at, "\($0.effect) \($0.subject)") }
    let all = (scripted + asked + changed).filter { $0.0 >= beginning }
    return all.enumerated().sorted { ($0.element.0, $0.offset) < ($1.element.0, $1.offset) }.map {
      (at: $0.element.0, deed: $0.element.1)
    }
  }

  /// The text of each script, by its key: the ledger of the host knows the command alone. A process that was killed
  /// after a commit has told nobody what it wrote, and of a store that was put back only what was told is left.
  private var texts: [String: String] {
    var texts: [String: String] = [:]
    let entries = (try? store.entries(of: MovingWorld.runID, after: 0)) ?? []
    let written = entries.compactMap { RunEvent($0, runID: MovingWorld.runID) }
    for event in observer.events + written where event.event == "step.started" || event.event == "undo.started" {
      guard event.fields["action"] == "run", let script = event.fields["with"]?["script"]?.string else { continue }
      let path = event.fields["entry"]?.string ?? event.fields["step"]?.string ?? ""
      let purpose = event.fields["purpose"]?.string.flatMap { Purpose(rawValue: $0) } ?? .do
      for attempt in 1...9 { texts[MovingWorld.key(StepPath(path), purpose, attempt)] = script }
    }
    return texts
  }
}
