import YAML

/// A text that its author meant as one value and that YAML takes apart: `a ? b : c`, a leading `!`, `'` or `[`, a `${{
/// }}`, `[ ]` or comma inside `{ }`, `: ` or ` #` inside. Says where it stands and how it is written with quotes.
struct MisreadText {
  let range: SourceRange
  let diagnostic: Diagnostic

  /// After libyaml has given up: looks for such a text on the lines that the error names, besides those already known.
  init?(in source: SourceText, after error: YAMLSyntaxError, besides known: [MisreadText]) {
    let problem = SourceRange.Place(line: Int(error.mark.line) + 1, column: Int(error.mark.column) + 1)
    let context = SourceRange.Place(line: Int(error.contextMark.line) + 1, column: Int(error.contextMark.column) + 1)
    let isFlow = error.context.contains("flow") && context.line < problem.line
    for (line, isFlow) in [
      (problem.line, isFlow), (problem.line, false), (context.line, false), (problem.line - 1, isFlow),
    ] {
      let values = IntendedValues(on: source.line(line), startsInFlow: isFlow).values
      let doubtful = values.filter { value in
        IntendedValues.reason(value) != nil
          && !known.contains { source.offset(of: $0.range.start) == value.bytes.startIndex }
      }
      let limit = line == problem.line ? source.offset(of: problem) : .max
      guard let value = doubtful.last(where: { $0.bytes.startIndex <= limit }) ?? doubtful.first else { continue }
      self.init(value, line: line, in: source)
      return
    }
    return nil
  }

  /// A leading `!` in `if: !steps.a.outputs.ok`.
  init(in source: SourceText, tagAt place: SourceRange.Place, inFlow: Bool) {
    let line = source.line(place.line)
    let value = IntendedValues.value(in: line, from: source.offset(of: place), inFlow: inFlow)
    self.init(value, line: place.line, in: source)
  }

  /// The value before a key that has none: `{if: f(a, b)}`.
  init(in source: SourceText, splitByCommaAt place: SourceRange.Place) {
    let line = source.line(place.line)
    let value = IntendedValues.valueOverCommas(in: line, from: source.offset(of: place))
    self.init(value, line: place.line, in: source)
  }

  /// An expression that cannot be read because ` #` inside its quotes began a comment; nil if that is not why.
  init?(in source: SourceText, commentAfter range: SourceRange) {
    guard range.start.line == range.end.line else { return nil }
    let line = source.line(range.start.line)
    let value = IntendedValues.value(in: line, from: source.offset(of: range.start), inFlow: false)
    guard value.bytes.endIndex > source.offset(of: range.end), IntendedValues.reason(value) == .comment else {
      return nil
    }
    self.init(value, line: range.start.line, in: source)
  }

  private init(_ value: IntendedValues.Value, line: Int, in source: SourceText) {
    let bytes = value.bytes
    let start = source.line(line).startIndex
    let column = source.bytes[start..<bytes.startIndex].count { $0 & 0xc0 != 0x80 } + 1
    let width = bytes.count { $0 & 0xc0 != 0x80 }
    range = SourceRange(
      SourceRange.Place(line: line, column: column), SourceRange.Place(line: line, column: column + width))
    let text = String(decoding: bytes, as: UTF8.self)
    let reason = (IntendedValues.reason(value) ?? .comma).rawValue
    diagnostic = Diagnostic(
      .yamlQuote, at: range, "YAML does not read `\(text.excerpt(80))` as one value: \(reason)",
      hint: "write \(MisreadText.quoted(MisreadText.meant(text)))")
  }

  /// Without quotes that were meant to stand around all of it: `"a ${{ f("b") }}"`, `'it's'`, `“hi”`.
  private static func meant(_ text: String) -> String {
    let pairs: [Character: Character] = ["\"": "\"", "'": "'", "\u{201c}": "\u{201d}", "\u{2018}": "\u{2019}"]
    guard let first = text.first, let last = text.last, pairs[first] == last, text.count > 2 else { return text }
    let inner = text.dropFirst().dropLast()
    if first != last { return String(inner) }
    let beforeSecond = inner.prefix { $0 != first }
    guard beforeSecond.contains("${{") || text.count(where: { $0 == first }) % 2 == 1 else { return text }
    return String(first == "'" ? inner.replacing("''", with: "'") : inner.replacing("\\\"", with: "\""))
  }

  /// In double quotes; in single quotes when that needs no escapes and double quotes would.
  static func quoted(_ text: String) -> String {
    if text.contains("\"") || text.contains("\\"), !text.contains("'") { return "'\(text)'" }
    var quoted = "\""
    for character in text.unicodeScalars {
      if character == "\"" || character == "\\" { quoted += "\\" }
      quoted.unicodeScalars.append(character)
    }
    return quoted + "\""
  }

  /// The file with each such text replaced by as many `x`: the rest keeps its places.
  static func blanked(_ texts: [MisreadText], in bytes: [UInt8], of source: SourceText) -> [UInt8] {
    var result = bytes
    var limit = bytes.count
    for text in texts.sorted(by: { $0.range.start > $1.range.start }) {
      let start = source.offset(of: text.range.start)
      let end = source.offset(of: text.range.end)
      guard start < min(end, limit) else { continue }
      let width = bytes[start..<min(end, limit)].count { $0 & 0xc0 != 0x80 }
      result.replaceSubrange(start..<min(end, limit), with: repeatElement(UInt8(ascii: "x"), count: width))
      limit = start
    }
    return result
  }
}
