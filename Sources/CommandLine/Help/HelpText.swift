import Runbook

/// Help that teaches by example, made from the command table.
enum HelpText {
  /// `runbook help`.
  static var overview: String {
    var text = """
      runbook \(CommandTable.version) changes servers step by step, and undoes the steps when one fails.

        runbook validate deploy.yaml                       find every mistake in the file; touch nothing
        runbook plan deploy.yaml --input server=12345      show what would happen, in order
        runbook run --simulate deploy.yaml                 watch it happen against a simulated cloud
        runbook run deploy.yaml --input server=12345       do it
        runbook resume RUN                                 go on after a crash, a reboot, Ctrl-C twice

      """
    let width = CommandTable.names.map(\.count).max() ?? 0
    for group in CommandSpec.Group.allCases {
      let members = CommandTable.all.map { $0.spec }.filter { $0.group == group }
      guard !members.isEmpty else { continue }
      text += "\n\(group.rawValue)\n" + columns(members.map { ($0.name, $0.summary) }, indent: 2, width: width)
    }
    text += "\nEverywhere\n" + columns(GlobalOptions.specs.map { ($0.heading, $0.summary) }, indent: 2)
    text += """

      `runbook help COMMAND` explains one of them, `runbook help actions` lists what a step can do,
      `runbook help codes` every code of a mistake, and `runbook help exit-codes` the exit codes.

      """
    return text
  }

  /// `runbook help run`.
  static func page(for spec: CommandSpec) -> String {
    var text = "runbook \(spec.name): \(spec.summary)\n\nExamples\n"
    text += spec.examples.map { "  \($0.command)\n      \($0.meaning)\n" }.joined()
    text +=
      "\nUsage\n"
      + fold(spec.usage, width: 94).enumerated().map { "  \($0.offset > 0 ? "    " : "")\($0.element)\n" }.joined()
    if !spec.details.isEmpty { text += "\n" + paragraphs(spec.details) }
    if !spec.operands.isEmpty {
      text += "\nOperands\n" + columns(spec.operands.map { ($0.name, $0.summary) }, indent: 2)
    }
    if !spec.options.isEmpty {
      text += "\nOptions\n" + columns(spec.options.map { ($0.heading, $0.summary) }, indent: 2)
    }
    text += "\nEverywhere: \(GlobalOptions.specs.map(\.usage).joined(separator: " "))\n"
    return text
  }

  /// `runbook help exit-codes`.
  static var exitCodes: String {
    "The exit codes. If several apply, 4 wins over 8, 8 over 5, 5 over 3, and 3 over 1.\n\n"
      + columns(ExitCode.allCases.map { (String($0.rawValue), $0.meaning) }, indent: 2)
  }

  /// Two columns; the right one is folded at 100 columns in all.
  static func columns(_ rows: [(String, String)], indent: Int, width: Int? = nil) -> String {
    let width = width ?? min(rows.map { $0.0.count }.max() ?? 0, 28)
    let margin = String(repeating: " ", count: indent + width + 2)
    var text = ""
    for (left, right) in rows {
      let folded = fold(right, width: 100 - margin.count)
      var head = String(repeating: " ", count: indent) + left
      if left.count > width {
        text += head + "\n"
        head = margin
      } else {
        head += String(repeating: " ", count: width - left.count + 2)
      }
      text += folded.enumerated().map { ($0.offset == 0 ? head : margin) + $0.element + "\n" }.joined()
    }
    return text
  }

  private static func paragraphs(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false)
      .flatMap { $0.isEmpty || $0.hasPrefix(" ") ? [String($0)] : fold(String($0), width: 100) }
      .map { $0 + "\n" }.joined()
  }

  static func fold(_ text: String, width: Int) -> [String] {
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ") {
      if !line.isEmpty, line.count + 1 + word.count > width {
        lines.append(line)
        line = ""
      }
      line += (line.isEmpty ? "" : " ") + word
    }
    return lines + [line]
  }
}
