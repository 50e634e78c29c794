import Runbook

/// `runbook help codes`, `runbook help CODE`, `runbook help error-kinds`.
enum CodeHelp {
  /// Every code, those of files before those of refusals; one that is both stands there once.
  static var codes: [String] {
    let ofFiles = DiagnosticCode.allCases.map { $0.rawValue }
    return ofFiles + RefusalCode.allCases.map { $0.rawValue }.filter { !ofFiles.contains($0) }
  }

  /// Whether somebody who types it asks for a code: `E-…` or `W-…`, in any case of letters.
  static func isCode(_ word: String) -> Bool {
    let word = word.uppercased()
    return word.hasPrefix("E-") || word.hasPrefix("W-")
  }

  static func nearest(to word: String) -> String? {
    Suggestion.nearest(to: word, among: codes.map { $0.lowercased() })?.uppercased()
  }

  static var list: String {
    let width = codes.map { $0.count }.max() ?? 0
    let rows = (CodePage.ofFiles + [CodePage.ofRefusals]).map { section in
      "\(section.title)\n\(HelpText.columns(section.rows.map { ($0.word, $0.meaning) }, indent: 2, width: width))\n"
    }
    return rows.joined() + errors
      + "\n`runbook help CODE` explains one of them, with a wrong and a right file; `runbook help exit-codes` lists\n"
      + "the exit codes.\n"
  }

  static var errors: String {
    CodePage.ofErrors.map { "\($0.title)\n\(HelpText.columns($0.rows.map { ($0.word, $0.meaning) }, indent: 2))" }
      .joined(separator: "\n")
  }

  /// nil if there is no such code.
  static func text(of word: String) -> String? {
    let inFile = DiagnosticCode(rawValue: word.uppercased())
    let refusal = RefusalCode(rawValue: word.uppercased())
    var parts: [String] = []
    if let inFile {
      let text = inFile.text
      parts.append("\(inFile.rawValue): \(text.meaning)\n\n\(folded(text.remedy))")
      parts.append("Wrong\(text.wrong.note)\n\(indented(text.wrong.text))")
      parts.append("Right\(text.right.note)\n\(indented(text.right.text))")
    }
    if let refusal {
      let title = inFile == nil ? refusal.rawValue : "When a command is refused"
      parts.append("\(title): \(refusal.meaning)\n\n\(folded(refusal.remedy))")
    }
    return parts.isEmpty ? nil : parts.joined(separator: "\n")
  }

  private static func folded(_ text: String) -> String {
    HelpText.fold(text, width: 100).map { $0 + "\n" }.joined()
  }

  /// A tab is shown as an arrow: it would look like spaces.
  private static func indented(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false)
      .map { line in "  " + line.map { $0 == "\t" ? "→" : String($0) }.joined() + "\n" }.joined()
  }
}
