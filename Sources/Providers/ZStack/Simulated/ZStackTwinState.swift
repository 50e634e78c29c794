import ProviderKit
import Runbook

/// The twin behind its lock: the world, the sessions, the faults, and what came late.
struct ZStackTwinState: Sendable {
  var world: ZStackWorld
  var sessions: ZStackTwinSessions
  var faults: [TwinFault] = []
  /// Requests whose effect takes place later, in the order of their times.
  private var late: [(at: Timestamp, call: ZStackTwinCall)] = []
  var requests: [String] = []
  private var jobCount = 0
  private var lastJob = ""

  init(world: ZStackWorld, sessions: ZStackTwinSessions) {
    self.world = world
    self.sessions = sessions
  }

  /// Lets what was under way until `now` happen, requests that came late included.
  mutating func settle(_ now: Timestamp) {
    while let next = late.first, next.at <= now {
      late.removeFirst()
      advance(next.at)
      _ = try? act(next.call, next.at)
    }
    advance(now)
  }

  private mutating func advance(_ now: Timestamp) {
    var faults = faults
    world.settle(now) { ZStackTwinState.twist($0, &faults) }
    self.faults = faults
  }

  mutating func reply(to call: ZStackTwinCall, at now: Timestamp) -> SimulatedReply {
    let word = call.operation.rawValue
    requests.append(word)
    if heedsSession(call) { expire(word) }
    let before = faults.before(word)
    switch before?.kind {
    case .requestLost: return .lost
    case .requestLate:
      late.append((at: now + (before?.duration ?? .seconds(30)), call: call))
      late.sort { $0.at < $1.at }
      return .lost
    case .status(let status): return .response(.fault(status, retryAfter: before?.duration))
    case .html: return .response(.html)
    default: break
    }
    let response: HTTPResponse
    do throws(ZStackTwinRefusal) { response = try act(call, now) } catch { return .response(error.response) }
    // A change that was refused uses up no fault of a reply.
    let isRefused = call.operation.isJob && (response.status != 202 || hasFailed(lastJob))
    return isRefused ? .response(response) : faults.reply(word, response)
  }

  private func heedsSession(_ call: ZStackTwinCall) -> Bool {
    switch call.operation {
    case .login, .logout, .sessionValid, .jobRead: false
    default: true
    }
  }

  /// Each fault of this kind strikes once: after a log-in the new session is good.
  private mutating func expire(_ word: String) {
    for index in faults.indices where faults[index].kind == .tokenExpires && !faults[index].hasFired {
      if faults[index].strikes(word, where: { $0 == .tokenExpires }) { sessions.endAll() }
    }
  }

  private mutating func act(_ call: ZStackTwinCall, _ now: Timestamp) throws(ZStackTwinRefusal) -> HTTPResponse {
    switch call.operation {
    case .jobRead: return read(job: call.subject)
    case .login, .logout, .sessionValid: return account(call, now)
    default: break
    }
    let refusal = try sessions.admit(call, now)
    if call.operation.isJob { return try accept(call, refusal, now) }
    if let refusal { return .json(503, refusal.document) }
    do throws(ZStackTwinError) { return .json(200, try world.read(call)) } catch { return .json(503, error.document) }
  }

  // MARK: Jobs

  private mutating func accept(
    _ call: ZStackTwinCall, _ refusal: ZStackTwinError?, _ now: Timestamp
  ) throws(ZStackTwinRefusal) -> HTTPResponse {
    let id = call.jobID ?? world.nextUUID()
    guard world.jobs[id] == nil else { throw ZStackTwinRefusal(400, "Duplicate job uuid[\(id)]") }
    jobCount += 1
    lastJob = id
    var job = ZStackTwinJob(id: id, call: call, createdAt: now, number: jobCount)
    if let refusal {
      // The session is looked at when the job is carried out, and not before it is accepted.
      job.phase = .over(status: 503, body: refusal.document)
      world.jobs[id] = job
    } else if call.operation == .sessionRenew {
      do throws(ZStackTwinError) {
        let seconds = try renewal(call)
        try sessions.renew(call.subject, by: .seconds(seconds), now)
        job.phase = .over(status: 200, body: ["inventory": ["uuid": .string(call.subject)]])
      } catch { job.phase = .over(status: 503, body: error.document) }
      world.jobs[id] = job
    } else {
      job.machine = world.machine(of: call)
      var faults = faults
      world.accept(job, now) { ZStackTwinState.twist($0, &faults) }
      self.faults = faults
    }
    let isOwn =
      !hasFailed(id) && faults.strike(call.operation.rawValue, where: { $0 == .special("own_location") }) != nil
    let host = isOwn ? call.host : "10.0.0.1:8080"
    let timeout = (call.timeout ?? call.operation.timeout) * 1000
    return .json(
      202, ["location": .string("http://\(host)/zstack/v1/api-jobs/\(id)"), "apiTimeout": .int(timeout)])
  }

  private func hasFailed(_ job: String) -> Bool {
    if case .over(let status, _)? = world.jobs[job]?.phase { return status != 200 }
    return false
  }

  private func renewal(_ call: ZStackTwinCall) throws(ZStackTwinError) -> Int64 {
    let seconds = call.parameters["duration"]?.int ?? 7200
    guard (60...31_536_000).contains(seconds) else { throw .invalid("duration must be in [60, 31536000]") }
    return seconds
  }

  /// Does not look at the session.
  private func read(job id: String) -> HTTPResponse {
    guard let job = world.jobs[id] else { return ZStackTwinRefusal(404, "the job has been expired").response }
    return switch job.phase {
    case .queued, .running, .lost: .json(202, [:])
    case .over(let status, let body): .json(status, body)
    }
  }

  private mutating func account(_ call: ZStackTwinCall, _ now: Timestamp) -> HTTPResponse {
    switch call.operation {
    case .login:
      do throws(ZStackTwinError) {
        let name = call.text("accountName") ?? call.text("username")
        for (field, value) in [("accountName", name), ("password", call.text("password"))] where value == nil {
          throw .invalid("field[\(field)] is mandatory, can not be null")
        }
        let session = try sessions.logIn(name, call.text("password"), now)
        return .json(
          200,
          [
            "inventory": [
              "uuid": .string(session.id), "accountUuid": .string(ZStackTwinSessions.account),
              "userUuid": .string(ZStackTwinSessions.account), "expiredDate": world.time(session.endsAt),
              "createDate": world.time(now),
            ]
          ])
      } catch { return .json(503, error.document) }
    case .logout:
      sessions.end(call.subject)
      return .json(200, [:])
    default: return .json(200, ["valid": .bool(sessions.isValid(call.subject, now))])
    }
  }

  /// Struck when a change begins, and not before: a refused one leaves them to the next.
  private static func twist(_ job: ZStackTwinJob, _ faults: inout [TwinFault]) -> ZStackTwinTwist {
    let operation = job.call.operation
    let word = operation.rawValue
    func strikes(_ kind: TwinFault.Kind) -> Bool { faults.strike(word) { $0 == kind } != nil }
    var twist = ZStackTwinTwist(
      common: faults.twist(word, word: "Quiescing", asksGuest: job.call.text("type") != "cold"))
    if [.snapshotRestore, .snapshotDelete, .volumeSnapshotBatchDelete].contains(operation) {
      twist.partial = strikes(.special("partial_revert"))
    }
    twist.isLost = strikes(.special("job_never_ends"))
    twist.isPurged = strikes(.special("job_purged"))
    if strikes(.special("sys1001_done")) {
      twist.timesOut = true
    } else if strikes(.special("sys1001_not_done")) {
      twist.timesOut = false
    }
    twist.losesHost = job.machine != nil && strikes(.special("host_lost"))
    return twist
  }
}
