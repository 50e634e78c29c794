import Crypto
import ProviderKit
import Runbook

extension SimulatedZStack {
  /// Who may log in, which sessions hold without a log-in at this twin, and which access keys there are.
  package enum AcceptedCredentials: Sendable, Equatable {
    /// The accounts `admin` with the documents' password `password`, and `ops` with `Correct-horse-7`; the access key
    /// `LTAIzstackexample` with the secret `zstack-access-key-secret`; and sessions that were opened elsewhere.
    case wellFormed
    /// Any but empty ones: for sealed simulations with placeholder secrets.
    case any
  }
}

/// Sessions by id. One ends two hours after the log-in, however much it is used, unless it is renewed.
struct ZStackTwinSessions: Sendable {
  static let life: Duration = .seconds(7200)
  static let limit = 500
  static let account = "36c27e8ff05c4780bf6d2fa65700f22e"
  private static let accounts = [(name: "admin", password: "password"), (name: "ops", password: "Correct-horse-7")]
  private static let keys = [(id: "LTAIzstackexample", secret: "zstack-access-key-secret")]

  private let credentials: SimulatedZStack.AcceptedCredentials
  private var endsAt: [String: Timestamp] = [:]
  private var ended: Set<String> = []
  /// Whether sessions that were opened elsewhere, and access keys, are good.
  private var admitsOthers = true
  private var random: TwinRandom

  init(_ credentials: SimulatedZStack.AcceptedCredentials, seed: UInt64) {
    self.credentials = credentials
    random = TwinRandom(seed: seed ^ 0x2e55_10f5)
  }

  /// - Returns: the session and its end; or the error object's code and text.
  mutating func logIn(
    _ account: String?, _ digest: String?, _ now: Timestamp
  ) throws(ZStackTwinError) -> (id: String, endsAt: Timestamp) {
    guard let account, let digest, accepts(account, digest) else {
      throw ZStackTwinError("ID.1000", "Login failed", "wrong account name or password")
    }
    endsAt = endsAt.filter { $0.value > now }
    guard endsAt.count < ZStackTwinSessions.limit else {
      throw ZStackTwinError("ID.1006", "Too many sessions", "there are \(ZStackTwinSessions.limit) sessions already")
    }
    let id = ZStackWorld.uuid(&random)
    let end = now + ZStackTwinSessions.life
    endsAt[id] = end
    return (id, end)
  }

  private func accepts(_ account: String, _ digest: String) -> Bool {
    switch credentials {
    case .any: !account.isEmpty && !digest.isEmpty
    case .wellFormed:
      ZStackTwinSessions.accounts.contains { known in
        known.name == account && (try? Digests.sha512(Array(known.password.utf8)))?.hexadecimal == digest
      }
    }
  }

  mutating func renew(_ id: String, by life: Duration, _ now: Timestamp) throws(ZStackTwinError) {
    guard isValid(id, now) else { throw .session }
    endsAt[id] = now + life
  }

  mutating func end(_ id: String) {
    endsAt[id] = nil
    ended.insert(id)
  }

  /// None is good any more, and no access key: only a log-in helps.
  mutating func endAll() {
    for id in endsAt.keys { end(id) }
    admitsOthers = false
  }

  func isValid(_ id: String, _ now: Timestamp) -> Bool {
    if let end = endsAt[id] { return now < end }
    guard admitsOthers, !ended.contains(id) else { return false }
    // Opened elsewhere, and prolonged there for as long as anybody asks.
    switch credentials {
    case .any: return !id.isEmpty
    case .wellFormed:
      return id.utf8.count == 32
        && id.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
  }

  /// Passes a request, or says what becomes of it.
  func admit(_ call: ZStackTwinCall, _ now: Timestamp) throws(ZStackTwinRefusal) -> ZStackTwinError? {
    guard let header = call.authorization else { throw ZStackTwinRefusal(400, "missing header: Authorization") }
    if header.hasPrefix("OAuth ") {
      return isValid(String(header.dropFirst("OAuth ".count)), now) ? nil : .session
    }
    guard header.hasPrefix("ZStack "), let colon = header.firstIndex(of: ":") else {
      throw ZStackTwinRefusal(400, "the header Authorization is malformed")
    }
    guard let date = call.date, let sentAt = ZStackTwinTime.httpDate(date) else {
      throw ZStackTwinRefusal(400, "the header Date is missing or malformed")
    }
    guard abs((sentAt - now).components.seconds) <= 900 else { throw ZStackTwinRefusal(403, "requestTimeTooSkewed") }
    let id = header[..<colon].dropFirst("ZStack ".count)
    let signature = header[header.index(after: colon)...]
    guard admitsOthers else { return .session }
    if credentials == .any { return id.isEmpty || signature.isEmpty ? .session : nil }
    guard let key = ZStackTwinSessions.keys.first(where: { $0.id == id }) else { return .session }
    let text = "\(call.method)\n\(date)\n\(call.signedPath)"
    let code = try? Digests.hmacSHA1(Array(text.utf8), key: Array(key.secret.utf8))
    return code.map { ZStackTwinSessions.base64($0) } == String(signature) ? nil : .session
  }

  private static func base64(_ bytes: [UInt8]) -> String {
    let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".unicodeScalars)
    var text = ""
    var index = 0
    while index < bytes.count {
      let some = bytes[index..<min(index + 3, bytes.count)]
      let bits = some.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - some.count))
      for place in 0..<4 {
        if place <= some.count {
          text.unicodeScalars.append(digits[Int(bits >> UInt32(18 - 6 * place) & 63)])
        } else {
          text += "="
        }
      }
      index += 3
    }
    return text
  }
}

/// Times as ZStack writes and reads them.
enum ZStackTwinTime {
  private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

  /// `Nov 14, 2017 10:20:57 PM`, as a clock so far east of UTC shows it.
  static func local(_ time: Timestamp, zone: Int64) -> String {
    let text = Timestamp(seconds: time.seconds + zone).description
    let numbers = text.dropLast().split { "-T:".contains($0) }.compactMap { Int($0) }
    guard numbers.count == 6, (1...12).contains(numbers[1]) else { return text }
    let hour = numbers[3] % 12 == 0 ? 12 : numbers[3] % 12
    let two = { (number: Int) in (number < 10 ? "0" : "") + String(number) }
    return "\(months[numbers[1] - 1]) \(numbers[2]), \(numbers[0]) \(hour):\(two(numbers[4])):\(two(numbers[5])) "
      + (numbers[3] < 12 ? "AM" : "PM")
  }

  /// The seconds that such a text, or `2017-11-14 22:20:57`, stands for on the same clock; nil for anything else.
  static func seconds(_ text: String) -> Int64? {
    guard text.utf8.count <= 32 else { return nil }
    let parts = text.split { " ,:-".contains($0) }.map { String($0) }
    if parts.count == 6, parts[0].utf8.count == 4 { return seconds(parts) }
    guard parts.count == 7, let month = months.firstIndex(of: parts[0]), let hour = Int(parts[3]),
      (1...12).contains(hour), parts[6] == "AM" || parts[6] == "PM"
    else { return nil }
    return seconds([
      parts[2], String(month + 1), parts[1], String(hour % 12 + (parts[6] == "PM" ? 12 : 0)), parts[4], parts[5],
    ])
  }

  private static func seconds(_ parts: [String]) -> Int64? {
    let two = parts.map { $0.utf8.count < 2 ? "0" + $0 : $0 }
    return Timestamp("\(two[0])-\(two[1])-\(two[2])T\(two[3]):\(two[4]):\(two[5])Z")?.seconds
  }

  /// `Thu, 16 Jan 2025 16:15:30 GMT`; nil for anything else.
  static func httpDate(_ text: String) -> Timestamp? { HTTPDate.read(text) }
}
