/// The second line of defence for secrets: removes their bytes from texts that come from outside (a script's output, a
/// provider's error) before anybody sees or stores them. The first line is that a secret's own value cannot be printed.
public struct Masker: Sendable {
  /// Longest first, so that a secret inside another does not leave a rest.
  private let needles: [[UInt8]]
  let named: [String: Secret]

  public init(_ secrets: [String: Secret]) { self.init(secrets.values, named: secrets) }

  public init(_ secrets: some Sequence<Secret>, named: [String: Secret] = [:]) {
    self.named = named
    var forms: Set<[UInt8]> = []
    for secret in secrets where !secret.isEmpty {
      let text = secret.reveal()
      for form in Masker.forms(of: text) { forms.insert(form) }
      // A key of many lines is often printed line by line.
      for line in text.split(separator: "\n") where line.utf8.count >= 8 {
        for form in Masker.forms(of: String(line)) { forms.insert(form) }
      }
    }
    needles = forms.sorted { ($0.count, $1.first ?? 0) > ($1.count, $0.first ?? 0) }
  }

  /// As it is, JSON-escaped, URL-encoded, base64 (with and without padding), hexadecimal.
  private static func forms(of text: String) -> [[UInt8]] {
    let bytes = Array(text.utf8)
    var json = JSONWriter()
    json.write(text)
    var forms = [bytes, Array(json.bytes.dropFirst().dropLast()), Masker.percentEncoded(bytes)]
    if bytes.count >= 4 {
      let base64 = Masker.base64(bytes)
      forms += [base64, Array(base64.prefix { $0 != UInt8(ascii: "=") }), Array(Hex.text(bytes).utf8)]
    }
    return forms
  }

  private static func percentEncoded(_ bytes: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    for byte in bytes {
      switch byte {
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e: result.append(byte)
      default: result += Array("%".utf8) + Array(Hex.text([byte]).uppercased().utf8)
      }
    }
    return result
  }

  private static func base64(_ bytes: [UInt8]) -> [UInt8] {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var result: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      var bits: UInt32 = 0
      for index in 0..<3 { bits = bits << 8 | UInt32(index < group.count ? group[start + index] : 0) }
      for index in 0..<4 {
        let digit = alphabet[Int(bits >> UInt32(18 - 6 * index) & 63)]
        result.append(index <= group.count ? digit : UInt8(ascii: "="))
      }
    }
    return result
  }

  public var isEmpty: Bool { needles.isEmpty }

  public func mask(_ text: String) -> String {
    guard !needles.isEmpty else { return text }
    let bytes = Array(text.utf8)
    let masked = mask(bytes)
    return masked.count == bytes.count && masked == bytes ? text : String(decoding: masked, as: UTF8.self)
  }

  public func mask(_ bytes: [UInt8]) -> [UInt8] {
    var result = bytes
    for needle in needles { result = Masker.replace(needle, in: result) }
    return result
  }

  private static func replace(_ needle: [UInt8], in bytes: [UInt8]) -> [UInt8] {
    guard let first = needle.first, bytes.count >= needle.count else { return bytes }
    var result: [UInt8] = []
    var position = 0
    var copied = 0
    while position + needle.count <= bytes.count {
      guard bytes[position] == first, bytes[position..<position + needle.count].elementsEqual(needle) else {
        position += 1
        continue
      }
      result += bytes[copied..<position]
      result += Secret.mask.utf8
      position += needle.count
      copied = position
    }
    guard copied > 0 else { return bytes }
    return result + bytes[copied...]
  }

  /// Masks every text inside, keys included.
  public func mask(_ value: Value) -> Value {
    guard !needles.isEmpty else { return value }
    switch value {
    case .string(let text): return .string(mask(text))
    case .list(let items): return .list(items.map { mask($0) })
    case .map(let entries): return .map(mask(entries))
    case .optional(let inner?): return .optional(mask(inner))
    default: return value
    }
  }

  public func mask(_ entries: [String: Value]) -> [String: Value] {
    guard !needles.isEmpty else { return entries }
    return Dictionary(entries.map { (mask($0.key), mask($0.value)) }, uniquingKeysWith: { first, _ in first })
  }

  public func mask(_ failure: StepFailure) -> StepFailure {
    var failure = failure
    failure.message = mask(failure.message)
    failure.detail = mask(failure.detail)
    return failure
  }
}
