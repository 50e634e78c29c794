/// `runbook completion zsh`, made from the command table.
enum ZshCompletion {
  static var script: String {
    """
    #compdef runbook
    # zsh completion for runbook; save it as _runbook in a folder of $fpath
    _runbook_runs() { compadd -- ${(f)"$(runbook list -q 2>/dev/null)"} }
    _runbook() {
      local context state line
      local -a verbs everywhere
      verbs=(
    \(CommandTable.all.map { "    \(quoted("\($0.spec.name):\($0.spec.summary)"))" }.joined(separator: "\n"))
      )
      everywhere=(
    \(GlobalOptions.specs.map { "    \(specification($0))" }.joined(separator: "\n"))
      )
      _arguments -C $everywhere '1: :->verb' '*:: :->rest'
      case $state in
        verb) _describe -t commands command verbs ;;
        rest)
          case $words[1] in
    \(CommandTable.all.map { command($0.spec) }.joined(separator: "\n"))
          esac ;;
      esac
    }
    _runbook "$@"

    """
  }

  private static func command(_ spec: CommandSpec) -> String {
    var arguments = spec.options.map(specification)
    for (index, operand) in spec.operands.enumerated() {
      let place = operand.arity == .oneOrMore ? "*" : String(index + 1)
      let colon = operand.arity == .optional ? "::" : ":"
      arguments.append(quoted("\(place)\(colon)\(plain(operand.name)):\(action(operand.kind))"))
    }
    return "        \(spec.name)) _arguments $everywhere \(arguments.joined(separator: " ")) ;;"
  }

  private static func specification(_ option: OptionSpec) -> String {
    let repeats = option.isRepeatable ? "*" : ""
    guard let value = option.value else { return quoted("\(repeats)--\(option.name)[\(plain(option.summary))]") }
    return quoted("\(repeats)--\(option.name)=[\(plain(option.summary))]:\(plain(value.name)):\(action(value.kind))")
  }

  private static func action(_ kind: ValueKind) -> String {
    switch kind {
    case .file: "_files"
    case .run: "_runbook_runs"
    case .words(let words): "(\(words.joined(separator: " ")))"
    case .text, .duration, .number: " "
    }
  }

  /// `:` and brackets divide a specification.
  private static func plain(_ text: String) -> String {
    text.map { ":[]\\".contains($0) ? "\\\($0)" : String($0) }.joined()
  }
  private static func quoted(_ text: String) -> String {
    "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
  }
}
