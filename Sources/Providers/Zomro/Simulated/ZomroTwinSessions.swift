import ProviderKit
import Runbook

extension SimulatedZomro {
  /// Who may log in, and which session ids hold without a log-in at this twin.
  package enum AcceptedCredentials: Sendable, Equatable {
    /// Session ids of 24 lower-case hexadecimal digits; any user name with a password of 8 to 48 letters and digits,
    /// an upper-case letter, a lower-case letter and a digit among them.
    case wellFormed
    /// This user alone, and only sessions that the twin gave out.
    case exactly(username: String, password: String)
    /// Any but empty ones: for sealed simulations with placeholder secrets.
    case any
  }
}

/// Sessions by id. One ends an hour after its last request.
struct ZomroTwinSessions: Sendable {
  private struct Session: Sendable {
    var lastUsedAt: Timestamp
    /// The second factor has not been given yet.
    var isTemporary = false
  }

  static let idleLimit = Duration.seconds(3600)

  /// So many failed log-ins in a row block the client for a while; how many and how long no document says.
  static let mostFailures = 10
  static let lockOut = Duration.seconds(1800)

  private let credentials: SimulatedZomro.AcceptedCredentials
  private var failures = 0
  private var lockedUntil: Timestamp?
  private var live: [String: Session] = [:]
  /// Ended ones: none of them is taken for a good one again.
  private var ended: Set<String> = []
  private var random: TwinRandom

  init(_ credentials: SimulatedZomro.AcceptedCredentials, seed: UInt64) {
    self.credentials = credentials
    random = TwinRandom(seed: seed ^ 0x5e55_10f5)
  }

  /// - Returns: the id of a new session.
  mutating func logIn(
    _ username: String, _ password: String, isTemporary: Bool, _ now: Timestamp
  ) throws(ZomroTwinRefusal) -> String {
    try check(username, password, now)
    return open(isTemporary: isTemporary, now)
  }

  private mutating func check(_ username: String, _ password: String, _ now: Timestamp) throws(ZomroTwinRefusal) {
    if accepts(username, password) {
      failures = 0
      return
    }
    failures += 1
    if failures >= ZomroTwinSessions.mostFailures {
      failures = 0
      lockedUntil = now + ZomroTwinSessions.lockOut
    }
    throw .badPassword
  }

  func isLockedOut(_ now: Timestamp) -> Bool { lockedUntil.map { now < $0 } ?? false }

  private mutating func open(isTemporary: Bool, _ now: Timestamp) -> String {
    let id = (0..<2).map { _ in
      let digits = String(random.draw(0...0xffff_ffff_ffff), radix: 16)
      return String(repeating: "0", count: max(0, 12 - digits.utf8.count)) + digits
    }.joined()
    live[id] = Session(lastUsedAt: now, isTemporary: isTemporary)
    return id
  }

  /// - Returns: a session in place of the temporary one.
  mutating func confirm(_ id: String, _ now: Timestamp) -> String {
    end(id)
    return open(isTemporary: false, now)
  }

  /// Passes a request with a live session, or with user and password.
  /// - Parameter admitsTemporary: a session whose second factor is missing will do.
  mutating func admit(_ form: ZomroTwinForm, admitsTemporary: Bool, _ now: Timestamp) throws(ZomroTwinRefusal) {
    if let id = form["auth"] {
      guard let session = find(id, now) else { throw .access }
      guard admitsTemporary || !session.isTemporary else { throw .access }
      live[id]?.lastUsedAt = now
      return
    }
    guard let pair = form["authinfo"] else { throw .access }
    let halves = pair.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    try check(halves.first.map { String($0) } ?? "", halves.count == 2 ? String(halves[1]) : "", now)
  }

  private mutating func find(_ id: String, _ now: Timestamp) -> Session? {
    if let session = live[id] {
      if now - session.lastUsedAt <= ZomroTwinSessions.idleLimit { return session }
      end(id)
    }
    guard !ended.contains(id), isKnownElsewhere(id) else { return nil }
    let session = Session(lastUsedAt: now)
    live[id] = session
    return session
  }

  func isTemporary(_ id: String?) -> Bool { id.flatMap { live[$0]?.isTemporary } ?? false }

  mutating func end(_ id: String) {
    live[id] = nil
    ended.insert(id)
  }

  /// A session that was opened somewhere else, on the web.
  private func isKnownElsewhere(_ id: String) -> Bool {
    switch credentials {
    case .any: id.utf8.count <= 1000
    case .exactly: false
    case .wellFormed:
      id.utf8.count == 24
        && id.utf8.allSatisfy {
          (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
        }
    }
  }

  private func accepts(_ username: String, _ password: String) -> Bool {
    switch credentials {
    case .any: !username.isEmpty && !password.isEmpty
    case .exactly(let name, let word): username == name && password == word
    case .wellFormed:
      !username.isEmpty && ZomroTwinPassword.isAccepted(password)
        && password.unicodeScalars.allSatisfy { $0.properties.isAlphabetic || $0.properties.numericType != nil }
    }
  }
}

/// The rule for passwords of servers.
enum ZomroTwinPassword {
  /// 8 to 48 printable ASCII characters without spaces and without `"#%&'()*;<>?@|`, an upper-case letter, a
  /// lower-case letter and a digit among them.
  static func isAccepted(_ password: String) -> Bool {
    let bytes = Array(password.utf8)
    guard (8...48).contains(bytes.count), bytes.allSatisfy({ (0x21...0x7e).contains($0) }) else { return false }
    guard !bytes.contains(where: { Array("\"#%&'()*;<>?@|".utf8).contains($0) }) else { return false }
    return bytes.contains { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }
      && bytes.contains { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }
      && bytes.contains { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
  }
}
