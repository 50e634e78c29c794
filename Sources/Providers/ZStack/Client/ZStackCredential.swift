import Crypto
import ProviderKit
import Runbook

/// How requests prove whose they are.
enum ZStackCredential: Sendable {
  /// A session that somebody else opened; it is neither prolonged nor replaced.
  case session(Secret)
  /// A password, for which sessions are opened.
  case account(name: String, password: Secret)
  case accessKey(id: String, secret: Secret)

  /// Exactly one of the three ways.
  init(_ settings: Arguments) throws(StepFailure) {
    let session = try settings.secret("session")
    let password = try settings.secret("password")
    let account = try settings.optionalText("account")
    let key = try settings.revealed("access_key_id")
    let keySecret = try settings.secret("access_key_secret")
    switch (session, account, password, key, keySecret) {
    case (let session?, nil, nil, nil, nil): self = .session(session)
    case (nil, let account?, let password?, nil, nil): self = .account(name: account, password: password)
    case (nil, nil, nil, let key?, let secret?): self = .accessKey(id: key, secret: secret)
    default:
      throw StepFailure(
        .input,
        "ZStack needs one of `session`, `account` with `password`, or `access_key_id` with `access_key_secret`")
    }
  }

  /// Whether a session that is refused can be replaced.
  var canLogIn: Bool { if case .account = self { true } else { false } }

  /// Masked in all that is shown.
  var secrets: [Secret] {
    switch self {
    case .session(let session): [session]
    case .account(_, let password): [password]
    case .accessKey(_, let secret): [secret]
    }
  }

  /// "the password (`zstack_password`)".
  var text: String {
    let (word, secret): (String, Secret) =
      switch self {
      case .session(let session): ("the session", session)
      case .account(let name, let password): ("the password of account `\(name.excerpt(60))`", password)
      case .accessKey(_, let secret): ("the access key", secret)
      }
    return secret.names.isEmpty ? word : "\(word) (\(secret.names.map { "`\($0)`" }.joined(separator: ", ")))"
  }

  /// The hex SHA-512 that a log-in sends: as good as the password, so a secret as well.
  static func digest(_ password: Secret) throws(StepFailure) -> Secret {
    do { return Secret(Hex.text(try Digests.sha512(Array(password.reveal().utf8))), named: password.names) } catch {
      throw StepFailure(.input, error.message)
    }
  }

  /// Headers of a request signed with an access key: `METHOD \n DATE \n /v1/path`, HMAC-SHA1, base64.
  static func signed(
    _ request: ZStackRequest, id: String, secret: Secret, at now: Timestamp
  ) throws(StepFailure) -> [(name: String, value: Secret)] {
    let date = ZStackTime.httpDate(now)
    let text = "\(request.method)\n\(date)\n\(request.signedPath)"
    let code: [UInt8]
    do { code = try Digests.hmacSHA1(Array(text.utf8), key: Array(secret.reveal().utf8)) } catch {
      throw StepFailure(.input, error.message)
    }
    return [
      (name: "Date", value: .plain(date)),
      (name: "Authorization", value: Secret("ZStack \(id):\(code.base64)", named: secret.names)),
    ]
  }
}

extension Arguments {
  /// Text that is kept as a secret even if it was written in the clear; nil if it is missing.
  func secret(_ name: String) throws(StepFailure) -> Secret? {
    if case .secret(let secret)? = self[name] { return secret.isEmpty ? nil : secret }
    return try optionalText(name).flatMap { $0.isEmpty ? nil : Secret($0, named: []) }
  }
}
