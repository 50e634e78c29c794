/// A set of Unicode scalars, as ranges.
struct ScalarSet: Sendable {
  private var ranges: [ClosedRange<UInt32>]
  private var isNegated: Bool
  /// Who of ASCII is in it, a bit each: most texts are asked nothing else.
  private(set) var low: UInt64 = 0
  private(set) var high: UInt64 = 0

  init(_ ranges: [ClosedRange<UInt32>], isNegated: Bool = false) {
    self.ranges = ranges
    self.isNegated = isNegated
    for range in ranges where range.lowerBound < 128 {
      for value in range.lowerBound...min(range.upperBound, 127) {
        if value < 64 { low |= 1 << UInt64(value) } else { high |= 1 << UInt64(value - 64) }
      }
    }
    if isNegated { (low, high) = (~low, ~high) }
  }

  init(_ scalar: Unicode.Scalar) { self.init([scalar.value...scalar.value]) }

  static let digit = ScalarSet([0x30...0x39])
  static let word = ScalarSet([0x30...0x39, 0x41...0x5a, 0x5f...0x5f, 0x61...0x7a])
  static let space = ScalarSet([0x09...0x0d, 0x20...0x20])
  static let any = ScalarSet([0...0x10ffff])
  static let notNewline = ScalarSet([0x0a...0x0a], isNegated: true)

  func contains(_ scalar: Unicode.Scalar) -> Bool { contains(scalar.value) }

  func contains(_ value: UInt32) -> Bool { ranges.contains { $0.contains(value) } != isNegated }

  /// The one scalar of a set made of one.
  var single: Unicode.Scalar? {
    guard !isNegated, let range = ranges.first, ranges.count == 1, range.count == 1 else { return nil }
    return Unicode.Scalar(range.lowerBound)
  }

  var negated: ScalarSet { ScalarSet(ranges, isNegated: !isNegated) }

  /// Both as positive ranges: a negated set is turned into what it leaves.
  func union(_ other: ScalarSet) -> ScalarSet { ScalarSet(positive + other.positive) }

  /// The same letters in the other case (simple case mapping, one scalar to one).
  var ignoringCase: ScalarSet {
    guard !isNegated else { return ScalarSet(ranges).ignoringCase.negated }
    var more: [ClosedRange<UInt32>] = []
    for range in ranges where range.count <= 4096 {
      for value in range {
        guard let properties = Unicode.Scalar(value)?.properties else { continue }
        for mapped in [properties.lowercaseMapping, properties.uppercaseMapping] {
          guard mapped.unicodeScalars.count == 1, let other = mapped.unicodeScalars.first?.value, other != value else {
            continue
          }
          more.append(other...other)
        }
      }
    }
    return ScalarSet(ranges + more)
  }

  private var positive: [ClosedRange<UInt32>] {
    guard isNegated else { return ranges }
    var result: [ClosedRange<UInt32>] = []
    var start: UInt32 = 0
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if range.lowerBound > start { result.append(start...range.lowerBound - 1) }
      start = max(start, range.upperBound &+ 1)
    }
    if start <= 0x10ffff { result.append(start...0x10ffff) }
    return result
  }
}
