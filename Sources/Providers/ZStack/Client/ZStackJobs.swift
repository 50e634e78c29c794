import ProviderKit
import Runbook

/// What is known of a job.
enum ZStackJob: Sendable {
  case running
  /// The body of its result.
  case done(Value)
  case failed(ZStackError)
  /// ZStack knows no such job: it never arrived, or is so old that it was purged.
  case unknown
}

/// Every change at ZStack is a job. We choose its id, so that the same call is carried out once however often it is
/// sent, and we build its address from that id: the `location` of the reply carries the management node's own idea of
/// where it is.
extension ZStackClient {
  /// How long a finished job is kept, counted from its beginning.
  static let jobRetention: Duration = .seconds(10_800)
  /// After the call: so long a job is followed at once, so that a refusal is a refusal of the call.
  private static let firstLooks: [Duration] = [.milliseconds(500), .seconds(1), .seconds(1.5), .seconds(2)]

  /// Sends a change and looks what becomes of it in the first seconds. A job that ended because of a session that was
  /// not valid has done nothing: the change is sent once more, under a second id that also follows from the key.
  func start(
    _ request: ZStackRequest, key: String, purpose: String
  ) async throws(StepFailure) -> ZStackJob {
    let first = try await submit(request, ZStackID.make(key, purpose))
    guard case .failed(let error) = first, error.meaning == .session, credential.canLogIn else { return first }
    return try await submit(request, ZStackID.make(key, purpose, 1))
  }

  private func submit(_ request: ZStackRequest, _ id: String) async throws(StepFailure) -> ZStackJob {
    var request = request
    request.job = id
    let reply = try await exchange(request)
    // The first sending had arrived: its job is ours.
    guard !reply.isDuplicateJob else {
      takenJobs.note(id)
      return try await follow(id)
    }
    if let error = reply.error { return .failed(error) }
    if let failure = reply.failure { throw failure }
    guard reply.response.status == 202 else { return .done(try reply.json()) }
    // A page of a proxy is no acceptance.
    _ = try reply.json()
    takenJobs.note(id)
    return try await follow(id)
  }

  /// A look that fails says nothing about the job, which goes on.
  private func follow(_ id: String) async throws(StepFailure) -> ZStackJob {
    for pause in ZStackClient.firstLooks {
      await connection.clock.sleep(for: pause)
      do throws(StepFailure) {
        let job = try await job(id)
        if case .running = job { continue }
        return job
      } catch {
        if error.kind == .cancelled { break }
      }
    }
    return .running
  }

  /// This process has seen that ZStack took the job of this call.
  func hasTaken(_ key: String, purpose: String) -> Bool {
    takenJobs.contains(ZStackID.make(key, purpose)) || takenJobs.contains(ZStackID.make(key, purpose, 1))
  }

  /// What became of the job of this call; of the second one, if the first ended with a refused session.
  func outcome(_ key: String, purpose: String) async throws(StepFailure) -> ZStackJob {
    let first = try await job(ZStackID.make(key, purpose))
    guard case .failed(let error) = first, error.meaning == .session, credential.canLogIn else { return first }
    let second = try await job(ZStackID.make(key, purpose, 1))
    if case .unknown = second { return first }
    return second
  }

  /// "Invalid session" may be the job's own end, or the answer to this look: a read, which ZStack refuses without a
  /// good session, tells them apart.
  private func job(_ id: String) async throws(StepFailure) -> ZStackJob {
    let look = ZStackRequest.read(["api-jobs", id])
    var reply = try await once(look, try await pass(refused: nil))
    if reply.error?.meaning == .session, credential.canLogIn {
      try await proveSession()
      reply = try await once(look, try await pass(refused: nil))
    }
    return try ZStackClient.job(from: reply)
  }

  /// Reads next to nothing: afterwards the session is known to be good.
  func proveSession() async throws(StepFailure) {
    _ = try await send(.read(["vm-instances"], [("limit", "1"), ("fields", "uuid")])).json()
  }

  static func job(from reply: ZStackReply) throws(StepFailure) -> ZStackJob {
    switch reply.response.status {
    case 202: return .running
    case 404 where !reply.response.isHTML: return .unknown
    default: break
    }
    if let error = reply.error { return .failed(error) }
    if let failure = reply.failure { throw failure.renamed(failure.message, retryable: failure.kind != .auth) }
    return .done(try reply.json())
  }
}
