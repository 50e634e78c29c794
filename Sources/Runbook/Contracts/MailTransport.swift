/// One mail to hand to a server by SMTP. The password is revealed by the transport alone.
public struct MailRequest: Sendable {
  public enum Security: String, Sendable, CaseIterable {
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
  public var security: Security
  public var login: (user: String, password: Secret)?
  public var caFile: String?
  /// Addresses without names and brackets.
  public var sender: String
  public var recipients: [String]
  /// Headers and text (RFC 5322), lines ended by CRLF.
  public var message: [UInt8]
  /// All of it, from the look-up to the answer.
  public var timeout: Duration = .seconds(60)
  /// Asked when the server waits for the message; nil: it may leave.
  public var tenure: (any Tenure)?

  public init(
    host: String, port: Int, security: Security, sender: String, recipients: [String], message: [UInt8]
  ) {
    self.host = host
    self.port = port
    self.security = security
    self.sender = sender
    self.recipients = recipients
    self.message = message
  }
}

/// The reply of a mail server: a code of three digits and its words as they came.
public struct MailAnswer: Sendable, Equatable {
  public var code: Int
  public var words: [UInt8]
  public init(code: Int, words: [UInt8]) {
    self.code = code
    self.words = words
  }
}

/// Why a mail was not taken.
public struct MailRefusal: Error, Sendable, Equatable {
  public enum Kind: String, Sendable {
    /// As it is written it cannot be sent, or not to this address.
    case input
    case lookup, connect, tls, certificate, timeout, broken, cancelled
    /// The server does not turn to TLS, or takes no password.
    case unfit
    /// It said no: see `answer`.
    case refused
    /// The run may belong to another process: nothing was sent.
    case held
  }
  public var kind: Kind
  /// One sentence with host and port, without the server's words.
  public var message: String
  public var answer: MailAnswer?
  /// The whole mail has left and no answer has come: nobody knows.
  public var mayHaveArrived: Bool
  public init(_ kind: Kind, _ message: String, answer: MailAnswer? = nil, mayHaveArrived: Bool = false) {
    self.kind = kind
    self.message = message
    self.answer = answer
    self.mayHaveArrived = mayHaveArrived
  }
}

public protocol MailTransport: Sendable {
  /// Returns what the server said when it had taken the mail for all recipients. Cancelling the task breaks it off
  /// (`.cancelled`).
  func send(_ mail: MailRequest) async throws(MailRefusal) -> MailAnswer
}

/// Where there is no mail.
public struct NoMail: MailTransport {
  public init() {}
  public func send(_ mail: MailRequest) async throws(MailRefusal) -> MailAnswer {
    throw MailRefusal(.input, "no mail can be sent from here")
  }
}
