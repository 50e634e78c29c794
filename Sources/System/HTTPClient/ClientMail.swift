/// One mail to hand to a server by SMTP. Describes itself by its server alone: what it says is nobody's business.
public struct ClientMail: Sendable, CustomStringConvertible, CustomReflectable {
  public enum Security: Sendable, Equatable {
    /// Begins in the clear and must turn to TLS before anything is said.
    case starttls
    /// TLS from the first byte.
    case tls
    /// In the clear. A password then goes to loopback alone.
    case none
  }

  /// A name, an IPv4 address, or an IPv6 address without brackets.
  public var host: String
  public var port: Int
  public var security = Security.starttls
  /// Both or neither.
  public var login: (user: String, password: String)?
  /// PEM file of the authorities to trust instead of the system's.
  public var caFile: String?
  /// Addresses without names and brackets: `ops@example.com`.
  public var sender: String
  public var recipients: [String]
  /// Headers and text, lines ended by CRLF. Lines that begin with a dot are stuffed on the way.
  public var message: [UInt8]
  /// All of it, from the look-up to the answer. Default 60 s.
  public var timeout: Duration = .seconds(60)
  /// Asked when the server waits for the message; nil: it may leave.
  public var departure: (any Departure)?

  public init(host: String, port: Int, sender: String, recipients: [String], message: [UInt8]) {
    self.host = host
    self.port = port
    self.sender = sender
    self.recipients = recipients
    self.message = message
  }

  public var description: String { "mail by \(place)" }
  public var customMirror: Mirror { Mirror(self, children: [:]) }

  /// For messages, and behind the scheme of a URL.
  var place: String { host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)" }

  /// - Throws: `.badRequest`, for what libcurl would cut off or read as something else.
  func check() throws(MailFailure) {
    func refuse(_ message: String) -> MailFailure { MailFailure(.badRequest, message) }
    guard !host.isEmpty, host.utf8.count <= 255, host.utf8.allSatisfy(isHostByte) else {
      throw refuse("the mail server's host is no name and no address")
    }
    guard (1...65_535).contains(port) else { throw refuse("the mail server's port must be 1 to 65535") }
    guard !recipients.isEmpty else { throw refuse("the mail has no recipient") }
    for address in [sender] + recipients {
      guard address.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != 0x3c && $0 != 0x3e }), !address.isEmpty else {
        throw refuse("an address of the mail is none")
      }
    }
    if let login, login.user.utf8.contains(0) || login.password.utf8.contains(0) {
      throw refuse("the user or the password for \(place) holds a NUL")
    }
  }

  private func isHostByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: ".-_:".utf8.contains(byte)
    }
  }
}

/// The reply of a mail server: a code of three digits and its words, lines joined by a space.
public struct MailReply: Sendable, Equatable {
  public var code: Int
  /// As they came, at most some KiB.
  public var words: [UInt8]

  public init(code: Int, words: [UInt8]) {
    self.code = code
    self.words = words
  }
}

/// Why a mail was not taken.
public struct MailFailure: Error, Sendable, Equatable {
  public enum Kind: String, Sendable {
    /// libcurl is not installed.
    case unavailable
    /// The mail cannot be sent as it is written.
    case badRequest
    /// A link-local or metadata address, or a password in the clear beyond loopback.
    case refusedAddress
    case lookup, connect, tls, timeout
    /// The other side's certificate is refused, or the file of trusted authorities is none: the same again next time.
    case certificate
    /// The connection broke.
    case broken
    /// The server does not turn to TLS.
    case noTLS
    /// The server takes no password in a way that is spoken here.
    case noLogin
    /// It said no: see `reply`.
    case refused
    /// It does not speak SMTP.
    case badReply
    /// It was not let go (`Departure`).
    case held
    case cancelled
  }
  public var kind: Kind
  /// One sentence with host and port, without the server's words.
  public var message: String
  public var reply: MailReply?
  /// The whole message has left and no answer has come: nobody knows.
  public var mayHaveArrived: Bool

  public init(_ kind: Kind, _ message: String, reply: MailReply? = nil, mayHaveArrived: Bool = false) {
    self.kind = kind
    self.message = message
    self.reply = reply
    self.mayHaveArrived = mayHaveArrived
  }
}
