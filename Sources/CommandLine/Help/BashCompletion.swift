/// `runbook completion bash`, made from the command table.
enum BashCompletion {
  static var script: String {
    """
    # bash completion for runbook; put it where bash-completion looks, or: source <(runbook completion bash)
    _runbook() {
      local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}" verb="" index=1 count=0
      COMPREPLY=()
      while [ "$index" -lt "$COMP_CWORD" ]; do
        case "${COMP_WORDS[index]}" in
          \(valueOptions)) index=$((index + 1)) ;;
          -*) ;;
          *) if [ -z "$verb" ]; then verb="${COMP_WORDS[index]}"; else count=$((count + 1)); fi ;;
        esac
        index=$((index + 1))
      done
      case "$verb $previous" in
    \(optionCases)
      esac
      case "$current" in
        -*)
          case "$verb" in
    \(flagCases)
            *) COMPREPLY=($(compgen -W "\(words(GlobalOptions.specs))" -- "$current")) ;;
          esac
          return ;;
      esac
      case "$verb $count" in
        " 0") COMPREPLY=($(compgen -W "\(CommandTable.names.joined(separator: " "))" -- "$current")) ;;
    \(operandCases)
      esac
    }
    complete -F _runbook runbook

    """
  }

  private static var valueOptions: String {
    let all = CommandTable.all.flatMap { $0.spec.options } + GlobalOptions.specs
    return Set(all.filter { $0.value != nil }.map { "--\($0.name)" }).sorted().joined(separator: "|")
  }

  private static var optionCases: String {
    var lines: [String] = []
    for option in GlobalOptions.specs {
      if let value = option.value { lines.append("    *' --\(option.name)') \(offer(value.kind)); return ;;") }
    }
    for spec in CommandTable.all.map({ $0.spec }) {
      for option in spec.options {
        guard let value = option.value else { continue }
        lines.append("    '\(spec.name) --\(option.name)') \(offer(value.kind)); return ;;")
      }
    }
    return lines.joined(separator: "\n")
  }

  private static var flagCases: String {
    CommandTable.all.map { $0.spec }.map { spec in
      let offered = words(spec.options + GlobalOptions.specs)
      return "        \(spec.name)) COMPREPLY=($(compgen -W \"\(offered)\" -- \"$current\")) ;;"
    }.joined(separator: "\n")
  }

  private static var operandCases: String {
    CommandTable.all.map { $0.spec }.flatMap { spec in
      spec.operands.enumerated().map { index, operand in
        let place = operand.arity == .oneOrMore ? "'\(spec.name) '*" : "'\(spec.name) \(index)'"
        return "    \(place)) \(offer(operand.kind)) ;;"
      }
    }.joined(separator: "\n")
  }

  private static func offer(_ kind: ValueKind) -> String {
    switch kind {
    case .file: "COMPREPLY=($(compgen -f -- \"$current\"))"
    case .run: "COMPREPLY=($(compgen -W \"$(runbook list -q 2>/dev/null)\" -- \"$current\"))"
    case .words(let words): "COMPREPLY=($(compgen -W \"\(words.joined(separator: " "))\" -- \"$current\"))"
    case .text, .duration, .number: "COMPREPLY=()"
    }
  }

  private static func words(_ options: [OptionSpec]) -> String { options.map { "--\($0.name)" }.joined(separator: " ") }
}
