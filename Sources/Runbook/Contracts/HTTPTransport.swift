/// One HTTP exchange. Bodies are bytes; header values may be secrets and are revealed by the transport alone.
public struct HTTPRequest: Sendable {
  public enum Redirects: Sendable, Equatable {
    case none
    /// At most five, same scheme, host and port only.
    case sameHost
  }
  public var method: String
  public var url: String
  public var headers: [(name: String, value: Secret)]
  public var body: [UInt8]?
  /// DNS, TCP and TLS together.
  public var connectTimeout: Duration = .seconds(10)
  /// From the request's last byte to the reply's first.
  public var firstByteTimeout: Duration = .seconds(30)
  /// Longest silence inside the reply.
  public var idleTimeout: Duration = .seconds(30)
  /// All of it.
  public var totalTimeout: Duration = .seconds(60)
  /// A reply longer than this is a failure, not a truncation. Bytes after decompression.
  public var bodyLimit: Int = 8 << 20
  public var caFile: String?
  public var redirects: Redirects = .none
  /// `http://` to anything but loopback is refused unless this is set.
  public var allowsPlainHTTP = false
  /// Repeating it does no harm and changes nothing.
  public var isRead = false
  /// Asked when the connection stands and the request is about to leave, redirects included; nil: it may.
  public var tenure: (any Tenure)?

  public init(_ method: String, _ url: String, headers: [(name: String, value: Secret)] = [], body: [UInt8]? = nil) {
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body
  }
}

public struct HTTPResponse: Sendable {
  public var status: Int
  /// Lower-case names, in order of arrival.
  public var headers: [(name: String, value: String)]
  public var body: [UInt8]
  public var duration: Duration
  public init(
    status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = [], duration: Duration = .zero
  ) {
    self.status = status
    self.headers = headers
    self.body = body
    self.duration = duration
  }
  public func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
}

/// Why there is no response.
public struct HTTPFailure: Error, Sendable, Equatable {
  public enum Kind: String, Sendable {
    case badURL, refusedAddress, lookup, connect, tls, certificate, timeout, reset, tooLarge, badReply, cancelled
  }
  public var kind: Kind
  /// One sentence with host and port, never a header or a body.
  public var message: String
  /// No byte of the request left: certainly no effect.
  public var beforeFirstByte: Bool
  public init(_ kind: Kind, _ message: String, beforeFirstByte: Bool) {
    self.kind = kind
    self.message = message
    self.beforeFirstByte = beforeFirstByte
  }
}

public protocol HTTPTransport: Sendable {
  /// Returns whatever status the other side answered. Cancelling the task aborts the exchange (`.cancelled`).
  func send(_ request: HTTPRequest) async throws(HTTPFailure) -> HTTPResponse
}
