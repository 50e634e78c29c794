import Posix
import Runbook
import Synchronization

/// An open connection: a client that runs nothing itself, and over which other clients run what they are told.
///
/// It ends with this process, and a while after its last use. It listens at a socket in a folder of its own; the
/// clients work in that folder, so the socket's name is short wherever the folder lies.
final class SSHConnection: Sendable {
  /// The name of its socket.
  static let socket = "ctl"
  /// How long it is kept for the next step.
  static let idle = Duration.seconds(60)
  /// So long before its end nothing is begun on it any more.
  private static let margin = Duration.seconds(10)

  struct State {
    var sessions = 0
    var limit = Int.max
    var isGivenUp = false
    /// On the boot-time clock.
    var endsAt: Duration
    var logs = 0
    /// A client that has opened its session and awaits its order.
    var early: SSHEarlyClient?
    var isStartingEarly = false
    /// The server is short of sessions: none is opened that may not be needed.
    var startsEarly = true
    /// When a session last came to its end by itself, on the boot-time clock.
    var answeredAt: Duration?
  }

  private let program: any HeldProgram
  let state: Mutex<State>
  /// The line with which the client says that it is in.
  let login: String

  /// - Parameter life: what the program was given when it was started.
  init(_ program: any HeldProgram, login: String, life: Duration) {
    self.program = program
    self.login = login
    state = Mutex(State(endsAt: BootClock.now + life))
  }

  var folder: String { program.folder }

  /// - Returns: false if nothing may be begun on it now.
  func enter() -> Bool {
    state.withLock { state in
      guard !state.isGivenUp, state.sessions < state.limit, BootClock.now + Self.margin < state.endsAt else {
        return false
      }
      state.sessions += 1
      return true
    }
  }

  /// Whether it may be used, now or when others have left it.
  var isOpen: Bool { state.withLock { !$0.isGivenUp && BootClock.now + Self.margin < $0.endsAt } }

  /// It lives as long as somebody may use it.
  func live(for left: Duration) {
    state.withLock { state in
      let end = BootClock.now + left + Self.idle
      guard end > state.endsAt else { return }
      state.endsAt = end
      program.live(for: left + Self.idle)
    }
  }

  func leave(_ log: String) {
    remove(log)
    // What is said under the lock arrives in the same order.
    state.withLock { state in
      state.sessions -= 1
      guard state.sessions == 0 else { return }
      let life = state.isGivenUp ? Duration.zero : Self.idle
      state.endsAt = BootClock.now + life
      program.live(for: life)
    }
  }

  /// Nothing is begun on it any more.
  func giveUp() { state.withLock { $0.isGivenUp = true } }

  /// The server has let in no more. One that lets in none is of no use.
  func learnLimit() {
    // It may be one that nobody needs yet for which there was no room.
    if startNoneEarly() { return }
    state.withLock { state in
      state.limit = min(state.limit, state.sessions - 1)
      if state.limit < 1 { state.isGivenUp = true }
    }
  }

  /// The server refuses sessions although nobody else has one.
  var isUseless: Bool { state.withLock { $0.limit < 1 } }

  func newLog() -> String {
    let number = state.withLock { state in
      state.logs += 1
      return state.logs
    }
    return "log.\(number)"
  }

  func told(in log: String) -> SSHShareLog {
    SSHShareLog((try? FileReading.all(of: "\(folder)/\(log)", limit: 1 << 20)) ?? [])
  }

  /// Its end is seen a moment after its clients have lost it.
  /// - Returns: whether it came to its end by itself, and was not killed.
  func hasEndedByItself(_ clock: any EngineClock) async -> Bool {
    for _ in 0..<100 {
      if let end = await program.ending() { return end.exitCode != nil }
      await clock.sleep(for: .milliseconds(10))
    }
    return false
  }
}

/// What a client that shares a connection has written to its log, which nobody else writes to.
struct SSHShareLog {
  private let lines: [Substring]

  init(_ bytes: [UInt8]) {
    lines = String(decoding: bytes, as: UTF8.self).split(whereSeparator: { $0.isNewline })
  }

  private func says(_ words: String) -> Bool { lines.contains { $0.contains(words) } }

  /// The other side has opened the session. Before that not a byte of the input is sent.
  var isBegun: Bool { says("mux_client_request_session: master session id: ") }
  /// The server lets in no more sessions.
  var isFull: Bool { says("session request failed: Session open refused by peer") }
  /// The connection was not there, or refused the client before it had asked for anything.
  var isRefused: Bool {
    says("Control socket connect(") || says("Control socket \"") && says("\" does not exist")
      || says("master hello exchange failed") || says("master alive request failed")
      || says("session request denied")
  }
  /// The connection ended while the client waited for its session.
  var isLost: Bool { says("read from master failed") }
  /// The program on the other side has ended, and the client has its exit code.
  var isOver: Bool { says("Received exit status from master ") }

  /// What a client with a connection of its own would have written: the login, the other side's words, the end.
  func transcript(login: String, _ said: [UInt8]) -> [UInt8] {
    let end = isOver ? SSHLog.orderlyEnd : SSHLog.sharedLoss
    let isWhole = said.isEmpty || said.last == UInt8(ascii: "\n")
    return Array("\(login)\n".utf8) + said + Array((isWhole ? "" : "\n").utf8) + Array("\(end)\n".utf8)
  }
}
