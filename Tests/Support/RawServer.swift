import Glibc
import Synchronization

/// A TCP connection for tests that speak a protocol byte by byte, or break it. Blocks: used from threads of its own.
public final class RawConnection: Sendable {
  private let descriptor: CInt
  init(_ descriptor: CInt) { self.descriptor = descriptor }
  deinit { close(descriptor) }

  /// Connects to `host`, by default 127.0.0.1; nil when nobody listens.
  public convenience init?(port: UInt16, host: UInt32 = 0x7f00_0001) {
    let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
    var address = LoopbackAddress.make(port: port, host: host)
    let size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let code = unsafe withUnsafeMutablePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe connect(descriptor, $0, size) }
    }
    self.init(descriptor)
    if code != 0 { return nil }
  }

  /// False when the other side has left.
  @discardableResult
  public func send(_ bytes: [UInt8]) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
      let sent = unsafe rest.withUnsafeBytes { bytes in
        unsafe Glibc.send(descriptor, bytes.baseAddress, bytes.count, CInt(MSG_NOSIGNAL))
      }
      if sent <= 0 { return false }
      rest = rest.dropFirst(sent)
    }
    return true
  }

  @discardableResult
  public func send(_ text: String) -> Bool { send(Array(text.utf8)) }

  /// At most `limit` bytes; empty when the other side has closed.
  public func receive(_ limit: Int = 65_536) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: limit)
    let count = unsafe bytes.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress, $0.count, 0) }
    return Array(bytes.prefix(max(0, count)))
  }

  /// Exactly `count` bytes, or fewer when the other side closes before that.
  public func receiveExactly(_ count: Int) -> [UInt8] {
    var all: [UInt8] = []
    while all.count < count {
      let piece = receive(count - all.count)
      if piece.isEmpty { break }
      all += piece
    }
    return all
  }

  /// Up to and including `end`, or everything when the other side closes before that.
  public func receive(until end: String) -> String {
    var all: [UInt8] = []
    let mark = Array(end.utf8)
    while !all.suffix(mark.count).elementsEqual(mark) {
      let byte = receive(1)
      if byte.isEmpty { break }
      all += byte
    }
    return String(decoding: all, as: UTF8.self)
  }

  /// The head of an HTTP message, with its empty line.
  public func receiveHead() -> String { receive(until: "\r\n\r\n") }

  /// Says nothing until the other side has left.
  public func stall() { while !receive().isEmpty {} }

  /// Nothing more comes or goes; whoever reads on either side finds the end.
  public func hangUp() { _ = shutdown(descriptor, CInt(SHUT_RDWR)) }

  /// The connection ends with a reset instead of an orderly end.
  public func reset() {
    var now = linger(l_onoff: 1, l_linger: 0)
    unsafe _ = setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
  }
}

/// A TCP server on 127.0.0.1. Each connection gets a thread and is closed when `serve` returns.
public final class RawServer: Sendable {
  public typealias Handler = @Sendable (_ connection: RawConnection, _ index: Int) -> Void
  public let port: UInt16
  private let listener: CInt
  private let accepted = Counter()

  /// - Parameter wanted: a port on which another server has just been stopped; nil: a free one.
  public init(port wanted: UInt16? = nil, _ serve: @escaping Handler) {
    (listener, port) = Self.listen(on: wanted ?? 0)
    let (counter, listener) = (accepted, listener)
    TestThread.start {
      while true {
        let descriptor = accept(listener, nil, nil)
        guard descriptor >= 0 else { break }
        let connection = RawConnection(descriptor)
        let index = counter.next()
        TestThread.start { serve(connection, index) }
      }
      close(listener)
    }
  }

  private static func listen(on wanted: UInt16) -> (listener: CInt, port: UInt16) {
    // The thread of a server that was stopped may still hold its port for a moment.
    for _ in 0..<500 {
      let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
      // Also of the first one: its connections that are about to end would keep the port from the next.
      var reuse: CInt = 1
      unsafe _ = setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<CInt>.size))
      var address = LoopbackAddress.make(port: wanted)
      var size = socklen_t(MemoryLayout<sockaddr_in>.size)
      let code = unsafe withUnsafeMutablePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
          unsafe bind(descriptor, pointer, size) | Glibc.listen(descriptor, 64)
            | getsockname(descriptor, pointer, &size)
        }
      }
      if code == 0 { return (descriptor, UInt16(bigEndian: address.sin_port)) }
      close(descriptor)
      usleep(10_000)
    }
    preconditionFailure("a test cannot listen on loopback")
  }

  /// Connections so far.
  public var connections: Int { accepted.value }
  public var url: String { "http://127.0.0.1:\(port)" }

  /// Takes no more connections. Not left to `deinit`, which comes as soon as a test has read the URL.
  public func stop() {
    shutdown(listener, CInt(SHUT_RDWR))
  }
}

/// Counts from 0.
public final class Counter: Sendable {
  private let count = Mutex(0)
  public init() {}
  public var value: Int { count.withLock { $0 } }
  @discardableResult
  public func next() -> Int {
    count.withLock { count in
      defer { count += 1 }
      return count
    }
  }
}

enum LoopbackAddress {
  static func make(port: UInt16, host: UInt32 = 0x7f00_0001) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = host.bigEndian
    return address
  }
}

/// A thread for what blocks in a test.
enum TestThread {
  private final class Body: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }

  static func start(_ body: @escaping @Sendable () -> Void) {
    var thread = pthread_t()
    let argument = unsafe Unmanaged.passRetained(Body(body)).toOpaque()
    let code = unsafe pthread_create(
      &thread, nil,
      { argument in
        if let argument = unsafe argument { unsafe Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run() }
        return nil
      }, argument)
    precondition(code == 0, "a test cannot start a thread")
    pthread_detach(thread)
  }
}
