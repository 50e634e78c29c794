/// Writes `Value` as compact JSON: keys sorted, secrets as `"***"`, durations as their text, timestamps as RFC 3339,
/// optionals as their content or null, an unknown as `"(known after apply)"`.
public struct JSONWriter {
  public private(set) var bytes: [UInt8] = []

  public init() {}

  public static func bytes(_ value: Value) -> [UInt8] {
    var writer = JSONWriter()
    writer.write(value)
    return writer.bytes
  }

  public static func text(_ value: Value) -> String { String(decoding: bytes(value), as: UTF8.self) }

  public mutating func write(_ value: Value) {
    switch value {
    case .null, .optional(nil): raw("null")
    case .bool(let flag): raw(flag ? "true" : "false")
    case .int(let number): raw(String(number))
    case .double(let number): raw(number.isFinite ? String(number) : "null")
    case .string(let text): write(text)
    case .stored(let stored): write(stored.shown)
    case .list(let items):
      byte("[")
      for (index, item) in items.enumerated() {
        if index > 0 { byte(",") }
        write(item)
      }
      byte("]")
    case .map(let entries):
      byte("{")
      for (index, entry) in entries.sorted(by: { $0.key < $1.key }).enumerated() {
        if index > 0 { byte(",") }
        write(entry.key)
        byte(":")
        write(entry.value)
      }
      byte("}")
    case .duration(let duration): write(duration.text)
    case .timestamp(let timestamp): write(timestamp.description)
    case .optional(let value?): write(value)
    case .secret, .lost: write(Secret.mask)
    case .unknown: write("(known after apply)")
    }
  }

  public mutating func write(_ text: String) {
    byte("\"")
    for unit in text.utf8 {
      switch unit {
      case UInt8(ascii: "\""): raw("\\\"")
      case UInt8(ascii: "\\"): raw("\\\\")
      case 0x0a: raw("\\n")
      case 0x0d: raw("\\r")
      case 0x09: raw("\\t")
      case 0..<0x20, 0x7f:
        raw("\\u00")
        bytes.append(JSONWriter.hex[Int(unit >> 4)])
        bytes.append(JSONWriter.hex[Int(unit & 15)])
      default: bytes.append(unit)
      }
    }
    byte("\"")
  }

  private static let hex = Array("0123456789abcdef".utf8)
  private mutating func byte(_ character: Unicode.Scalar) { bytes.append(UInt8(ascii: character)) }
  private mutating func raw(_ text: String) { bytes.append(contentsOf: text.utf8) }
}
