import Posix
import Runbook
import Synchronization

/// A client of a shared connection that was started before there was an order for it: the other side's shell reads its
/// standard input already. It serves one order, as a client does that is started for it.
struct SSHEarlyClient {
  let program: any HeldProgram
  let words: [String]
  let log: String
  /// On the boot-time clock.
  let startedAt: Duration

  /// So long its keeper lets it wait for an order.
  static let life = Duration.seconds(2)
  /// So long it is given one.
  static let youth = Duration.milliseconds(1500)
  /// A machine that has answered so shortly before is expected to answer again.
  static let recency = Duration.seconds(2)
}

extension SSHConnection {
  /// The client that waits for an order of these words. One that has waited for too long is ended instead.
  func takeEarly(_ words: [String]) -> SSHEarlyClient? {
    let early = state.withLock { state -> SSHEarlyClient? in
      defer { state.early = nil }
      return state.early
    }
    guard let early else { return nil }
    if early.words == words, BootClock.now - early.startedAt < SSHEarlyClient.youth { return early }
    remove(early.log)
    return nil
  }

  /// Whether the caller, which calls `keepEarly` then, shall start one: steps follow one another here, one at a time.
  func shallStartEarly() -> Bool {
    state.withLock { state in
      guard state.startsEarly, state.sessions == 1, state.early == nil, !state.isStartingEarly, !state.isGivenUp,
        let answeredAt = state.answeredAt, BootClock.now - answeredAt < SSHEarlyClient.recency
      else { return false }
      state.isStartingEarly = true
      return true
    }
  }

  /// - Parameter early: nil: it could not be started, or is used at once.
  func keepEarly(_ early: SSHEarlyClient?) {
    state.withLock { state in
      state.isStartingEarly = false
      state.early = early
    }
  }

  /// The server is short of sessions: ends the one that waits, and starts no other.
  /// - Returns: whether any was started until now.
  @discardableResult
  func startNoneEarly() -> Bool {
    let (early, started) = state.withLock { state in
      defer { (state.early, state.startsEarly) = (nil, false) }
      return (state.early, state.startsEarly && state.answeredAt != nil)
    }
    if let early { remove(early.log) }
    return started
  }

  func remove(_ log: String) { Folder.removeFile("\(folder)/\(log)") }

  /// A session came to its end by itself.
  func noteAnswer() { state.withLock { $0.answeredAt = BootClock.now } }

  /// Until the next answer no client is started early.
  func forgetAnswer() { state.withLock { $0.answeredAt = nil } }
}

extension SSHCommand {
  /// - Parameter words: what it runs there, as `SSHCommand.run` has them.
  func startEarly(_ words: [String], on connection: SSHConnection, _ call: ActionCall) async -> SSHEarlyClient? {
    let log = connection.newLog()
    let command = sharingArgv(socket: SSHConnection.socket, log: log, running: words)
    var request = ScriptRequest(key: call.key, command: command, workingDirectory: connection.folder)
    request.awaitsInput = true
    let startedAt = BootClock.now
    guard let held = try? await call.scripts.hold(request, life: SSHEarlyClient.life) else { return nil }
    return SSHEarlyClient(program: held, words: words, log: log, startedAt: startedAt)
  }
}
