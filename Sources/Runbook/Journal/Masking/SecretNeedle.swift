/// The bytes that are searched for in one reading of a text.
struct SecretNeedle: Sendable {
  /// How the text is read while it is searched.
  enum Reading: Hashable, Sendable {
    case plain
    /// Digits of base64, whatever space or line breaks stand between them.
    case base64(Base64Place)
    /// Hexadecimal digits, whatever separates them.
    case hex(isUpper: Bool)
  }

  struct Base64Place: Hashable, Sendable {
    let alignment: Int
    let isURL: Bool
  }

  let unit: Int
  let reading: Reading
  let bytes: [UInt8]
}

/// Finds the needles that may begin at a place, by their first six bytes.
struct NeedleIndex: Sendable {
  /// Bytes of a window, and of the shortest needle.
  static let width = 6
  static let mask: UInt64 = 0xffff_ffff_ffff

  private(set) var needles: [SecretNeedle] = []
  /// One bit for each hash of a window: says no in nearly all places.
  private var bits = [UInt64](repeating: 0, count: 1024)
  private var starts: [UInt64: [Int]] = [:]
  private var known: Set<[UInt8]> = []

  var isEmpty: Bool { needles.isEmpty }

  /// Of two that are alike the first one stays.
  mutating func add(_ needle: SecretNeedle) {
    guard needle.bytes.count >= NeedleIndex.width, known.insert(needle.bytes).inserted else { return }
    let window = needle.bytes.prefix(NeedleIndex.width).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    let hash = NeedleIndex.hash(window)
    bits[hash >> 6] |= 1 << UInt64(hash & 63)
    starts[window, default: []].append(needles.count)
    needles.append(needle)
  }

  /// Done with adding.
  mutating func seal() { known = [] }

  @inline(__always)
  private static func hash(_ window: UInt64) -> Int { Int(truncatingIfNeeded: (window &* 0x9e37_79b9_7f4a_7c15) >> 48) }

  @inline(__always)
  func mayBegin(with window: UInt64) -> Bool {
    let hash = NeedleIndex.hash(window)
    return bits[hash >> 6] >> UInt64(hash & 63) & 1 == 1
  }

  /// Indices into `needles`.
  func candidates(_ window: UInt64) -> [Int] { starts[window] ?? [] }
}

/// A secret in a text.
struct SecretMatch {
  /// How what stands there has to be read.
  enum Reading: Equatable {
    case plain
    case escaped(EscapedReading)
    case base64(Base64Form)
    case hex(isUpper: Bool)
  }

  var range: Range<Int>
  let unit: Int
  let reading: Reading
}

/// A stretch of a text that a form of a secret gives.
struct SecretStretch {
  /// In the text.
  var range: Range<Int>
  let name: String
  let form: String
  /// The stretch of what the form gives; nil: to its end.
  var from = 0
  var to: Int?

  var formWithSlice: String { from == 0 && to == nil ? form : "\(form)@\(from)-\(to.map { String($0) } ?? "")" }

  /// Without what stands before a place of the text.
  func after(_ place: Int) -> SecretStretch? {
    guard place < range.upperBound else { return nil }
    guard place > range.lowerBound else { return self }
    var rest = self
    rest.from += place - range.lowerBound
    rest.range = place..<range.upperBound
    return rest
  }
}
