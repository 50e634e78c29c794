import Providers
import Runbook
import Simulator
import Steps
import Stores
import TestSupport
import Testing

/// A shipped drill as a test runs it: on which cloud, with what, and which of its ledgers the measurements are compared
/// with.
struct DrillUnderTest: Sendable, CustomTestStringConvertible {
  let file: String
  let cloud: CloudUnderTest
  /// Fields of the block besides the cloud's own.
  var settings: [String: Value] = [:]
  let inputs: [String: Value]
  /// What the service is reached by; nil: the address of the server that the drill makes.
  let host: String?
  /// Its beginning, in the twin's ledger; nil: the run's own.
  let outage: String?

  var testDescription: String { "\(file) on \(cloud.type)" }

  static let all: [DrillUnderTest] = ["zstack", "vps_org", "zomro"].compactMap { type in
    CloudUnderTest.all.first { $0.type == type }.map { DrillUnderTest($0) }
  }

  private init(_ cloud: CloudUnderTest) {
    self.cloud = cloud
    let makesServers = cloud.type == "zstack"
    file = makesServers ? "dr_drill.yaml" : "dr_standby.yaml"
    host = makesServers ? nil : "standby.example.com"
    outage = makesServers ? nil : "backup.restore"
    inputs =
      makesServers
      ? ["server": .string(cloud.server), "port": 22]
      : ["standby": .string(cloud.server), "host": "standby.example.com", "production": "www.example.com", "port": 443]
    // Zomro tells dates only: with a zone they are known to a day.
    if cloud.type == "zomro" { settings["time_zone"] = "UTC" }
  }
}

/// The shipped drill in virtual time, with nothing but its provider block replaced.
struct DrillWorld: Sendable {
  static let runID = "r0123456789abcdefghi"

  let drill: DrillUnderTest
  let cloud: CloudWorld
  let scripts: SimulatedScripts
  let store: MemoryStore
  private let observer = RecordingObserver()
  private let runbook: ValidatedRunbook
  private let source: PinnedSource
  private let world: RunWorld

  /// - Parameters:
  ///   - refusals: how often the restored service refuses a connection before it answers; nil: for ever.
  ///   - faults: of the twin, from the beginning.
  init(
    _ drill: DrillUnderTest, refusals: Int? = 4, faults: [String] = [], edit: (String) -> String = { $0 }
  ) throws {
    self.drill = drill
    cloud = try CloudWorld(drill.cloud, faults: faults)
    store = MemoryStore(clock: cloud.clock)
    scripts = SimulatedScripts(
      clock: cloud.clock,
      rules: [
        SimulatedScripts.Rule(matching: drill.host ?? ":22", exitCode: 1, times: refusals)
      ])
    let text = edit(try DrillWorld.text(of: drill))
    runbook = try ValidatedRunbook(
      ParsedDocument(yaml: text),
      in: ValidationContext(
        steps: standardSteps, actions: standardActions.map(\.declaration), providers: standardProviders))
    source = PinnedSource(text: text, files: [:], folder: "/srv/runbooks")
    world = RunWorld(
      clock: cloud.clock, random: SeededRandom(seed: 7),
      transport: InMemoryTransport(clock: cloud.clock, routes: ["https://cloud.example.com": cloud.twin]),
      scripts: scripts, files: SimulatedFiles(), builtIn: standardActions, providerKinds: standardProviders)
  }

  /// The shipped text with the secrets and the provider block of the cloud.
  private static func text(of drill: DrillUnderTest) throws -> String {
    var secrets = ["secrets:"]
    var block = ["providers:", "  cloud:", "    type: \(drill.cloud.type)", "    url: https://cloud.example.com"]
    let settings = drill.cloud.settings.merging(drill.settings) { _, own in own }
    for (name, value) in settings.sorted(by: { $0.key < $1.key }) {
      if case .secret = value {
        secrets.append("  \(name): {source: env, key: CLOUD_\(name.uppercased())}")
        block.append("    \(name): \"${{ secrets.\(name) }}\"")
      } else {
        block.append("    \(name): \"\(value.string ?? JSONWriter.text(value))\"")
      }
    }
    let shipped = try Repository.text("runbooks/\(drill.file)")
    return replaced("providers:", by: block, in: replaced("secrets:", by: secrets, in: shipped))
  }

  /// The section that begins with this line, up to the next empty one.
  private static func replaced(_ first: String, by section: [String], in text: String) -> String {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }
    guard let start = lines.firstIndex(of: first), let end = lines[start...].firstIndex(of: "") else { return text }
    return (lines[..<start] + section + lines[end...]).joined(separator: "\n")
  }

  private var process: SimulatedProcess {
    var secrets: [String: Secret] = [:]
    for (name, value) in drill.cloud.settings {
      if case .secret(let secret) = value { secrets[name] = Secret(secret.reveal(), named: [name]) }
    }
    return SimulatedProcess(
      world: world, store: store, runbook: runbook, source: source, secrets: secrets, observer: observer)
  }

  func run(life: KillSwitch = KillSwitch()) async throws -> RunEnd {
    try await process.start(DrillWorld.runID, inputs: drill.inputs, life: life)
  }

  func resume(life: KillSwitch = KillSwitch()) async throws -> RunEnd {
    try await process.resume(DrillWorld.runID, life: life)
  }

  // MARK: What can be seen afterwards

  var report: RunReport {
    get throws {
      let events = try store.entries(of: DrillWorld.runID, after: 0)
        .compactMap { RunEvent($0, runID: DrillWorld.runID) }
      return RunReport(id: DrillWorld.runID, plan: UndoPlan(runbook), events: events)
    }
  }

  /// The verdicts in the journal: one at most.
  var verdicts: [DrillVerdict] {
    get throws {
      try store.entries(of: DrillWorld.runID, after: 0).compactMap { entry in
        if case .run(.drillJudged(let verdict)) = try Fact(entry) { verdict } else { nil }
      }
    }
  }

  var closing: String {
    guard let report = try? report else { return "the journal cannot be read" }
    return ClosingWords.lines(for: report).map(\.plain).joined(separator: "\n")
  }

  func effects(_ effect: String) -> Int { cloud.effects(effect) }
  func happened(_ effect: String) -> Timestamp? { cloud.twin.ledger.first { $0.effect == effect }?.at }

  /// When the restored service was looked at last.
  var lastAnswer: Timestamp? {
    scripts.ledger.last { $0.effect == "connect" && $0.subject.contains(drill.host ?? ":22") }?.at
  }

  /// No server stands that the drill has made, and the stand-by is what it was.
  func expectNothingLeft(_ place: String) async throws {
    #expect(effects("server.create") == effects("server.delete"), "\(place)")
    #expect(effects("snapshot.create") == effects("snapshot.delete"), "\(place)")
    #expect(effects("backup.restore") == 0 || effects("snapshot.restore") >= 1, "\(place)")
    #expect(try await cloud.state == "running", "\(place)")
  }
}
