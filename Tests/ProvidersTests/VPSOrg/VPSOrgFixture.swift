import VPSOrgCloud
import Runbook
import Simulator
import Testing
import TestSupport

/// A VPS.org account on a simulated network, in virtual time.
struct VPSOrgFixture: Sendable {
  static let server = "12345"
  /// When the documents' example snapshot was taken.
  static let start = Timestamp("2025-01-16T16:15:00Z") ?? Timestamp(seconds: 0)

  let clock: VirtualClock
  let twin: SimulatedVPSOrg
  let transport: InMemoryTransport
  let provider: any Provider

  /// `system` stands in for the twin where a test wants to write the replies itself.
  init(
    faults: [String] = [], twin: SimulatedVPSOrg? = nil, settings: [String: Value] = [:], withExamples: Bool = true,
    usesUUIDs: Bool = false, pageSize: Int? = nil, system: (any SimulatedSystem)? = nil
  ) throws {
    clock = VirtualClock(start: VPSOrgFixture.start)
    self.twin = SimulatedVPSOrg(
      clock: clock, seed: 7, withExamples: withExamples, usesUUIDs: usesUUIDs, pageSize: pageSize)
    transport = InMemoryTransport(clock: clock, routes: ["https://admin.vps.org": system ?? self.twin])
    let token = Value.secret(Secret("vps_t0psecret", named: ["vps_token"]))
    provider = try VPSOrgProvider().connect(
      Arguments(settings.merging(["token": token]) { given, _ in given }),
      environment: ProviderEnvironment(transport: transport, clock: clock, random: SeededRandom(seed: 1)))
    for fault in faults { try self.twin.inject(fault) }
  }

  func driver(_ name: String) throws -> ActionDriver {
    ActionDriver(
      try #require(provider.action(name)), clock: clock, transport: transport, scripts: SimulatedScripts(clock: clock),
      files: SimulatedFiles())
  }

  /// Runs an action on the example server to its end.
  @discardableResult
  func run(_ name: String, _ with: [String: Value] = [:], attempts: Int = 3) async throws -> ActionDriver.Outcome {
    var driver = try driver(name)
    driver.attempts = attempts
    return try await driver.run(with.merging(["server": .string(VPSOrgFixture.server)]) { given, _ in given })
  }

  /// The failure an action ends in.
  func failure(_ name: String, _ with: [String: Value] = [:], attempts: Int = 3) async throws -> StepFailure {
    do {
      let outcome = try await run(name, with, attempts: attempts)
      Issue.record("`\(name)` succeeded: \(outcome.result.outputs)")
      return StepFailure(.server, "none")
    } catch let failure as StepFailure {
      return failure
    }
  }

  /// `effect subject` of each change, in order.
  var effects: [String] { twin.ledger.map { "\($0.effect) \($0.subject)" } }
}
