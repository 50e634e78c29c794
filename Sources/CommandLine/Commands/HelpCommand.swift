import Runbook

/// `runbook help [TOPIC]`.
struct HelpCommand: Command {
  static let spec = CommandSpec(
    name: "help", summary: "explain a command or an action by example",
    operands: [
      OperandSpec(
        "TOPIC", .text, .optional, "a command, an action, `actions` or `exit-codes`; without it an overview")
    ],
    options: [.flag("man", "the manual page, in roff")],
    examples: [
      .init("runbook help run", "show how to run a runbook"),
      .init("runbook help actions", "list what a step can do"),
      .init("runbook help ssh.copy", "tell all about one action: its fields, outputs, and what a lost reply means"),
      .init("runbook help exit-codes", "list what a script gets back"),
      .init("runbook help --man > runbook.1", "write the manual page"),
    ],
    group: .around)

  private static let topics: Set<String> = ["exit-codes", "actions"]

  private let topic: String?
  private let isMan: Bool

  init(_ arguments: ParsedArguments) throws(UsageError) {
    topic = arguments.operand("TOPIC")
    isMan = arguments.flag("man")
    guard let topic, !Self.topics.contains(topic), CommandTable.command(named: topic) == nil else { return }
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
    if topic == "actions" { return ActionHelp.list }
    if let command = CommandTable.command(named: topic) { return HelpText.page(for: command.spec) }
    return ActionHelp.page(topic).map { ActionHelp.text(of: $0) } ?? HelpText.exitCodes
  }
}
