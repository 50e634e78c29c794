import CPosix

/// Why no TCP connection came about. No byte was sent.
public enum TCPFailure: Error, Sendable, Equatable {
  case lookup(String)
  case refused
  case timeout
  case failed(PosixError)

  /// To follow "host:port": "refused the connection".
  public var reason: String {
    switch self {
    case .lookup(let text): "cannot be looked up: \(text)"
    case .refused: "refused the connection"
    case .timeout: "did not answer in time"
    case .failed(let error): "cannot be reached: \(error.reason)"
    }
  }
}

public enum TCP {
  /// Connects to the first address that answers and closes the connection. Blocks; the look-up itself obeys the
  /// resolver's own limits and not `timeout`.
  public static func probe(host: String, port: Int, timeout: Duration) throws(TCPFailure) {
    let deadline = Monotonic.now + timeout
    var hints = unsafe addrinfo()
    unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    unsafe hints.ai_flags = AI_NUMERICSERV
    var list: UnsafeMutablePointer<addrinfo>?
    let code = unsafe getaddrinfo(host, String(port), &hints, &list)
    guard code == 0 else { throw .lookup(unsafe String(cString: gai_strerror(code))) }
    defer { unsafe freeaddrinfo(list) }
    var last = TCPFailure.lookup("it has no address")
    var address = unsafe list
    while let entry = unsafe address {
      do throws(TCPFailure) {
        return try unsafe connect(entry.pointee, deadline: deadline)
      } catch {
        last = error
      }
      unsafe address = entry.pointee.ai_next
    }
    throw last
  }

  private static func connect(_ address: addrinfo, deadline: Duration) throws(TCPFailure) {
    do throws(PosixError) {
      let kind = Int32(bitPattern: SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
      let number = unsafe socket(address.ai_family, kind, 0)
      if number < 0 { throw PosixError("socket") }
      let endpoint = Descriptor(adopting: number)
      if unsafe posix_connect(endpoint.number, address.ai_addr, address.ai_addrlen) == 0 { return }
      let code = posix_errno()
      if code != EINPROGRESS, code != EINTR { throw PosixError(code, in: "connect") }
      let ready = try Poll.wait(for: [Poll.Interest(number, .writable)], timeout: max(deadline - Monotonic.now, .zero))
      if ready == [false] { throw PosixError(ETIMEDOUT, in: "connect") }
      let result = posix_socket_error(endpoint.number)
      if result != 0 { throw PosixError(result, in: "connect") }
    } catch {
      switch error.code {
      case ECONNREFUSED: throw .refused
      case ETIMEDOUT: throw .timeout
      default: throw .failed(error)
      }
    }
  }
}
