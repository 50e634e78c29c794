import ProviderKit
import Runbook

/// What is asked of a machine's power, and what shows that it was done.
struct ZStackPower: Sendable {
  /// `stopVmInstance`.
  let name: String
  var parameters: [String: Value] = [:]
  let wanted: PowerState
  /// Native words while it is under way.
  let underWay: Set<String>

  static let grace = ZStackPower(
    name: "stopVmInstance", parameters: ["type": "grace", "stopHA": "true"], wanted: .stopped, underWay: ["Stopping"])
  static let cold = ZStackPower(
    name: "stopVmInstance", parameters: ["type": "cold", "stopHA": "true"], wanted: .stopped, underWay: ["Stopping"])
  static let start = ZStackPower(name: "startVmInstance", wanted: .running, underWay: ["Starting"])
  static let reboot = ZStackPower(name: "rebootVmInstance", wanted: .running, underWay: ["Rebooting"])
  static let pause = ZStackPower(name: "pauseVmInstance", wanted: .paused, underWay: ["Pausing"])
  static let resume = ZStackPower(name: "resumeVmInstance", wanted: .running, underWay: ["Resuming"])
  static let recover = ZStackPower(name: "recoverVmInstance", wanted: .stopped, underWay: [])

  func request(_ server: String) -> ZStackRequest { .action(["vm-instances", server], name, parameters) }
}

extension ZStackClient {
  /// A look at the machine after its job: there, dead, or still under way.
  func arrival(
    _ id: String, _ wanted: PowerState, asOf: Duration?, after result: ActionResult
  ) async throws(StepFailure) -> Observation {
    let server: CloudServer
    do { server = try await self.server(id, asOf: asOf) } catch {
      guard error.kind == .notFound else { throw error }
      return gone(id, error.message)
    }
    if let end = dead(server, wanting: wanted.rawValue) { return end }
    if server.state == .absent { return gone(id, "server \(id) is `\(server.nativeState)`") }
    var seen = seen(server.state == wanted ? .done : .pending, server)
    seen.result = result.adding(seen.result)
    return seen
  }

  /// The same after a stop or start: it holds only if no earlier request can take it away.
  func arrival(
    _ call: ActionCall, of power: ZStackPower, after result: ActionResult
  ) async throws(StepFailure) -> Observation {
    let id = try call.with.text("server")
    let seen = try await arrival(id, power.wanted, asOf: call.asOf, after: result)
    guard seen.verdict == .done || seen.verdict == .pending,
      let state = seen.result.outputs["state"]?.string.flatMap({ PowerState(rawValue: $0) })
    else { return seen }
    var server = CloudServer(id: id, name: "", nativeState: seen.nativeState ?? state.rawValue, state: state)
    server.isUnheard = seen.isUnheard
    var arrived = try await waitForPower(server, wanting: power.wanted, call) { () async throws(StepFailure) in
      _ = try await start(power.request(id), key: call.key, purpose: "again")
    }
    arrived.result = result.adding(arrived.result)
    return arrived
  }

  private func gone(_ id: String, _ text: String) -> Observation {
    Observation(
      .failed(StepFailure(.notFound, "\(text): it was deleted meanwhile", effect: .applied)), nativeState: "absent")
  }

  /// Whether a machine has got to where a call was to bring it.
  func evidence(_ power: ZStackPower, _ id: String) async throws(StepFailure) -> ProbeAnswer {
    let server = try await server(id)
    if server.state == power.wanted {
      return .applied(ActionResult(outputs: ["state": .string(power.wanted.rawValue)]))
    }
    if power.underWay.contains(server.nativeState) { return .applied(ActionResult(outputs: ["state": "changing"])) }
    return server.state == .changing || server.state == .unknown ? .unsure : .notApplied
  }
}

/// `server.start`, and what only ZStack has: `zstack.pause`, `zstack.resume`, `zstack.recover`. All of them state where
/// the machine shall be.
struct ZStackPowerChange: ZStackChange {
  let cloud: ZStackClient
  let power: ZStackPower
  let declaration: ActionDeclaration
  var awaitsState: Bool { true }
  var patience: Duration? { .seconds(60) }

  func capture(_ call: ActionCall) async throws(StepFailure) -> [String: Value] { try await cloud.captureServer(call) }

  func request(_ call: ActionCall) async throws(StepFailure) -> ZStackRequest {
    let server = try call.with.text("server")
    try cloud.checkID(server, "server")
    return power.request(server)
  }

  /// Asked for even of a machine that shows it already, because an earlier job may be about to take it away. A start is
  /// accepted then; the refusal of another is as good as success.
  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    do throws(StepFailure) {
      let result = try await carryOut(call)
      if power.name == ZStackPower.start.name { cloud.noteAccepted(call, wanting: .running) }
      return result
    } catch {
      guard let there = await wasThere(call, error) else { throw error }
      return there
    }
  }

  /// The job may be refused long after it was sent.
  func observe(_ call: ActionCall, after result: ActionResult) async throws(StepFailure) -> Observation {
    let seen = try await watchJob(call, after: result)
    guard case .failed(let failure) = seen.verdict, let there = await wasThere(call, failure) else { return seen }
    return Observation(.done, nativeState: seen.nativeState, result: result.adding(there))
  }

  /// nil: it was not, or is not any more.
  private func wasThere(_ call: ActionCall, _ failure: StepFailure) async -> ActionResult? {
    guard failure.effect != .unknown, [.conflict, .input, .server].contains(failure.kind),
      call.before["state"]?.string == power.wanted.rawValue, case .applied(let there)? = try? await evidence(call)
    else { return nil }
    return JobNote.done.on(there)
  }

  func isSettled(_ call: ActionCall) async throws(StepFailure) -> Bool {
    guard try await isJobOver(call) else { return false }
    return try await cloud.isAtRest(call, wanting: power.wanted)
  }

  func outputs(_ body: Value, _ call: ActionCall) throws(StepFailure) -> [String: Value]? { ["state": "changing"] }

  func evidence(_ call: ActionCall) async throws(StepFailure) -> ProbeAnswer {
    try await cloud.evidence(power, try call.with.text("server"))
  }

  func arrived(_ call: ActionCall, after result: ActionResult) async throws(StepFailure) -> Observation {
    try await cloud.arrival(call, of: power, after: result)
  }

  /// A machine that was deleted is what `zstack.recover` is for.
  func liveCheck(_ call: ActionCall) async throws(StepFailure) -> [String] {
    try await cloud.problems(call, acting: power.wanted == .running)
  }
}

struct ZStackServerStop: ZStackChange {
  let cloud: ZStackClient
  let declaration: ActionDeclaration
  var awaitsState: Bool { true }
  var patience: Duration? { .seconds(60) }

  func capture(_ call: ActionCall) async throws(StepFailure) -> [String: Value] { try await cloud.captureServer(call) }

  func request(_ call: ActionCall) async throws(StepFailure) -> ZStackRequest {
    let server = try call.with.text("server")
    try cloud.checkID(server, "server")
    return try (mode(call) == .hard ? ZStackPower.cold : .grace).request(server)
  }

  func outputs(_ body: Value, _ call: ActionCall) throws(StepFailure) -> [String: Value]? { ["state": "changing"] }

  func evidence(_ call: ActionCall) async throws(StepFailure) -> ProbeAnswer {
    try await cloud.evidence(.grace, try call.with.text("server"))
  }

  func arrived(_ call: ActionCall, after result: ActionResult) async throws(StepFailure) -> Observation {
    try await cloud.arrival(call, of: .grace, after: result)
  }

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    let result = try await carryOut(call)
    cloud.noteAccepted(call, wanting: .stopped)
    return result
  }

  /// ZStack carries the requests for one machine out one after the other: the power is cut once the clean stop has
  /// ended, however it did.
  func observe(_ call: ActionCall, after result: ActionResult) async throws(StepFailure) -> Observation {
    guard try mode(call) == .cleanThenHard, let intended = call.intendedAt else {
      return try await watchJob(call, after: result)
    }
    if call.clock.now < intended + (try call.with.duration("grace") ?? .seconds(300)) {
      var seen = try await watchJob(call, after: result)
      if case .failed = seen.verdict { seen.verdict = .pending }
      return seen
    }
    let id = try call.with.text("server")
    let seen = try await cloud.arrival(id, .stopped, asOf: nil, after: result)
    guard seen.verdict == .pending else { return seen }
    call.report("the guest did not shut down in time: cutting the power")
    let request = ZStackPower.cold.request(id)
    if case .failed(let error) = try await cloud.start(request, key: call.key, purpose: "cold") {
      return Observation(.failed(await judged(error, request, call)))
    }
    return seen
  }

  func isSettled(_ call: ActionCall) async throws(StepFailure) -> Bool {
    guard try await isJobOver(call) else { return false }
    return try await cloud.isAtRest(call, wanting: .stopped)
  }

  private func mode(_ call: ActionCall) throws(StepFailure) -> StopMode {
    guard let word = try call.with.optionalText("mode") else { return .clean }
    guard let mode = StopMode(rawValue: word) else {
      throw StepFailure.unfit("`mode` must be clean, hard or clean_then_hard")
    }
    return mode
  }
}

/// A restart leaves no trace but the time of the machine's last change; as long as its job is known, that tells.
struct ZStackServerReboot: ZStackChange {
  let cloud: ZStackClient
  let declaration: ActionDeclaration
  var awaitsState: Bool { true }

  func capture(_ call: ActionCall) async throws(StepFailure) -> [String: Value] { try await cloud.captureServer(call) }

  func request(_ call: ActionCall) async throws(StepFailure) -> ZStackRequest {
    let server = try call.with.text("server")
    try cloud.checkID(server, "server")
    return ZStackPower.reboot.request(server)
  }

  func outputs(_ body: Value, _ call: ActionCall) throws(StepFailure) -> [String: Value]? { ["state": "changing"] }

  func evidence(_ call: ActionCall) async throws(StepFailure) -> ProbeAnswer {
    let server = try await cloud.server(try call.with.text("server"))
    if server.nativeState == "Rebooting" { return .applied(ActionResult(outputs: ["state": "changing"])) }
    if server.state == .changing { return .unsure }
    return switch ChangeSign(server, since: call.before) {
    case .changed: .applied(ActionResult(outputs: ["state": .string(server.state.rawValue)]))
    case .same: .notApplied
    case .missing: .unsure
    }
  }

  func arrived(_ call: ActionCall, after result: ActionResult) async throws(StepFailure) -> Observation {
    try await cloud.arrival(try call.with.text("server"), .running, asOf: call.asOf, after: result)
  }

  func isSettled(_ call: ActionCall) async throws(StepFailure) -> Bool {
    guard try await isJobOver(call) else { return false }
    return try await cloud.isAtRestAfterChange(call)
  }
}

/// Only servers that this run created. ZStack keeps a deleted machine for a while (`Destroyed`), so that it can be
/// recovered; here it is absent.
struct ZStackServerDelete: ZStackChange {
  let cloud: ZStackClient
  let declaration: ActionDeclaration
  var awaitsState: Bool { true }
  var patience: Duration? { .seconds(60) }

  func capture(_ call: ActionCall) async throws(StepFailure) -> [String: Value] {
    _ = try target(call)
    return [:]
  }

  func request(_ call: ActionCall) async throws(StepFailure) -> ZStackRequest {
    .delete(["vm-instances", try target(call)])
  }

  func evidence(_ call: ActionCall) async throws(StepFailure) -> ProbeAnswer {
    try await cloud.probeDeletion(call, goingBy: ["Destroying"])
  }

  func arrived(_ call: ActionCall, after result: ActionResult) async throws(StepFailure) -> Observation {
    try await cloud.observeDeletion(call, after: result)
  }

  func liveCheck(_ call: ActionCall) async throws(StepFailure) -> [String] { [] }

  private func target(_ call: ActionCall) throws(StepFailure) -> String {
    let server = try ServerDelete.target(call)
    try cloud.checkID(server, "server")
    return server
  }
}
