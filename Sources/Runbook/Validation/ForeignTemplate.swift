/// Ways in which other tools mark what is to be replaced in a text: `{{ server }}`, `${run.id}`.
enum ForeignTemplate {
  /// The first name in the first such mark; nil if there is none.
  static func name(in text: String) -> String? {
    guard text.contains("{") else { return nil }
    let bytes = Array(text.utf8)
    for position in bytes.indices.dropLast() {
      let isMustache = bytes[position] == UInt8(ascii: "{") && bytes[position + 1] == UInt8(ascii: "{")
      let isShell = bytes[position] == UInt8(ascii: "$") && bytes[position + 1] == UInt8(ascii: "{")
      // `${{` is ours, and `$${{` are three characters of text.
      guard isShell || isMustache && (position == 0 || bytes[position - 1] != UInt8(ascii: "$")) else { continue }
      if isShell, position + 2 < bytes.count, bytes[position + 2] == UInt8(ascii: "{") { continue }
      let name = bytes[(position + 2)...].drop { $0 == 0x20 || $0 == UInt8(ascii: ".") }.prefix(while: isName)
      if !name.isEmpty { return String(decoding: name, as: UTF8.self) }
    }
    return nil
  }

  private static func isName(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "_") || byte >= 0x30 && byte <= 0x39 || byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7a
  }
}
