import Glibc
import Synchronization

/// A TCP proxy on loopback between a client and a server that cuts the line, stalls it, delays it or drops what it
/// carries, when a test says so or at a message that the test has chosen.
///
/// A message is what one read of either side gives: two sides that take turns are cut between their turns.
public final class FaultProxy: Sendable {
  /// What happens to the lines that are open and to those that come.
  public enum Mode: Sendable {
    case forward
    /// New lines are closed at once; open ones go on.
    case refuse
    /// Nothing is carried, and nothing is lost: it goes on when the mode changes.
    case stall
    /// What is sent is thrown away.
    case drop
    /// Each message is held for this long.
    case delay(milliseconds: UInt32)
  }

  /// What happens when message `number` (from 1, both sides together) of line `line` (from 0) comes.
  public struct Fault: Sendable {
    public var line: Int
    public var number: Int
    /// The message is lost, and the line with it.
    public var cuts: Bool
    public var then: @Sendable () -> Void

    public init(line: Int = 0, number: Int, cuts: Bool = true, then: @escaping @Sendable () -> Void = {}) {
      self.line = line
      self.number = number
      self.cuts = cuts
      self.then = then
    }
  }

  private struct State {
    var mode = Mode.forward
    var fault: Fault?
    var hasFired = false
    var messages: [Int: Int] = [:]
    var lines: [Int: [RawConnection]] = [:]
  }

  private final class Book: Sendable {
    let state: Mutex<State>
    let target: UInt16

    init(_ target: UInt16, _ fault: Fault?) {
      self.target = target
      state = Mutex(State(fault: fault))
    }

    func cut() {
      let lines = state.withLock { state in
        defer { state.lines = [:] }
        return state.lines.values.flatMap { $0 }
      }
      for line in lines { line.hangUp() }
    }
  }

  private let book: Book
  private let server: RawServer
  public var port: UInt16 { server.port }

  public init(to port: UInt16, fault: Fault? = nil) {
    let book = Book(port, fault)
    self.book = book
    server = RawServer { client, line in FaultProxy.carry(client, line, book) }
  }

  public func set(_ mode: Mode) { book.state.withLock { $0.mode = mode } }

  /// All open lines end.
  public func cut() { book.cut() }

  /// Takes no more lines, and cuts those that are open.
  public func stop() {
    server.stop()
    book.cut()
  }

  /// Of one line, both sides together.
  public func messages(of line: Int) -> Int { book.state.withLock { $0.messages[line] ?? 0 } }
  public var lines: Int { server.connections }
  /// Whether the chosen message came.
  public var hasFired: Bool { book.state.withLock { $0.hasFired } }

  private static func carry(_ client: RawConnection, _ line: Int, _ book: Book) {
    if case .refuse = book.state.withLock({ $0.mode }) { return }
    guard let server = RawConnection(port: book.target) else { return }
    book.state.withLock { $0.lines[line] = [client, server] }
    let back = Counter()
    TestThread.start {
      pump(from: server, to: client, line, book)
      client.hangUp()
      server.hangUp()
      back.next()
    }
    pump(from: client, to: server, line, book)
    client.hangUp()
    server.hangUp()
    while back.value == 0 { usleep(1000) }
    book.state.withLock { _ = $0.lines.removeValue(forKey: line) }
  }

  private static func pump(from: RawConnection, to: RawConnection, _ line: Int, _ book: Book) {
    while true {
      let bytes = from.receive()
      if bytes.isEmpty { return }
      let fault = book.state.withLock { state -> Fault? in
        state.messages[line, default: 0] += 1
        guard let fault = state.fault, fault.line == line, state.messages[line] == fault.number else { return nil }
        state.hasFired = true
        state.fault = nil
        return fault
      }
      fault?.then()
      if fault?.cuts == true { return book.cut() }
      if isDropped(book) { continue }
      if !to.send(bytes) { return }
    }
  }

  /// Waits as the mode says.
  private static func isDropped(_ book: Book) -> Bool {
    while true {
      switch book.state.withLock({ $0.mode }) {
      case .forward, .refuse: return false
      case .drop: return true
      case .stall: usleep(5000)
      case .delay(let milliseconds):
        usleep(milliseconds.multipliedReportingOverflow(by: 1000).partialValue)
        return false
      }
    }
  }
}
