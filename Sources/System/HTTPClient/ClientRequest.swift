/// One HTTP exchange to make. Describes itself by its method alone: URL, headers and body may hold secrets.
public struct ClientRequest: Sendable, CustomStringConvertible, CustomReflectable {
  public enum Redirects: Sendable {
    /// A 3xx is the answer.
    case none
    /// At most five, to the same scheme, host and port; any other 3xx is the answer.
    case sameHost
  }

  public var method: String
  /// `http://` or `https://`, without user and password.
  public var url: String
  public var headers: [(name: String, value: String)]
  public var body: [UInt8]?
  /// Look-up, TCP and TLS together. Default 10 s.
  public var connectTimeout: Duration = .seconds(10)
  /// From the request's last byte to the reply's first. Default 30 s.
  public var firstByteTimeout: Duration = .seconds(30)
  /// Longest silence while the request is sent or inside the reply. Default 30 s.
  public var idleTimeout: Duration = .seconds(30)
  /// All of it, redirects included. Default 60 s.
  public var totalTimeout: Duration = .seconds(60)
  /// A longer reply is a failure. Bytes after decompression. Default 8 MiB.
  public var bodyLimit = 8 << 20
  /// PEM file of the authorities to trust instead of the system's.
  public var caFile: String?
  public var redirects = Redirects.none
  /// `http://` to anything but loopback is refused unless this is set.
  public var allowsPlainHTTP = false
  /// Asked each time the request is about to leave; nil: it may.
  public var departure: (any Departure)?

  public init(
    _ method: String, _ url: String, headers: [(name: String, value: String)] = [], body: [UInt8]? = nil
  ) {
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body
  }

  public var description: String { "\(method) request" }
  public var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// Whether a request may leave, asked at the last moment: the connection stands, and no byte of the request has left.
/// Called under the client's lock: it must not block.
public protocol Departure: Sendable {
  /// False: it stays here, and the exchange fails.
  func begin() -> Bool
  /// The last byte has left, or nothing more will. Once for each `begin` that said yes.
  func end()
}

/// An answer, whatever its status.
public struct ClientResponse: Sendable {
  public var status: Int
  /// Lower-case names, in order of arrival.
  public var headers: [(name: String, value: String)]
  public var body: [UInt8]
  public var duration: Duration

  public func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
}

/// Why there is no answer.
public struct ClientFailure: Error, Sendable, Equatable {
  public enum Kind: String, Sendable {
    /// libcurl is not installed.
    case unavailable
    /// The request cannot be made as it is written: URL, method, header.
    case badURL
    /// A link-local or metadata address, or `http://` beyond loopback.
    case refusedAddress
    case lookup, connect, tls, timeout
    /// The other side's certificate is refused, or the file of trusted authorities is none: the same again next time.
    case certificate
    /// The connection broke after the request had begun to leave.
    case reset
    case tooLarge, badReply, cancelled
  }
  public var kind: Kind
  /// One sentence with host and port, never a path, a header or a body.
  public var message: String
  /// No byte of the request left: certainly no effect.
  public var beforeFirstByte: Bool

  public init(_ kind: Kind, _ message: String, beforeFirstByte: Bool) {
    self.kind = kind
    self.message = message
    self.beforeFirstByte = beforeFirstByte
  }
}
