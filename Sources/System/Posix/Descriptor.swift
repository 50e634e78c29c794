import CPosix
import Synchronization

/// An open file, pipe or socket; closed when the last reference goes. Not inherited by children.
public final class Descriptor: Sendable {
  public let number: Int32
  private let isClosed = Atomic<Bool>(false)

  /// Takes over an open descriptor.
  public init(adopting number: Int32) { self.number = number }
  deinit { closeEarly() }

  /// Closes it now; using it afterwards is our bug. For ends of pipes that a child has inherited.
  public func closeEarly() {
    if !isClosed.exchange(true, ordering: .acquiringAndReleasing) { _ = close(number) }
  }

  public static func open(_ path: String, _ flags: Int32, mode: UInt16 = 0) throws(PosixError) -> Descriptor {
    let number = try retrying("open") { unsafe Int(posix_open_file(path, flags | O_CLOEXEC, UInt32(mode))) }
    return Descriptor(adopting: Int32(truncatingIfNeeded: number))
  }

  public static func isOpen(_ number: Int32) -> Bool { posix_is_open(number) != 0 }

  public static func pipe() throws(PosixError) -> (reader: Descriptor, writer: Descriptor) {
    var ends: [Int32] = [-1, -1]
    if unsafe pipe2(&ends, O_CLOEXEC) < 0 { throw PosixError("pipe") }
    return (Descriptor(adopting: ends[0]), Descriptor(adopting: ends[1]))
  }

  /// Two ends of one byte stream.
  public static func socketPair() throws(PosixError) -> (Descriptor, Descriptor) {
    var ends: [Int32] = [-1, -1]
    let kind = Int32(bitPattern: SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    if unsafe socketpair(AF_UNIX, kind, 0, &ends) < 0 { throw PosixError("socketpair") }
    return (Descriptor(adopting: ends[0]), Descriptor(adopting: ends[1]))
  }

  /// A file in memory, mode 0600, that no name leads to but `/proc/PID/fd/N`.
  public static func inMemory(_ content: [UInt8]) throws(PosixError) -> Descriptor {
    let number = unsafe memfd_create("runbook", UInt32(MFD_CLOEXEC))
    if number < 0 { throw PosixError("memfd_create") }
    let file = Descriptor(adopting: number)
    if fchmod(number, 0o600) < 0 { throw PosixError("fchmod") }
    try file.write(content)
    return file
  }

  public func setNonblocking() throws(PosixError) {
    if posix_set_nonblocking(number) < 0 { throw PosixError("fcntl") }
  }

  /// Makes reads on the other threads' side of a socket end.
  public func shutDown() { _ = shutdown(number, Int32(SHUT_RDWR)) }

  /// At most `limit` bytes; empty at the end, nil if a non-blocking descriptor has nothing yet.
  public func read(limit: Int) throws(PosixError) -> [UInt8]? {
    var code: Int32 = 0
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
      while true {
        let result = unsafe CPosix.read(number, buffer.baseAddress, limit)
        if result < 0, posix_errno() == EINTR { continue }
        if result < 0 { code = posix_errno() }
        count = max(result, 0)
        return
      }
    }
    if code == EAGAIN { return nil }
    if code != 0 { throw PosixError(code, in: "read") }
    return bytes
  }

  /// Up to `limit` bytes from `offset`, whatever the current position. Room that is not filled is never touched, and
  /// costs nothing.
  public func read(at offset: Int, limit: Int) throws(PosixError) -> [UInt8] {
    var code: Int32 = 0
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
      while count < limit {
        let result = unsafe pread(
          number, buffer.baseAddress?.advanced(by: count), limit - count, off_t(offset + count))
        if result < 0, posix_errno() == EINTR { continue }
        if result < 0 { code = posix_errno() }
        guard result > 0 else { return }
        count += result
      }
    }
    if code != 0 { throw PosixError(code, in: "pread") }
    return bytes
  }

  /// All of it. On a non-blocking descriptor it waits for room.
  public func write(_ bytes: [UInt8]) throws(PosixError) {
    var done = 0
    while done < bytes.count { done += try writeSome(bytes, from: done, waiting: true) }
  }

  /// All of it from `offset` on, whatever the current position.
  public func write(_ bytes: ArraySlice<UInt8>, at offset: Int) throws(PosixError) {
    var done = 0
    while done < bytes.count {
      done += try retrying("pwrite") {
        unsafe bytes.withUnsafeBytes {
          unsafe pwrite(number, $0.baseAddress?.advanced(by: done), bytes.count - done, off_t(offset + done))
        }
      }
    }
  }

  /// What fits now of `bytes[from...]`; 0 if a non-blocking descriptor takes nothing and `waiting` is false.
  public func writeSome(_ bytes: [UInt8], from start: Int, waiting: Bool = false) throws(PosixError) -> Int {
    while true {
      let count = unsafe bytes.withUnsafeBytes {
        unsafe CPosix.write(number, $0.baseAddress?.advanced(by: start), bytes.count - start)
      }
      if count >= 0 { return count }
      let code = posix_errno()
      if code == EINTR { continue }
      guard code == EAGAIN else { throw PosixError(code, in: "write") }
      if !waiting { return 0 }
      _ = try Poll.wait(for: [Poll.Interest(number, .writable)], timeout: nil)
    }
  }

  /// To the disk, not only to the kernel.
  public func synchronize() throws(PosixError) {
    if fsync(number) < 0 { throw PosixError("fsync") }
  }

  public func size() throws(PosixError) -> Int { Int(try status().st_size) }

  func status() throws(PosixError) -> stat {
    var status = stat()
    if unsafe fstat(number, &status) < 0 { throw PosixError("fstat") }
    return status
  }
}
