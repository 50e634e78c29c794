/// A secret inside base64: where it begins in a group of three bytes, and what its first and last digit hold of its
/// neighbours.
struct Base64Form: Equatable {
  /// Bytes of the group before the secret: 0, 1 or 2.
  var alignment: Int
  var isURL = false
  /// The neighbour's bits in the digit that the secret begins in; nil: that digit does not belong to this form.
  var before: UInt8?
  /// The neighbour's bits (or the zeros of the end) in the digit that the secret ends in.
  var after: UInt8?
  /// `=` at the end: 0, 1 or 2.
  var padding = 0

  static let standard = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  static let url = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

  /// Of either alphabet; nil: no digit.
  static func value(_ digit: UInt8) -> UInt8? {
    switch digit {
    case 0x41...0x5a: digit - 0x41
    case 0x61...0x7a: digit - 0x61 + 26
    case 0x30...0x39: digit - 0x30 + 52
    case UInt8(ascii: "+"), UInt8(ascii: "-"): 62
    case UInt8(ascii: "/"), UInt8(ascii: "_"): 63
    default: nil
    }
  }

  /// Bits of the neighbour in the first digit.
  var leading: Int { alignment * 2 }
  /// Bits of a secret of so many bytes in the last digit; 0: it ends with a digit.
  func trailing(_ count: Int) -> Int { (leading + 8 * count) % 6 }

  /// The digits that the secret alone decides, with those at the ends that this form has.
  func encoded(_ bytes: [UInt8]) -> [UInt8]? {
    let alphabet = isURL ? Base64Form.url : Base64Form.standard
    var digits: [UInt8] = []
    var bits = UInt32(before ?? 0)
    var held = leading
    if before != nil, leading == 0 { return nil }
    for byte in bytes {
      bits = (bits << 8 | UInt32(byte)) & 0xffff
      held += 8
      while held >= 6 {
        held -= 6
        digits.append(alphabet[Int(bits >> UInt32(held) & 63)])
      }
    }
    if leading > 0, before == nil { digits = Array(digits.dropFirst()) }
    if let after {
      guard held > 0, Int(after) < 1 << (6 - held) else { return nil }
      digits.append(alphabet[Int((bits << UInt32(6 - held) | UInt32(after)) & 63)])
    }
    return digits + [UInt8](repeating: UInt8(ascii: "="), count: padding)
  }

  var name: String {
    "base64" + (isURL ? "url" : "") + (alignment > 0 ? "+\(alignment)" : "") + (before.map { "<\($0)" } ?? "")
      + (after.map { ">\($0)" } ?? "") + String(repeating: "=", count: padding)
  }
}

extension Base64Form {
  /// nil unless this is a name as `name` writes it.
  init?(name: Substring) {
    guard name.hasPrefix("base64") else { return nil }
    var rest = name.dropFirst(6)
    isURL = rest.hasPrefix("url")
    if isURL { rest = rest.dropFirst(3) }
    alignment = 0
    before = nil
    after = nil
    if rest.first == "+" {
      guard let given = rest.dropFirst().first?.wholeNumberValue, given == 1 || given == 2 else { return nil }
      alignment = given
      rest = rest.dropFirst(2)
    }
    func number(after mark: Character) -> UInt8? {
      guard rest.first == mark else { return nil }
      let digits = rest.dropFirst().prefix { $0.isASCII && $0.isNumber }
      rest = rest[digits.endIndex...]
      return UInt8(digits).flatMap { $0 < 64 ? $0 : nil }
    }
    before = number(after: "<")
    after = number(after: ">")
    padding = rest.count
    guard rest.allSatisfy({ $0 == "=" }), padding <= 2, before.map({ Int($0) < 1 << leading }) ?? true else {
      return nil
    }
  }
}
