/// `runbook completion fish`, made from the command table.
enum FishCompletion {
  static var script: String {
    var text = """
      # fish completion for runbook; save it as ~/.config/fish/completions/runbook.fish
      function __runbook_runs
        runbook list -q 2>/dev/null
      end
      complete -c runbook -f

      """
    for spec in CommandTable.all.map({ $0.spec }) {
      text += "complete -c runbook -n __fish_use_subcommand -a \(spec.name) -d \(quoted(spec.summary))\n"
    }
    for option in GlobalOptions.specs { text += line(option, condition: nil) }
    for spec in CommandTable.all.map({ $0.spec }) {
      let condition = "'__fish_seen_subcommand_from \(spec.name)'"
      for option in spec.options { text += line(option, condition: condition) }
      for offer in Set(spec.operands.compactMap { offer($0.kind) }).sorted() {
        text += "complete -c runbook -n \(condition) \(offer)\n"
      }
    }
    return text
  }

  private static func line(_ option: OptionSpec, condition: String?) -> String {
    var text = "complete -c runbook"
    if let condition { text += " -n \(condition)" }
    text += " -l \(option.name)"
    if let short = option.short { text += " -s \(short)" }
    if let value = option.value { text += " -r" + (offer(value.kind).map { " \($0)" } ?? "") }
    return text + " -d \(quoted(option.summary))\n"
  }

  private static func offer(_ kind: ValueKind) -> String? {
    switch kind {
    case .file: "-F"
    case .run: "-a '(__runbook_runs)'"
    case .words(let words): "-a '\(words.joined(separator: " "))'"
    case .text, .duration, .number: nil
    }
  }

  /// Inside single quotes fish knows `\'` and `\\`.
  private static func quoted(_ text: String) -> String {
    "'" + text.map { $0 == "'" || $0 == "\\" ? "\\\($0)" : String($0) }.joined() + "'"
  }
}
