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

  public enum Direction: Sendable, CaseIterable { case toServer, toClient }

  /// All lines are cut when line `line` (from 0) has carried exactly `offset` bytes in one direction.
  public struct ByteCut: Sendable {
    public var line: Int
    public var direction: Direction
    public var offset: Int

    public init(line: Int = 0, _ direction: Direction, offset: Int) {
      self.line = line
      self.direction = direction
      self.offset = offset
    }
  }

  private struct Way: Hashable {
    var line: Int
    var direction: Direction
  }

  private struct State {
    var mode = Mode.forward
    var fault: Fault?
    var byteCut: ByteCut?
    var hasFired = false
    var messages: [Int: Int] = [:]
    var bytes: [Way: Int] = [:]
    var lines: [Int: [RawConnection]] = [:]
  }

  private final class Book: Sendable {
    let state: Mutex<State>
    let target: UInt16
    let watch: @Sendable ([UInt8]) -> Void

    init(_ target: UInt16, _ state: State, _ watch: @escaping @Sendable ([UInt8]) -> Void) {
      self.target = target
      self.watch = watch
      self.state = Mutex(state)
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

  /// - Parameters:
  ///   - own: the port of a proxy that was stopped, whose place this one takes; nil: a free one.
  ///   - watch: is given what clients send, before the server gets it.
  public init(
    to port: UInt16, on own: UInt16? = nil, fault: Fault? = nil, cutting byteCut: ByteCut? = nil,
    watch: @escaping @Sendable ([UInt8]) -> Void = { _ in }
  ) {
    let book = Book(port, State(fault: fault, byteCut: byteCut), watch)
    self.book = book
    server = RawServer(port: own) { client, line in FaultProxy.carry(client, line, book) }
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
  /// What one line has carried in one direction.
  public func bytes(of line: Int, _ direction: Direction) -> Int {
    book.state.withLock { $0.bytes[Way(line: line, direction: direction)] ?? 0 }
  }
  public var lines: Int { server.connections }
  /// Whether the chosen message, or the byte at which the line is cut, came.
  public var hasFired: Bool { book.state.withLock { $0.hasFired } }

  private static func carry(_ client: RawConnection, _ line: Int, _ book: Book) {
    if case .refuse = book.state.withLock({ $0.mode }) { return }
    guard let server = RawConnection(port: book.target) else { return }
    book.state.withLock { $0.lines[line] = [client, server] }
    let back = Counter()
    TestThread.start {
      pump(from: server, to: client, Way(line: line, direction: .toClient), book)
      client.hangUp()
      server.hangUp()
      back.next()
    }
    pump(from: client, to: server, Way(line: line, direction: .toServer), book)
    client.hangUp()
    server.hangUp()
    while back.value == 0 { usleep(1000) }
    book.state.withLock { _ = $0.lines.removeValue(forKey: line) }
  }

  private static func pump(from: RawConnection, to: RawConnection, _ way: Way, _ book: Book) {
    while true {
      let bytes = from.receive()
      if bytes.isEmpty { return }
      if way.direction == .toServer { book.watch(bytes) }
      let fault = book.state.withLock { state -> Fault? in
        state.messages[way.line, default: 0] += 1
        guard let fault = state.fault, fault.line == way.line, state.messages[way.line] == fault.number else {
          return nil
        }
        state.hasFired = true
        state.fault = nil
        return fault
      }
      fault?.then()
      if fault?.cuts == true { return book.cut() }
      if let last = last(of: bytes, way, book) {
        to.send(last)
        return book.cut()
      }
      if isDropped(book) { continue }
      if !to.send(bytes) { return }
    }
  }

  /// Counts the bytes. - Returns: those that still go before the line is cut; nil: it is not cut by them.
  private static func last(of bytes: [UInt8], _ way: Way, _ book: Book) -> [UInt8]? {
    book.state.withLock { state in
      let before = state.bytes[way, default: 0]
      state.bytes[way] = before + bytes.count
      guard let cut = state.byteCut, cut.line == way.line, cut.direction == way.direction,
        cut.offset <= before + bytes.count
      else { return nil }
      state.hasFired = true
      state.byteCut = nil
      return Array(bytes.prefix(max(cut.offset - before, 0)))
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
