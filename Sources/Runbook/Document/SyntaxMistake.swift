import YAML

extension Diagnostic {
  /// libyaml's refusal in our words.
  init(_ error: YAMLSyntaxError, in source: SourceText) {
    let mark = SourceRange.Place(line: Int(error.mark.line) + 1, column: Int(error.mark.column) + 1)
    let context = SourceRange.Place(line: Int(error.contextMark.line) + 1, column: Int(error.contextMark.column) + 1)
    let next = source.text(from: mark).unicodeScalars.first
    if error.context.contains("quoted scalar"), error.problem.contains("end of stream") {
      self.init(
        "E-YAML-SYNTAX", at: SourceRange(context), "the quote that opens here is never closed", hint: "close it")
    } else if next == "\t" || error.problem.contains("tab character") {
      self.init(
        "E-YAML-TAB", at: SourceRange(mark), "a tab cannot indent in YAML", hint: "use spaces, two for each level")
    } else if error.problem.contains("expected ',' or '}'") || error.problem.contains("expected ',' or ']'") {
      let closer = error.problem.contains("'}'") ? "}" : "]"
      let opener = closer == "}" ? "{" : "["
      self.init(
        "E-YAML-SYNTAX", at: SourceRange(mark), "here a comma or `\(closer)` is missing",
        hint: "the `\(opener)` on line \(context.line), column \(context.column) is still open",
        related: SourceRange(context))
    } else if error.problem.contains("expected key") || error.problem.contains("'-' indicator")
      || error.problem.contains("not allowed in this context")
    {
      self.init(
        "E-YAML-SYNTAX", at: SourceRange(mark), "this does not fit what stands before it: \(error.problem)",
        hint: "indent lines of one list or map alike; quote text that holds `: ` or begins with a special character")
    } else {
      let what = error.context.isEmpty ? error.problem : "\(error.problem) \(error.context)"
      self.init("E-YAML-SYNTAX", at: SourceRange(mark), "YAML cannot be read here: \(what)")
    }
  }
}

/// Words of the language that more than one stage must know.
enum FieldWords {
  /// Keys whose value is a bare expression.
  static let expressions: Set<String> = ["if", "until", "fail_if", "expect", "for_each"]
}
