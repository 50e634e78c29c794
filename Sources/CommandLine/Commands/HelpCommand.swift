import Runbook

/// `runbook help [TOPIC]`.
struct HelpCommand: Command {
  static let spec = CommandSpec(
    name: "help", summary: "explain a command, an action or a code by example",
    operands: [
      OperandSpec(
        "TOPIC", .text, .optional,
        "a command, an action, a code, `actions`, `codes`, `error-kinds` or `exit-codes`; without it an overview")
    ],
    options: [.flag("man", "the manual page, in roff")],
    examples: [
      .init("runbook help run", "show how to run a runbook"),
      .init("runbook help actions", "list the actions of steps"),
      .init("runbook help ssh.copy", "explain an action: its fields, outputs and lost replies"),
      .init("runbook help E-YAML-QUOTE", "explain a code, with a wrong and a right file"),
      .init("runbook help codes", "list every code in one line each"),
      .init("runbook help error-kinds", "list the kinds of failure in `error.kind`"),
      .init("runbook help exit-codes", "list the exit codes"),
      .init("runbook help --man > runbook.1", "write the manual page"),
    ],
    group: .around)

  private static let topics: Set<String> = ["exit-codes", "actions", "codes", "error-kinds"]

  private let topic: String?
  private let isMan: Bool

  init(_ arguments: ParsedArguments) throws(UsageError) {
    topic = arguments.operand("TOPIC")
    isMan = arguments.flag("man")
    guard let topic, !Self.topics.contains(topic), CommandTable.command(named: topic) == nil else { return }
    if CodeHelp.isCode(topic) {
      guard CodeHelp.text(of: topic) == nil else { return }
      throw UsageError(
        "there is no code `\(DisplayText.escaped(topic, limit: 60))`",
        hint: CodeHelp.nearest(to: topic).map { "did you mean `\($0)`?" } ?? "`runbook help codes` lists them")
    }
    guard topic.contains("."), ActionHelp.page(topic) == nil else {
      if ActionHelp.page(topic) == nil { _ = try CommandLineParser.parse([topic]) }  // says what is wrong with it
      return
    }
    throw UsageError(
      "there is no action `\(DisplayText.escaped(topic, limit: 60))`",
      hint: Suggestion.hint(for: topic, among: ActionHelp.pages.map { $0.name }) ?? "`runbook help actions` lists them")
  }

  func run(in shell: Shell) async -> ExitCode {
    shell.output.result(text)
    return .succeeded
  }

  private var text: String {
    if isMan { return ManPage.text }
    guard let topic else { return HelpText.overview }
    switch topic {
    case "actions": return ActionHelp.list
    case "codes": return CodeHelp.list
    case "error-kinds": return CodeHelp.errors
    case "exit-codes": return HelpText.exitCodes
    default: break
    }
    if let text = CodeHelp.text(of: topic) { return text }
    // `run` and `approve` are commands, and what a step can do.
    let parts = [
      CommandTable.command(named: topic).map { HelpText.page(for: $0.spec) },
      ActionHelp.page(topic).map { ActionHelp.text(of: $0) },
    ].compactMap { $0 }
    return parts.isEmpty ? HelpText.exitCodes : parts.joined(separator: "\nIn a runbook, ")
  }
}
