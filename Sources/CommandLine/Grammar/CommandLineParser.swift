import Runbook

/// Words → a command and its arguments, or the one thing that is wrong with them. Touches nothing.
///
/// `--name value` and `--name=value` are the same. A value that begins with `-` needs the second form, so that a
/// forgotten value is noticed. `--` ends the options. Global options stand anywhere.
struct CommandLineParser {
  struct Invocation {
    /// nil: no verb was given.
    var command: (any Command.Type)?
    var arguments: ParsedArguments
    var globals: GlobalOptions { GlobalOptions(arguments) }
  }

  private let words: [String]
  private var position = 0
  private var command: (any Command.Type)?
  private var parsed = ParsedArguments(command: "")
  private var operands: [String] = []
  private var isAfterDashes = false

  static func parse(_ words: [String]) throws(UsageError) -> Invocation {
    var parser = CommandLineParser(words: words)
    return try parser.parse()
  }

  /// Whether `--format json` stands there, even if the rest is wrong: then the error is JSON too.
  static func wantsJSON(_ words: [String]) -> Bool {
    words.prefix { $0 != "--" }.contains("--format=json")
      || zip(words, words.dropFirst()).contains { $0 == ("--format") && $1 == "json" }
  }

  private init(words: [String]) { self.words = words }

  private mutating func parse() throws(UsageError) -> Invocation {
    while position < words.count {
      let word = words[position]
      position += 1
      if isAfterDashes || word == "-" || !word.hasPrefix("-") {
        try takeOperand(word)
      } else if word == "--" {
        isAfterDashes = true
      } else {
        try takeOption(word)
      }
    }
    if let command, !parsed.flag("help") { try assignOperands(command.spec) }
    return Invocation(command: command, arguments: parsed)
  }

  private mutating func takeOperand(_ word: String) throws(UsageError) {
    guard command == nil else {
      operands.append(word)
      return
    }
    guard let found = CommandTable.command(named: word) else { throw unknownCommand(word) }
    command = found
    parsed.command = found.spec.name
  }

  private mutating func takeOption(_ word: String) throws(UsageError) {
    let (name, inlineValue) = split(word)
    guard let option = option(named: name) else { throw unknownOption(name, in: word) }
    guard let value = option.value else {
      if inlineValue != nil {
        throw UsageError("`--\(option.name)` takes no value", hint: UsageError.help(command?.spec.name))
      }
      guard parsed.flags.insert(option.name).inserted else { throw repeated(option) }
      return
    }
    let text: String
    if let inlineValue { text = inlineValue } else { text = try nextWord(for: option, value.name) }
    try check(text, for: option, value.kind)
    if parsed.values[option.name] != nil, !option.isRepeatable { throw repeated(option) }
    parsed.values[option.name, default: []].append(text)
  }

  /// `--name=value` → `--name`, `value`.
  private func split(_ word: String) -> (name: String, value: String?) {
    guard word.hasPrefix("--"), let sign = word.firstIndex(of: "=") else { return (word, nil) }
    return (String(word[..<sign]), String(word[word.index(after: sign)...]))
  }

  private func option(named name: String) -> OptionSpec? {
    known.first { "--\($0.name)" == name || $0.short.map { "-\($0)" } == name }
  }

  private var known: [OptionSpec] { (command?.spec.options ?? []) + GlobalOptions.specs }

  private mutating func nextWord(for option: OptionSpec, _ valueName: String) throws(UsageError) -> String {
    guard position < words.count else {
      throw UsageError("`--\(option.name)` needs a value: `--\(option.name) \(valueName)`", hint: help)
    }
    let word = words[position]
    if word.hasPrefix("-"), word != "-" {
      throw UsageError(
        "`--\(option.name)` needs a value, and `\(shown(word))` looks like an option",
        hint: "if it is the value, write `--\(option.name)=\(shown(word))`")
    }
    position += 1
    return word
  }

  private func check(_ text: String, for option: OptionSpec, _ kind: ValueKind) throws(UsageError) {
    if text.isEmpty { throw UsageError("the value of `--\(option.name)` is empty", hint: help) }
    if case .words(let words) = kind, !words.contains(text) {
      throw UsageError(
        "`--\(option.name)` is `\(shown(text))`; it must be \(list(words))",
        hint: Suggestion.question(for: text, among: words) ?? help)
    }
  }

  private mutating func assignOperands(_ spec: CommandSpec) throws(UsageError) {
    var rest = operands[...]
    var needed = spec.operands.count { $0.arity != .optional }
    for operand in spec.operands {
      if operand.arity != .optional { needed -= 1 }
      // An optional operand gets no word if the words are only enough for the operands that are needed.
      let isLeftOut = operand.arity == .optional && rest.count <= needed
      let taken = isLeftOut ? [] : operand.arity == .oneOrMore ? rest : rest.prefix(1)
      if taken.isEmpty, operand.arity != .optional {
        throw UsageError("`\(operand.name)` is missing: \(operand.summary)", hint: "usage: \(spec.usage)")
      }
      for text in taken { try check(text, for: operand) }
      if !taken.isEmpty { parsed.operands[operand.name] = Array(taken) }
      rest = rest.dropFirst(taken.count)
    }
    if let extra = rest.first {
      throw UsageError("`\(shown(extra))` is one word too many", hint: "usage: \(spec.usage)")
    }
  }

  private func check(_ text: String, for operand: OperandSpec) throws(UsageError) {
    if text.isEmpty { throw UsageError("`\(operand.name)` is empty: \(operand.summary)", hint: help) }
    if case .words(let words) = operand.kind, !words.contains(text) {
      throw UsageError(
        "`\(shown(text))` is not \(list(words))", hint: Suggestion.question(for: text, among: words) ?? help)
    }
  }

  private var help: String { UsageError.help(command?.spec.name) }
  private func shown(_ text: String) -> String { DisplayText.escaped(text, limit: 80) }
  private func list(_ words: [String]) -> String { words.map { "`\($0)`" }.joined(separator: " or ") }

  private func repeated(_ option: OptionSpec) -> UsageError {
    UsageError("`--\(option.name)` is given twice", hint: "leave one of them out")
  }

  private func unknownCommand(_ word: String) -> UsageError {
    if CommandTable.later.contains(word) {
      return UsageError(
        "`\(word)` is not supported yet", code: .notSupported, hint: "`runbook help` lists the commands")
    }
    let suggestion = Suggestion.question(for: word, among: CommandTable.names)
    return UsageError(
      "there is no command `\(shown(word))`", code: .unknownCommand,
      hint: suggestion ?? "`runbook help` lists the commands")
  }

  private func unknownOption(_ name: String, in word: String) -> UsageError {
    let bare = String(name.drop { $0 == "-" })
    if ["token", "password", "secret", "api-key", "key-file"].contains(bare) {
      return UsageError(
        "secrets are not taken from the command line, where every user of this machine can read them",
        code: .secret, hint: "declare it under `secrets:` in the runbook, with `source: env` or `source: file`")
    }
    if command == nil, CommandTable.options.contains(where: { "--\($0)" == name }) {
      return UsageError(
        "`\(shown(name))` stands before the command", hint: "write the command first: `runbook COMMAND \(shown(name))`")
    }
    if command?.spec.operands.first?.name == "EXPR", operands.isEmpty {
      return UsageError(
        "`\(shown(word))` looks like an option", code: .unknownOption,
        hint: "put `--` before an expression that begins with `-`: `runbook eval -- '\(shown(word))'`")
    }
    let suggestion = habit(name) ?? Suggestion.question(for: name, among: known.map { "--\($0.name)" })
    let place = command.map { " of `runbook \($0.spec.name)`" } ?? ""
    return UsageError(
      "`\(shown(name))` is no option\(place)", code: .unknownOption, hint: suggestion ?? help)
  }

  /// How to get here what an option of this name does in other tools; nil if we know no tool that has it.
  private func habit(_ name: String) -> String? {
    guard let spec = command?.spec else { return nil }
    let bare = String(name.drop { $0 == "-" })
    if ["check", "dry-run", "dryrun", "diff", "n"].contains(bare) {
      switch spec.name {
      case "run": return "`runbook plan` shows what would be done, `runbook run --simulate` tries it out"
      case "rerun": return "`runbook plan` shows what the file would do, `runbook run --simulate` tries it out"
      case "gc": return "`--list` shows what would be removed"
      case "resume", "rollback", "cancel", "resolve":
        return "`runbook show` shows what is left to do, and changes nothing"
      default: return nil
      }
    }
    let isInput =
      ["e", "extra-vars", "var", "set", "param"].contains(bare) || name.hasPrefix("-e") && bare.contains("=")
    guard isInput, spec.options.contains(where: { $0.name == "input" }) else { return nil }
    return "`--input NAME=VALUE` gives an input, `--inputs FILE` all of them"
  }
}
