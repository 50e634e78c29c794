/// Every code with its meaning, for `runbook help codes` and for `docs/reference/codes.md`.
public enum CodePage {
  /// A heading, and below it codes or words with one line each.
  public typealias Section = (title: String, rows: [(word: String, meaning: String)])

  /// What `validate` finds in a file, by subject.
  public static var ofFiles: [Section] {
    DiagnosticCode.Group.allCases.map { group in
      (
        "In a file: \(group.rawValue.lowercasedFirst)",
        DiagnosticCode.allCases.filter { $0.group == group }.map { ($0.rawValue, $0.text.meaning) }
      )
    }
  }

  /// Why a command does nothing.
  public static var ofRefusals: Section {
    ("When a command is refused", RefusalCode.allCases.map { ($0.rawValue, $0.meaning) })
  }

  /// What a step that fails says in `error.kind` and `error.effect`.
  public static var ofErrors: [Section] {
    [
      ("When a step fails: `error.kind`", StepFailure.Kind.allCases.map { ($0.rawValue, $0.meaning) }),
      ("When a step fails: `error.effect`", StepFailure.Effect.allCases.map { ($0.rawValue, $0.meaning) }),
    ]
  }

  public static var sections: [Section] { ofFiles + [ofRefusals] + ofErrors }

  /// The page, in Markdown.
  public static var markdown: [String] {
    var lines = [
      "# Codes", "",
      "Each mistake in a file and each refusal of a command has a code that never changes. `runbook help codes` prints"
        + " this list, and `runbook help CODE` one of them. A code that begins with `E-` is an error; one with `W-` is"
        + " a warning, which `validate --strict` makes an error. [Exit codes](../command.md#exit-codes) say how a"
        + " command ended.",
      "",
    ]
    for section in sections {
      lines += ["## \(section.title)", "", "| | |", "|---|---|"]
      let isLinked = section.title.hasPrefix("In a file")
      lines += section.rows.map { row in
        let word = isLinked ? "[`\(row.word)`](#\(row.word.lowercased()))" : "`\(row.word)`"
        return "| \(word) | \(escaped(row.meaning))\(isLinked ? "" : remedy(row.word)) |"
      }
      lines.append("")
    }
    return lines + DiagnosticCode.allCases.flatMap { markdown(of: $0) }
  }

  private static func remedy(_ word: String) -> String {
    RefusalCode(rawValue: word).map { ". \(escaped($0.remedy))" } ?? ""
  }

  private static func escaped(_ text: String) -> String { text.split(separator: "|").joined(separator: "\\|") }

  private static func markdown(of code: DiagnosticCode) -> [String] {
    let text = code.text
    var lines = ["## \(code.rawValue)", "", "\(text.meaning.uppercasedFirst). \(text.remedy)", ""]
    for (title, example) in [("Wrong:", text.wrong), ("Right:", text.right)] {
      lines += ["\(title)\(example.note)", "", "```\(title == "Right:" ? "yaml" : "")"]
      lines += example.text.split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }
      lines += ["```", ""]
    }
    return lines
  }
}

extension CodeExample {
  /// " (with `check.sh` beside it)", or nothing.
  public var note: String {
    beside.isEmpty ? "" : " (with \(beside.keys.sorted().map { "`\($0)`" }.joined(separator: ", ")) beside it)"
  }
}

extension String {
  fileprivate var uppercasedFirst: String { prefix(1).uppercased() + dropFirst() }
  fileprivate var lowercasedFirst: String { prefix(1).lowercased() + dropFirst() }
}
