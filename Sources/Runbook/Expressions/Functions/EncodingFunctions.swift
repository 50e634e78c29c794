// `json base64 sha256 hmac_sha256 url_encode semver_compare`.
extension EvaluationBudget {
  mutating func encode(_ function: ExpressionFunction, _ values: [Value]) throws(EvaluationFault) -> Value {
    switch (function, values.first, values.dropFirst().first, values.count) {
    case (.json, .string(let text)?, nil, 1):
      try build(text.utf8.count)
      do throws(JSONError) { return try JSONReader.read(text) } catch {
        throw EvaluationFault("this is no JSON: \(error.message) (at byte \(error.offset))")
      }
    case (.sha256, .string(let text)?, nil, 1): return .string(SHA256.hash(Array(text.utf8)).hexadecimal)
    case (.base64, .string(let text)?, nil, 1): return .string(try encoded(text, function))
    case (.urlEncode, .string(let text)?, nil, 1): return .string(try encoded(text, function))
    case (.base64, .secret(let secret)?, nil, 1), (.urlEncode, .secret(let secret)?, nil, 1):
      return .secret(secret.encoded(try encoded(secret.reveal(), function), by: function.rawValue))
    case (.hmacSHA256, .string(let key)?, .string(let text)?, 2): return signature(text, key: key)
    case (.hmacSHA256, .secret(let key)?, .string(let text)?, 2): return signature(text, key: key.reveal())
    case (.semverCompare, .string(let left)?, .string(let right)?, 2):
      return .int(try version(left).order(try version(right)))
    default: throw wrongArguments(function, values)
    }
  }

  /// In hexadecimal. It is made to be shown to others, so it is no secret, also where its key is one.
  private func signature(_ text: String, key: String) -> Value {
    .string(HMACSHA256.authenticate(Array(text.utf8), key: Array(key.utf8)).hexadecimal)
  }

  private mutating func encoded(_ text: String, _ function: ExpressionFunction) throws(EvaluationFault) -> String {
    let result = function == .base64 ? Array(text.utf8).base64 : text.urlEncoded
    try build(result.utf8.count)
    return result
  }

  private func version(_ text: String) throws(EvaluationFault) -> SemanticVersion {
    guard let version = SemanticVersion(text) else {
      throw EvaluationFault("`\(shown(text))` is no version; it looks like `1.4.2` or `2.0.0-rc.1`")
    }
    return version
  }
}

extension [UInt8] {
  /// RFC 4648, with padding.
  public var base64: String {
    let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var text: [UInt8] = []
    text.reserveCapacity((count + 2) / 3 * 4)
    for start in stride(from: 0, to: count, by: 3) {
      let (second, third) = (start + 1 < count ? self[start + 1] : 0, start + 2 < count ? self[start + 2] : 0)
      let bits = Int(self[start]) << 16 | Int(second) << 8 | Int(third)
      text.append(letters[bits >> 18])
      text.append(letters[bits >> 12 & 63])
      text.append(start + 1 < count ? letters[bits >> 6 & 63] : UInt8(ascii: "="))
      text.append(start + 2 < count ? letters[bits & 63] : UInt8(ascii: "="))
    }
    return String(decoding: text, as: UTF8.self)
  }
}

extension String {
  /// All but RFC 3986's unreserved characters as `%XX`.
  public var urlEncoded: String {
    let digits = Array("0123456789ABCDEF".utf8)
    var text: [UInt8] = []
    for byte in utf8 {
      switch byte {
      case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"): text.append(byte)
      case let letter where letter.isNameByte: text.append(letter)
      default: text += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return String(decoding: text, as: UTF8.self)
  }
}

/// A version by semver.org's rules; a leading `v` is dropped, missing numbers count as 0.
struct SemanticVersion {
  private var numbers: [[UInt8]] = []
  private var prerelease: [[UInt8]] = []

  init?(_ text: String) {
    var bytes = Array(text.utf8)
    if bytes.first == UInt8(ascii: "v") { bytes.removeFirst() }
    if let plus = bytes.firstIndex(of: UInt8(ascii: "+")) { bytes.removeSubrange(plus...) }
    if let dash = bytes.firstIndex(of: UInt8(ascii: "-")) {
      prerelease = bytes[(dash + 1)...].split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).map(
        Array.init)
      bytes.removeSubrange(dash...)
      guard prerelease.allSatisfy({ !$0.isEmpty && $0.allSatisfy { $0.isNameByte || $0 == UInt8(ascii: "-") } }) else {
        return nil
      }
    }
    numbers = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).map(Array.init)
    guard (1...3).contains(numbers.count), numbers.allSatisfy({ !$0.isEmpty && $0.allSatisfy(\.isDigit) }) else {
      return nil
    }
    while numbers.count < 3 { numbers.append([UInt8(ascii: "0")]) }
  }

  /// -1, 0 or 1.
  func order(_ other: SemanticVersion) -> Int64 {
    for (left, right) in zip(numbers, other.numbers) {
      let order = SemanticVersion.numericOrder(left, right)
      if order != 0 { return order }
    }
    switch (prerelease.isEmpty, other.prerelease.isEmpty) {
    case (true, true): return 0
    case (true, false): return 1
    case (false, true): return -1
    case (false, false): break
    }
    for (left, right) in zip(prerelease, other.prerelease) {
      let order = SemanticVersion.identifierOrder(left, right)
      if order != 0 { return order }
    }
    return Int64((prerelease.count - other.prerelease.count).signum())
  }

  private static func identifierOrder(_ left: [UInt8], _ right: [UInt8]) -> Int64 {
    switch (left.allSatisfy(\.isDigit), right.allSatisfy(\.isDigit)) {
    case (true, true): numericOrder(left, right)
    case (true, false): -1
    case (false, true): 1
    case (false, false): left == right ? 0 : left.lexicographicallyPrecedes(right) ? -1 : 1
    }
  }

  /// By digits, so that no number is too large.
  private static func numericOrder(_ left: [UInt8], _ right: [UInt8]) -> Int64 {
    let a = Array(left.drop { $0 == UInt8(ascii: "0") })
    let b = Array(right.drop { $0 == UInt8(ascii: "0") })
    if a.count != b.count { return a.count < b.count ? -1 : 1 }
    return a == b ? 0 : a.lexicographicallyPrecedes(b) ? -1 : 1
  }
}
