import Synchronization

/// Time zones by name (`Europe/Berlin`), from the machine's own database. Where there is none, names are refused.
public enum TimeZones {
  private struct State {
    var read: (@Sendable (String) -> [UInt8]?)?
    var known: [String: Zone] = [:]
  }
  private static let state = Mutex(State())

  /// - Parameter read: gives the file of a zone (TZif, RFC 9636), or nil if there is no such zone. Called once for each
  ///   name, with a relative path that leads nowhere else.
  public static func install(_ read: @escaping @Sendable (String) -> [UInt8]?) {
    state.withLock { $0 = State(read: read) }
  }

  /// Seconds east of UTC; nil: there is no such zone, or nothing is known of it at this time.
  static func offset(of name: String, at instant: Timestamp) -> Int64? {
    guard isName(name) else { return nil }
    let zone = state.withLock { state -> Zone? in
      if let known = state.known[name] { return known }
      guard let bytes = state.read?(name), let zone = Zone(bytes) else { return nil }
      state.known[name] = zone
      return zone
    }
    return zone?.offset(at: instant.seconds)
  }

  /// No dot, so that no path leads out of the database.
  private static func isName(_ name: String) -> Bool {
    guard name.utf8.count <= 64, let first = name.utf8.first, isLetter(first) else { return false }
    return name.utf8.allSatisfy { isLetter($0) || $0 >= 0x30 && $0 <= 0x39 || "/_+-".utf8.contains($0) }
  }

  private static func isLetter(_ byte: UInt8) -> Bool { byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7a }

  /// The offsets of one zone, from the second block of its file, whose times have 64 bits.
  struct Zone: Sendable {
    private var times: [Int64] = []
    private var kinds: [Int] = []
    private var offsets: [Int64] = []
    /// For times after the last one. nil: the last offset goes on.
    private var rule: TimeZoneRule?
    /// The rule is none that can be read: nothing is known after the last time.
    private var isRuleUnknown = false

    /// nil: it is no such file.
    init?(_ bytes: [UInt8]) {
      var reader = Reader(bytes: bytes)
      guard let first = reader.header(), first.version >= 0x32 else { return nil }
      reader.position += first.size(timeBytes: 4)
      guard let header = reader.header(), header.size(timeBytes: 8) <= bytes.count - reader.position,
        header.kinds > 0
      else { return nil }
      for _ in 0..<header.times { times.append(reader.number(8)) }
      for _ in 0..<header.times { kinds.append(Int(truncatingIfNeeded: reader.number(1))) }
      for _ in 0..<header.kinds {
        offsets.append(Int64(Int32(truncatingIfNeeded: reader.number(4))))
        reader.position += 2
      }
      guard kinds.allSatisfy({ offsets.indices.contains($0) }) else { return nil }
      reader.position += header.letters + header.leaps * 12 + header.marks
      let text = bytes[min(reader.position, bytes.count)...].drop { $0 == 0x0a }.prefix { $0 != 0x0a }
      rule = TimeZoneRule(String(decoding: text, as: UTF8.self))
      isRuleUnknown = rule == nil && text.contains(UInt8(ascii: ","))
    }

    func offset(at seconds: Int64) -> Int64? {
      var (low, high) = (0, times.count)
      while low < high {
        let middle = low + (high - low) / 2
        if times[middle] <= seconds { low = middle + 1 } else { high = middle }
      }
      if low == times.count, isRuleUnknown { return nil }
      if low == times.count, let rule { return rule.offset(at: seconds) }
      return low == 0 ? offsets[0] : offsets[kinds[low - 1]]
    }
  }

  private struct Header {
    var version: UInt8
    var times: Int
    var kinds: Int
    /// Bytes of abbreviations.
    var letters: Int
    var leaps: Int
    /// Bytes of the two lists that follow the leap seconds.
    var marks: Int
    func size(timeBytes: Int) -> Int { times * (timeBytes + 1) + kinds * 6 + letters + leaps * (timeBytes + 4) + marks }
  }

  /// Big-endian numbers, never beyond the end.
  private struct Reader {
    let bytes: [UInt8]
    var position = 0

    mutating func number(_ count: Int) -> Int64 {
      var value: UInt64 = 0
      for _ in 0..<count {
        value = value << 8 | UInt64(bytes.indices.contains(position) ? bytes[position] : 0)
        position += 1
      }
      return Int64(bitPattern: value)
    }

    mutating func header() -> Header? {
      guard position >= 0, bytes.count - position >= 44, bytes[position...].starts(with: Array("TZif".utf8)) else {
        return nil
      }
      let version = bytes[position + 4]
      position += 20
      let counts = (0..<6).map { _ in Int(truncatingIfNeeded: number(4)) }
      guard counts.allSatisfy({ (0...100_000).contains($0) }) else { return nil }
      return Header(
        version: version, times: counts[3], kinds: counts[4], letters: counts[5], leaps: counts[2],
        marks: counts[0] + counts[1])
    }
  }
}
