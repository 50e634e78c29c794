import YAML

extension Diagnostic {
  /// libyaml's refusal in our words.
  init(_ error: YAMLSyntaxError, in source: SourceText) {
    let mark = SourceRange.Place(line: Int(error.mark.line) + 1, column: Int(error.mark.column) + 1)
    let context = SourceRange.Place(line: Int(error.contextMark.line) + 1, column: Int(error.contextMark.column) + 1)
    let next = source.text(from: mark).unicodeScalars.first
    if error.context.contains("quoted scalar"), error.problem.contains("end of stream") {
      self.init(
        .yamlSyntax, at: SourceRange(context), "the quote that opens here is never closed", hint: "close it")
    } else if error.problem.contains("Unicode character escape code") {
      // The mark is behind the `\u`.
      let place = SourceRange.Place(line: mark.line, column: max(mark.column - 2, 1))
      self.init(escape: source.text(from: mark), at: place)
    } else if next == "\t" || error.problem.contains("tab character") {
      self.init(
        .yamlTab, at: SourceRange(mark), "a tab cannot indent in YAML", hint: "use spaces, two for each level")
    } else if error.problem.contains("expected ',' or '}'") || error.problem.contains("expected ',' or ']'") {
      let closer = error.problem.contains("'}'") ? "}" : "]"
      let opener = closer == "}" ? "{" : "["
      if context.line < mark.line {
        self.init(
          .yamlSyntax, at: SourceRange(context), "the `\(opener)` that opens here is never closed",
          hint: "write `\(closer)` at its end")
        return
      }
      self.init(
        .yamlSyntax, at: SourceRange(mark), "here a comma or `\(closer)` is missing",
        hint: "the `\(opener)` on line \(context.line), column \(context.column) is still open",
        related: SourceRange(context))
    } else if error.problem.contains("could not find expected ':'") {
      self.init(keyWithoutValue: source, at: context)
    } else if error.problem.contains("expected key") || error.problem.contains("'-' indicator")
      || error.problem.contains("not allowed in this context")
    {
      self.init(
        .yamlSyntax, at: SourceRange(mark), "wrong indentation, or a text that needs quotes: \(error.problem)",
        hint: "indent lines of one list or map alike; quote text that holds `: ` or begins with a special character")
    } else {
      let what = error.context.isEmpty ? error.problem : "\(error.problem) \(error.context)"
      self.init(.yamlSyntax, at: SourceRange(mark), "YAML cannot be read here: \(what)")
    }
  }
}

extension Diagnostic {
  /// A line that is to be `key: value` and is not.
  fileprivate init(keyWithoutValue source: SourceText, at place: SourceRange.Place) {
    let text = String(source.text(from: place).prefix { $0 != "\n" && $0 != "\r" })
    let range = SourceRange(
      place, SourceRange.Place(line: place.line, column: place.column + text.unicodeScalars.count))
    let key = text.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
    let rest = text.dropFirst(key.count)
    if !key.isEmpty, let sign = rest.first(where: { $0 != " " }), sign == ":" || sign == "=" {
      let value = rest.drop { $0 == " " }.dropFirst().drop { $0 == " " }
      self.init(
        .yamlSyntax, at: range,
        sign == ":" ? "a blank must follow the colon behind `\(key)`" : "a key ends with a colon, not with `=`",
        hint: "write `\(key): \(String(value).excerpt(60))`")
    } else {
      self.init(
        .yamlSyntax, at: range, "this line is no `key: value`",
        hint: "write the key, a colon and a blank before it")
    }
  }

  /// JSON writes a character beyond U+FFFF as two escapes, which YAML does not know.
  /// - Parameter rest: the text behind the `\u` that was refused.
  fileprivate init(escape rest: some StringProtocol, at mark: SourceRange.Place) {
    let letters = Array(rest.unicodeScalars.prefix(10))
    func unit(_ start: Int) -> UInt32? {
      guard letters.count >= start + 4 else { return nil }
      return UInt32(String(String.UnicodeScalarView(letters[start..<(start + 4)])), radix: 16)
    }
    let separator = letters.count == 10 && letters[4] == "\\" && letters[5] == "u"
    if separator, let high = unit(0), let low = unit(6), (0xd800..<0xdc00).contains(high),
      (0xdc00..<0xe000).contains(low),
      let scalar = Unicode.Scalar(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00))
    {
      let hex = String(scalar.value, radix: 16, uppercase: true)
      let code = String(repeating: "0", count: 8 - hex.count) + hex
      self.init(
        .yamlSyntax, at: SourceRange(mark), "YAML does not know a character as two escapes, which JSON does",
        hint: "write the character itself, `\(Character(scalar))`, or `\\U\(code)`")
    } else {
      self.init(
        .yamlSyntax, at: SourceRange(mark), "this escape names no character",
        hint: "write the character itself, or `\\u` and the four digits of one")
    }
  }
}

/// Words of the language that more than one stage must know.
enum FieldWords {
  /// Keys whose value is a bare expression.
  static let expressions: Set<String> = ["if", "until", "fail_if", "expect", "for_each"]
}
