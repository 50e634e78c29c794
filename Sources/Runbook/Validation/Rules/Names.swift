/// Ids and declared names: `^[a-z][a-z0-9_]{0,63}$`, and no word that means something else to CEL or to YAML.
package enum Names {
  private static let reserved: Set<String> = [
    "as", "break", "const", "continue", "else", "false", "for", "function", "if", "import", "in", "let", "loop", "null",
    "package", "namespace", "return", "true", "var", "void", "while",
  ]
  private static let yamlBooleans: Set<String> = ["on", "yes", "no", "off", "y", "n"]

  package static func check(_ name: String, at range: SourceRange, _ what: String, _ sink: DiagnosticSink) -> Bool {
    guard isWellFormed(name) else {
      sink.error(
        .name, at: range,
        "\(what) `\(name.excerpt(70))` must be a lower-case letter and then letters, digits or `_`, at most 64",
        hint: repaired(name).map { "write `\($0)`" })
      return false
    }
    if reserved.contains(name) || yamlBooleans.contains(name) {
      let owner = reserved.contains(name) ? "expressions" : "YAML"
      sink.error(
        .nameReserved, at: range, "\(what) `\(name)` is a word of \(owner)",
        hint: "write `\(name)_` or another name")
      return false
    }
    return true
  }

  static func isWellFormed(_ name: String) -> Bool {
    guard let first = name.utf8.first, first >= 0x61, first <= 0x7a, name.utf8.count <= 64 else { return false }
    return name.utf8.allSatisfy { $0 >= 0x61 && $0 <= 0x7a || $0 >= 0x30 && $0 <= 0x39 || $0 == 0x5f }
  }

  private static func repaired(_ name: String) -> String? {
    let repaired = String(name.lowercased().map { $0 == "-" || $0 == "." || $0 == " " ? "_" : $0 })
    return repaired != name && isWellFormed(repaired) ? repaired : nil
  }
}
