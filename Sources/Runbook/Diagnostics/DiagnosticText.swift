/// Diagnostics for people: one line each, or with the line of the file and a caret below it. No colour.
public enum DiagnosticText {
  /// `file:line:column: error CODE: text; hint`
  public static func line(_ diagnostic: Diagnostic, file: String) -> String {
    let hint = diagnostic.hint.map { "; \($0)" } ?? ""
    return clean("\(heading(diagnostic, file))\(hint)")
  }

  /// ```
  /// pre_upgrade.yaml:14:5: error E-STEP-KIND: unknown step kind `aprove`
  /// 14 |   - aprove: {prompt: "Restore db-1?"}
  ///    |     ^^^^^^ did you mean `approve`?
  /// ```
  public static func excerpt(_ diagnostic: Diagnostic, file: String, source: SourceText) -> String {
    var lines = [clean(heading(diagnostic, file))]
    let hint = diagnostic.hint.map { clean($0) }
    if diagnostic.kind == .yamlSize || diagnostic.kind == .yamlEncoding {
      return lines.joined() + (hint.map { "\n  \($0)" } ?? "")
    }
    let start = diagnostic.range.start
    let text = source.text(from: SourceRange.Place(line: start.line, column: 1))
    let (shown, offset) = window(text, around: start.column)
    let gutter = String(repeating: " ", count: String(start.line).count)
    lines.append(clean("\(start.line) | \(shown)"))
    let end = diagnostic.range.end
    let width = end.line == start.line ? end.column - start.column : text.unicodeScalars.count - start.column + 1
    let room = shown.unicodeScalars.count - (start.column - 1 - offset)
    let carets = String(repeating: "^", count: max(1, min(width, room)))
    let space = String(repeating: " ", count: max(0, start.column - 1 - offset))
    lines.append("\(gutter) | \(space)\(carets)\(hint.map { " \($0)" } ?? "")")
    if let related = diagnostic.related {
      let first = source.text(from: SourceRange.Place(line: related.start.line, column: 1))
      lines.append(clean("\(related.start.line) | \(window(first, around: related.start.column).text)"))
    }
    return lines.joined(separator: "\n")
  }

  private static func heading(_ diagnostic: Diagnostic, _ file: String) -> String {
    let place = diagnostic.range.start
    return
      "\(file):\(place.line):\(place.column): \(diagnostic.severity.rawValue) \(diagnostic.code): \(diagnostic.message)"
  }

  /// At most 120 characters of a long line, and how many were left out before them.
  private static func window(_ text: String, around column: Int) -> (text: String, offset: Int) {
    let scalars = text.unicodeScalars
    guard scalars.count > 120 else { return (text, 0) }
    let offset = max(0, min(column - 40, scalars.count - 120))
    var shown = String.UnicodeScalarView()
    shown.append(contentsOf: scalars.dropFirst(offset).prefix(120))
    return (String(shown), offset)
  }

  /// A file cannot send the terminal commands: control characters become `\u{1b}`, a tab a space (so that carets fit).
  static func clean(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: isControl) else { return text }
    var clean = ""
    for scalar in text.unicodeScalars {
      if scalar == "\t" {
        clean += " "
      } else if isControl(scalar) {
        clean += "\\u{\(String(scalar.value, radix: 16))}"
      } else {
        clean.unicodeScalars.append(scalar)
      }
    }
    return clean
  }

  private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    let value = scalar.value
    return value < 0x20 || (0x7f...0x9f).contains(value) || (0x2028...0x202e).contains(value)
      || (0x2066...0x2069).contains(value) || value == 0xfeff
  }
}

extension Diagnostic {
  /// For `--format json`. Lines and columns count from 1; `end_column` is just after the last character.
  public func json(file: String) -> Value {
    var object: [String: Value] = [
      "file": .string(file), "line": .int(Int64(range.start.line)), "column": .int(Int64(range.start.column)),
      "end_line": .int(Int64(range.end.line)), "end_column": .int(Int64(range.end.column)),
      "severity": .string(severity.rawValue), "code": .string(code), "message": .string(message),
    ]
    object["hint"] = .some(hint.map { .string($0) } ?? .null)
    return .map(object)
  }
}

extension Diagnostics {
  /// `{v, diagnostics: […]}` of one or several files.
  public static func json(_ files: [(file: String, diagnostics: [Diagnostic])]) -> Value {
    ["v": 1, "diagnostics": .list(files.flatMap { entry in entry.diagnostics.map { $0.json(file: entry.file) } })]
  }
}
