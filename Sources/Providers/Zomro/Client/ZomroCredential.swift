import Crypto
import Runbook

/// How an account is entered.
enum ZomroCredential: Sendable {
  /// A session that was opened elsewhere.
  case session(Secret)
  /// Logs in, and again when the session has ended.
  case login(username: String, password: Secret, secondFactor: ZomroSecondFactor?)
  /// User and password on every call.
  case authinfo(username: String, password: Secret)

  /// Masked in whatever is shown of an answer.
  var secrets: [Secret] {
    switch self {
    case .session(let id): [id]
    case .login(_, let password, let factor): [password] + (factor.map { [$0.secret] } ?? [])
    case .authinfo(_, let password): [password]
    }
  }

  /// For messages: what to look at when it is refused.
  var text: String {
    switch self {
    case .session(let id): ZomroCredential.named(id, "session")
    case .login(_, let password, _), .authinfo(_, let password): ZomroCredential.named(password, "password")
    }
  }

  private static func named(_ secret: Secret, _ field: String) -> String {
    secret.names.isEmpty
      ? "`\(field)`" : "`\(field)` (\(secret.names.map { "`\($0)`" }.joined(separator: ", ")))"
  }
}

/// What `totp` holds: a code of six digits, good once, or the base32 secret from which codes are made (RFC 6238: six
/// digits, every 30 s, SHA-1).
struct ZomroSecondFactor: Sendable {
  let secret: Secret

  /// - Throws: `input` if it is neither. Looked at when a code is wanted, not before: a simulation wants none.
  func code(at now: Timestamp) throws(StepFailure) -> Secret {
    let text = secret.reveal()
    if ZomroSecondFactor.isCode(text) { return secret }
    guard let key = ZomroSecondFactor.key(text) else {
      throw StepFailure.unfit("`totp` of Zomro must be a code of six digits, or the secret in base32")
    }
    do throws(CryptoFailure) {
      return Secret(try ZomroSecondFactor.code(key, counter: max(now.seconds, 0) / 30), named: secret.names)
    } catch { throw StepFailure(.input, error.message) }
  }

  /// RFC 4226: 31 bits of the digest from where its last half byte says, six decimal digits of them.
  static func code(_ key: [UInt8], counter: Int64) throws(CryptoFailure) -> String {
    let message = (0..<8).reversed().map { UInt8(truncatingIfNeeded: counter >> ($0 * 8)) }
    let digest = try Digests.hmacSHA1(message, key: key)
    let start = Int((digest.last ?? 0) & 0xf)
    let number = digest.dropFirst(start).prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7fff_ffff
    let digits = String(number % 1_000_000)
    return String(repeating: "0", count: max(0, 6 - digits.utf8.count)) + digits
  }

  private static func isCode(_ text: String) -> Bool {
    text.utf8.count == 6 && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
  }

  /// Base32 as authenticators show it: letters of either case, blanks and `=` left out; nil for anything else.
  static func key(_ text: String) -> [UInt8]? {
    var bytes: [UInt8] = []
    var bits: UInt32 = 0
    var count = 0
    for byte in text.utf8 where byte != UInt8(ascii: " ") && byte != UInt8(ascii: "=") && byte != UInt8(ascii: "-") {
      let value: UInt8
      switch byte {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = byte - UInt8(ascii: "A")
      case UInt8(ascii: "a")...UInt8(ascii: "z"): value = byte - UInt8(ascii: "a")
      case UInt8(ascii: "2")...UInt8(ascii: "7"): value = byte - UInt8(ascii: "2") + 26
      default: return nil
      }
      bits = (bits & 0xff) << 5 | UInt32(value)
      count += 5
      if count >= 8 {
        count -= 8
        bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
      }
    }
    return bytes.count >= 10 ? bytes : nil
  }
}
