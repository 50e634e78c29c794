import ProviderKit
import Runbook

/// A change at ZStack: one job whose id follows from the call's key. Sent again it is answered "duplicate", and its job
/// is the first one's. Where the job does not tell (ZStack gave up waiting, lost its node, or purged the job after
/// three hours) the thing itself is read.
protocol ZStackChange: CloudAction where Account == ZStackClient {
  /// What is sent. Reads and checks; changes nothing.
  func request(_ call: ActionCall) async throws(StepFailure) -> ZStackRequest
  /// What has to be done or looked at before; a result if there is nothing left to do.
  func prepare(_ call: ActionCall) async throws(StepFailure) -> ActionResult?
  /// Outputs from the body of the job's result; nil if it does not hold what it should, so that the thing is read.
  func outputs(_ body: Value, _ call: ActionCall) throws(StepFailure) -> [String: Value]?
  /// What the thing itself tells of the effect.
  func evidence(_ call: ActionCall) async throws(StepFailure) -> ProbeAnswer
  /// The job is done: is everything as it should be?
  func arrived(_ call: ActionCall, after result: ActionResult) async throws(StepFailure) -> Observation
  /// How long ZStack goes on with such a job, by its documented defaults.
  var longestJob: Duration { get }
  /// What is waited for is a state of the server, which is read with every look.
  var awaitsState: Bool { get }
  /// After this long the thing itself is believed when it shows that all is done, although its job is still said to
  /// run; nil: what it shows may be a part.
  var patience: Duration? { get }
  /// It makes something that may be listed only long after its job has stopped telling: not to see it proves nothing
  /// while such a job may run.
  var makesSomething: Bool { get }
}

extension ZStackChange {
  var longestJob: Duration { .seconds(1800) }
  var awaitsState: Bool { false }
  var patience: Duration? { nil }
  var makesSomething: Bool { false }
  func prepare(_ call: ActionCall) async throws(StepFailure) -> ActionResult? { nil }
  func outputs(_ body: Value, _ call: ActionCall) throws(StepFailure) -> [String: Value]? { [:] }

  /// Jobs are kept for three hours from their beginning. The last request must arrive before that.
  var keyWindow: Duration? {
    max(.zero, ZStackClient.jobRetention - .seconds(300) - cloud.maxRequestLife)
  }

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult { try await carryOut(call) }

  /// Sends the job and follows it for a moment.
  func carryOut(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    let request = try await request(call)
    if let done = try await prepare(call) { return done }
    switch try await cloud.start(request, key: call.key, purpose: declaration.name) {
    case .running: return JobNote.running.on(ActionResult(outputs: ["state": "changing"]).only(declaration))
    case .done(let body):
      guard let outputs = try outputs(body, call) else { return JobNote.doubt(call.clock.now).on(ActionResult()) }
      return JobNote.done.on(ActionResult(outputs: outputs))
    // ZStack had accepted it, and has forgotten it already.
    case .unknown: return JobNote.doubt(call.clock.now).on(ActionResult().vanished)
    case .failed(let error):
      switch error.meaning {
      case .doubt: return JobNote.doubt(call.clock.now).on(ActionResult().told(by: error, hiding: cloud.hidden))
      case .infrastructure:
        if case .applied(let result) = try await evidence(call) { return JobNote.done.on(result) }
        throw await judged(error, request, call)
      default: throw await judged(error, request, call)
      }
    }
  }

  func probe(_ call: ActionCall) async throws(StepFailure) -> ProbeAnswer {
    switch try await cloud.outcome(call.key, purpose: declaration.name) {
    case .running: return .applied(JobNote.running.on(ActionResult()))
    case .done(let body):
      guard let outputs = try outputs(body, call) else { return try await evidence(call) }
      return .applied(JobNote.done.on(ActionResult(outputs: outputs)))
    case .failed(let error):
      switch error.meaning {
      case .doubt, .infrastructure: return try await evidence(call)
      default: return .failed(await judged(error, try await request(call), call))
      }
    case .unknown:
      // While jobs are kept, one that is not there has not arrived (yet), unless ZStack had taken it.
      if cloud.hasTaken(call.key, purpose: declaration.name) {
        let answer = try await evidence(call)
        return answer == .notApplied ? .unsure : answer
      }
      return isWithinWindow(call) ? .notApplied : try await evidence(call)
    }
  }

  func observe(_ call: ActionCall, after result: ActionResult) async throws(StepFailure) -> Observation {
    try await watchJob(call, after: result)
  }

  func isSettled(_ call: ActionCall) async throws(StepFailure) -> Bool {
    guard try await isJobOver(call) else { return false }
    return try await cloud.isAtRest(call)
  }

  /// Its job does not run any more; where there is none, none can come any more.
  func isJobOver(_ call: ActionCall) async throws(StepFailure) -> Bool {
    switch try await cloud.outcome(call.key, purpose: declaration.name) {
    case .running: isOverdue(call)
    case .unknown: cloud.isPastRequests(call)
    case .done, .failed: true
    }
  }

  func liveCheck(_ call: ActionCall) async throws(StepFailure) -> [String] { try await cloud.problems(call) }

  // MARK: The wait

  func watchJob(_ call: ActionCall, after result: ActionResult) async throws(StepFailure) -> Observation {
    switch JobNote(result) {
    case .done: return try await arrived(call, after: result)
    case .doubt(let since): return try await doubted(call, since: since, result)
    case .running, nil: break
    }
    switch try await cloud.outcome(call.key, purpose: declaration.name) {
    case .running:
      if isOverdue(call) { return try await doubted(call, since: call.clock.now, result) }
      let noted = JobNote.running.on(result)
      if let patience, call.clock.now >= begun(call) + patience, case .applied(let found) = try await evidence(call) {
        let seen = try await arrived(call, after: noted.adding(found))
        if seen.verdict == .done { return seen }
      }
      guard awaitsState else { return Observation(.pending, nativeState: "processing", result: noted) }
      var seen = try await arrived(call, after: noted)
      seen.verdict = .pending
      return seen
    case .done(let body):
      guard let outputs = try outputs(body, call) else {
        return try await doubted(call, since: call.clock.now, result)
      }
      return try await arrived(call, after: JobNote.done.on(result.adding(ActionResult(outputs: outputs)))).noting(
        .done)
    case .unknown: return try await doubted(call, since: call.clock.now, result.vanished)
    case .failed(let error):
      switch error.meaning {
      case .doubt, .infrastructure:
        return try await doubted(call, since: call.clock.now, result.told(by: error, hiding: cloud.hidden))
      default: return Observation(.failed(await judged(error, try await request(call), call)))
      }
    }
  }

  /// The job does not tell any more. The thing is read until it shows the effect, or has been at rest without it for as
  /// long as a request may live.
  private func doubted(
    _ call: ActionCall, since: Timestamp, _ result: ActionResult
  ) async throws(StepFailure) -> Observation {
    let answer = try await evidence(call)
    switch answer {
    case .applied(let found):
      return try await arrived(call, after: JobNote.done.on(result.adding(found))).noting(.done)
    case .failed(let failure): return Observation(.failed(failure))
    case .notApplied, .unsure:
      let noted = JobNote.doubt(since).on(result)
      let isOver = call.clock.now >= since + max(cloud.maxRequestLife, .seconds(60))
      guard isOver, try await cloud.isAtRest(call) else {
        return Observation(.pending, nativeState: "not told by its job", result: noted)
      }
      let name = declaration.name
      let (said, detail) = result.toldByJob
      // A job that was accepted and then vanished may be at work where nobody can see it.
      let mayCome = makesSomething || result.result[ActionResult.jobHasVanished] == true
      let isCertain = answer == .notApplied && (!mayCome || isOverdue(call))
      return Observation(
        .failed(
          isCertain
            ? StepFailure(
              .timeout,
              "ZStack gave up on `\(name)`\(said), and the state shows that it had no effect",
              effect: .none, retryable: true, detail: detail)
            : StepFailure(
              .timeout,
              "ZStack does not say whether `\(name)` took effect\(said), and the state does not show it: look at ZStack"
                + (mayCome ? " before you repeat it, as it may still take effect" : ""), effect: .unknown,
              detail: detail))
      )
    }
  }

  /// The failure of a job, with what it did to the world as far as the thing itself tells.
  func judged(_ error: ZStackError, _ request: ZStackRequest, _ call: ActionCall) async -> StepFailure {
    var failure = cloud.failure(error, of: request)
    switch error.meaning {
    case .wrongState:
      guard let id = try? call.with.optionalText("server"), let server = try? await cloud.server(id) else { break }
      failure = cloud.explained(failure, server)
    case .failed:
      let answer = try? await evidence(call)
      failure.effect = answer == .notApplied ? .none : .applied
    case .infrastructure:
      // A server that could not be reached any more may be at work.
      if let id = try? call.with.optionalText("server"), (try? await cloud.server(id))?.state == .changing {
        failure.effect = .unknown
      }
    default: break
    }
    return failure
  }

  /// The key's first intent, from which ZStack keeps its job.
  private func begun(_ call: ActionCall) -> Timestamp { call.keySince ?? call.intendedAt ?? call.clock.now }

  private func isWithinWindow(_ call: ActionCall) -> Bool {
    call.clock.now < begun(call) + (keyWindow ?? .zero)
  }

  /// Jobs of this kind are over by now; one that is still said to run belongs to a node that died.
  func isOverdue(_ call: ActionCall) -> Bool { call.clock.now >= begun(call) + longestJob }

}

/// What is remembered of a job between two looks, in `result` beside the outputs.
enum JobNote: Equatable {
  case running, done
  /// Since when the job has not told any more.
  case doubt(Timestamp)

  init?(_ result: ActionResult) {
    switch result.result["job"] {
    case "running": self = .running
    case "done": self = .done
    case "doubt":
      guard case .timestamp(let since)? = result.result["doubt_since"] else { return nil }
      self = .doubt(since)
    default: return nil
    }
  }

  func on(_ result: ActionResult) -> ActionResult {
    var result = result
    switch self {
    case .running: result.result["job"] = "running"
    case .done: result.result["job"] = "done"
    case .doubt(let since):
      result.result["job"] = "doubt"
      result.result["doubt_since"] = .timestamp(since)
    }
    return result
  }
}

extension ActionResult {
  static let jobHasVanished = "job_vanished"

  /// ZStack had accepted the job, and does not know it any more.
  var vanished: ActionResult {
    var result = self
    result.result[ActionResult.jobHasVanished] = true
    return result
  }

  private static let jobError = "job_error"
  private static let jobErrorText = "job_error_text"

  /// Keeps what the end of the job said, for the failure that may follow when nothing shows the effect.
  func told(by error: ZStackError, hiding secrets: [Secret]) -> ActionResult {
    var result = self
    result.result[ActionResult.jobError] = .map(error.detail(hiding: secrets))
    result.result[ActionResult.jobErrorText] = .string(error.text(hiding: secrets))
    return result
  }

  /// Of its message, and of its `error.detail`.
  var toldByJob: (text: String, detail: [String: Value]) {
    let text = result[ActionResult.jobErrorText]?.string.map { " (\($0))" } ?? ""
    return (text, result[ActionResult.jobError]?.map ?? [:])
  }

  func adding(_ other: ActionResult) -> ActionResult {
    ActionResult(
      outputs: outputs.merging(other.outputs) { _, new in new }, result: result.merging(other.result) { _, new in new })
  }

  /// Without outputs that the action does not declare.
  func only(_ declaration: ActionDeclaration) -> ActionResult {
    ActionResult(outputs: outputs.filter { declaration.outputs[$0.key] != nil }, result: result)
  }
}

extension Observation {
  func noting(_ note: JobNote) -> Observation {
    var observation = self
    observation.result = note.on(result)
    return observation
  }
}
