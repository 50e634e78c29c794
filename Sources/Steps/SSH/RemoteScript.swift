import Runbook
import Synchronization

/// A script that another machine keeps, reached by one ssh session after another. `docs/ssh.md`.
struct RemoteScript {
  let ssh: SSHCommand
  let call: ActionCall
  /// From TERM to KILL.
  let grace: Duration

  init(_ ssh: SSHCommand, _ call: ActionCall, grace: Duration) {
    var ssh = ssh
    // The script does not hang on it: a line that is dead is better given up early.
    ssh.silence = (interval: 5, count: 3)
    self.ssh = ssh
    self.call = call
    self.grace = grace
  }

  /// Longest session in which a script is followed; whoever follows it opens another one then.
  static let share = Duration.seconds(300)
  /// For login and answer, on top of `connect_timeout` and the session's share.
  static let patience = Duration.seconds(30)
  /// How much later than its time and grace a script's end may be seen.
  static let lateness = Duration.seconds(30)

  /// When its keeper has ended it, if the machine runs.
  var limit: Timestamp { call.deadline + grace + Self.lateness }

  /// How one session went.
  enum Outcome: Sendable {
    case answered(RemoteAnswer)
    /// Something else than the order was run.
    case rejected(StepFailure)
    /// The connection was lost, or never made. The effect tells: `none` if the order certainly did not arrive.
    case cut(StepFailure)
  }

  /// - Parameters:
  ///   - output: what the session reads goes there; nil: it reads no output.
  ///   - epoch: of the order's rank; nil: that of the run's lease.
  /// - Throws: `cancelled`, and `input` if the client cannot be started.
  func session(
    _ verb: RemoteOrder.Verb, share: Duration = RemoteScript.share, until deadline: Timestamp? = nil,
    output: RemoteOutput? = nil, epoch: Int64? = nil
  ) async throws(StepFailure) -> Outcome {
    let order = RemoteOrder(
      key: call.key, rank: RemoteOrder.newRank(epoch: epoch ?? call.epoch), verb: verb, share: share,
      offsets: output?.offsets)
    let secrets = try call.with.environment().values.flatMap { $0.names }
    let input = Secret(order.text(.own), named: secrets)
    let reading = Reading(mark: order.mark, output)
    let end: ScriptEnd
    do throws(StepFailure) {
      end = try await ssh.run(
        ["/bin/sh", "-s"], input: input,
        until: deadline ?? call.clock.now + share + ssh.connectTimeout + Self.patience, call,
        expectsMore: verb.isStart, reading: { reading.take($0) })
    } catch {
      if let answer = reading.answer { return .answered(answer) }
      switch error.kind {
      case .timeout:
        return .cut(StepFailure(.unreachable, "\(ssh.host) did not answer ssh in time", effect: .unknown))
      // The client's keeper is gone, or this machine is short of something.
      case .crashed, .limit: return .cut(error)
      default: throw error
      }
    }
    reading.finish(end.stdout)
    if reading.hasForgotten, case .start(_, _, _, _, let done) = verb { call.tellForgotten(done) }
    return outcome(of: end, reading)
  }

  private func outcome(of end: ScriptEnd, _ reading: Reading) -> Outcome {
    if let answer = reading.answer { return .answered(answer) }
    let log = SSHLog(end.stderr, mask: call.mask)
    if !reading.isReady, let code = end.exitCode, code != 255 || log.isOrderlyEnd {
      return .rejected(log.rejection(at: ssh.host, stdout: end.stdout, become: ssh.become))
    }
    if reading.isReady {
      return .cut(
        StepFailure(.unreachable, "the connection to \(ssh.host) was lost", effect: .unknown, detail: log.detail))
    }
    return .cut(log.failure(at: ssh.host))
  }

  /// What comes in while the session lasts. Handed over by the thread that reads.
  private final class Reading: Sendable {
    private let state: Mutex<(reply: RemoteReply, count: Int)>
    private let output: RemoteOutput?
    /// A piece of this size is mostly followed by another one, and each publication costs a transaction.
    private static let much = 1 << 20

    init(mark: String, _ output: RemoteOutput?) {
      state = Mutex((RemoteReply(mark: mark), 0))
      self.output = output
    }

    func take(_ bytes: [UInt8]) {
      state.withLock { state in
        state.count += bytes.count
        state.reply.take(bytes) { output?.take($0, at: $1, $2) }
      }
      if bytes.count < Self.much { output?.publish() }
    }

    /// - Parameter all: everything that was written; a host that hands nothing over while it runs gives it here.
    func finish(_ all: [UInt8]) {
      let count = state.withLock { $0.count }
      if all.count > count { take(Array(all[count...])) }
      output?.publish()
    }

    var hasForgotten: Bool { state.withLock { $0.reply.hasForgotten } }
    var isReady: Bool { state.withLock { $0.reply.isReady } }
    var answer: RemoteAnswer? { state.withLock { $0.reply.answer } }
  }
}

extension RemoteScript {
  /// Starts it and follows it to its end, however often the connection is lost: until it has ended, or its end would
  /// have to be seen.
  ///
  /// - Parameter launcher: what its first process reads (`RemoteOrder.launcher`).
  func run(_ script: String, launcher: String) async throws(StepFailure) -> RemoteEnd {
    let output = RemoteOutput(call.output)
    let done = call.finished.filter { ssh.isSamePlace(as: $0.with) }.flatMap { $0.keys }
    var isToBegin = true
    // Whether an order that starts it may have arrived.
    var isSent = false
    var losses = 0
    var starts = 1
    while true {
      let outcome: Outcome
      let verb: RemoteOrder.Verb =
        isToBegin
        ? .start(
          script: script, launcher: launcher, life: max(call.deadline - call.clock.now, .zero), grace: grace,
          done: done)
        : .follow
      do throws(StepFailure) { outcome = try await session(verb, output: output) } catch {
        throw isSent || error.kind == .cancelled ? error.with(.unknown) : error
      }
      switch outcome {
      case .answered(.ended(let code, let cause)):
        output.finish()
        return RemoteEnd(code: code, cause: cause, output)
      case .answered(.goesOn):
        (isSent, losses, isToBegin) = (true, 0, false)
      case .answered(.absent):
        // The order that was sent before can no longer start it.
        guard isSent, starts < 3, call.clock.now < call.deadline else { throw neverStarted }
        (isSent, starts, isToBegin) = (false, starts + 1, true)
      case .answered(let answer): throw failure(answer)
      case .rejected(let failure): throw isSent ? failure.with(.unknown) : failure
      case .cut(let failure):
        guard isSent || failure.effect != .none else { throw failure }
        if failure.kind == .auth { throw failure.with(.unknown) }
        (isSent, isToBegin) = (true, false)
        losses += 1
        try await pause(after: losses, failure)
      }
    }
  }

  /// Reads the output of one that has ended.
  func read() async throws(StepFailure) -> RemoteEnd {
    let output = RemoteOutput(call.output)
    while true {
      switch try await session(.follow, output: output) {
      case .answered(.ended(let code, let cause)):
        output.finish()
        return RemoteEnd(code: code, cause: cause, output)
      case .answered(.goesOn): continue
      case .answered(let answer): throw failure(answer)
      case .rejected(let failure): throw failure.with(.unknown)
      case .cut(let failure): throw retryable(failure)
      }
    }
  }

  private func pause(after losses: Int, _ failure: StepFailure) async throws(StepFailure) {
    let pause = min(Duration.milliseconds(500) * (1 << min(losses - 1, 6)), .seconds(30))
    guard call.clock.now + pause < limit else {
      throw StepFailure(
        .unreachable, "the end of the script on \(ssh.host) was not seen: \(failure.message)", effect: .unknown,
        detail: failure.detail)
    }
    call.report(
      "the connection to \(ssh.host) was lost; the script may go on there, at the longest until "
        + "\(call.deadline.wholeSecond), and is looked for again")
    await call.clock.sleep(for: pause)
    if Task.isCancelled { throw StepFailure(.cancelled, "nobody waits for the script any more", effect: .unknown) }
  }

  private var neverStarted: StepFailure {
    StepFailure(.unreachable, "the script did not arrive on \(ssh.host), and was not started", retryable: true)
  }

  /// The answers that are no end.
  func failure(_ answer: RemoteAnswer) -> StepFailure {
    switch answer {
    case .refused(let reason):
      StepFailure(
        reason.contains("disk full") ? .limit : .rejected,
        "nothing was started on \(ssh.host): \(String(decoding: call.mask(Array(reason.utf8)), as: UTF8.self))")
    case .outranked:
      StepFailure(
        .conflict, "another engine has looked after the script on \(ssh.host) since: this one leaves it alone",
        effect: .unknown)
    case .rebooted:
      StepFailure(.crashed, "\(ssh.host) was booted while the script ran there", effect: .applied)
    case .lost, .absent, .goesOn, .ended, .listed:
      StepFailure(
        .crashed, "the script's process on \(ssh.host) is gone and left no exit code", effect: .unknown)
    }
  }

  func retryable(_ failure: StepFailure) -> StepFailure {
    StepFailure(
      failure.kind, failure.message, effect: .unknown, retryable: failure.kind != .auth, detail: failure.detail)
  }
}

/// How a script on another machine ended, and what it wrote.
struct RemoteEnd: Sendable {
  let code: Int32?
  /// `exited`, `timeout` or `cancelled`.
  let cause: String
  let end: ScriptEnd

  init(code: Int32?, cause: String, _ output: RemoteOutput) {
    self.code = code
    self.cause = cause
    end = ScriptEnd(
      exitCode: code, isTimedOut: cause == "timeout", output: output.stdout, errors: output.stderr)
  }
}

extension StepFailure {
  func with(_ effect: Effect) -> StepFailure {
    var failure = self
    failure.effect = effect
    if effect == .unknown { (failure.retryable, failure.beforeFirstByte) = (false, false) }
    return failure
  }
}
