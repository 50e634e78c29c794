/// `runbook help [COMMAND]`.
struct HelpCommand: Command {
  static let spec = CommandSpec(
    name: "help", summary: "explain a command by example",
    operands: [OperandSpec("COMMAND", .text, .optional, "a command, or `exit-codes`; without it an overview")],
    options: [.flag("man", "the manual page, in roff")],
    examples: [
      .init("runbook help run", "show how to run a runbook"),
      .init("runbook help exit-codes", "list what a script gets back"),
      .init("runbook help --man > runbook.1", "write the manual page"),
    ],
    group: .around)

  private let topic: String?
  private let isMan: Bool

  init(_ arguments: ParsedArguments) throws(UsageError) {
    topic = arguments.operand("COMMAND")
    isMan = arguments.flag("man")
    guard let topic, topic != "exit-codes", CommandTable.command(named: topic) == nil else { return }
    _ = try CommandLineParser.parse([topic])  // says what is wrong with it
  }

  func run(in shell: Shell) async -> ExitCode {
    shell.output.result(text)
    return .succeeded
  }

  private var text: String {
    if isMan { return ManPage.text }
    guard let topic else { return HelpText.overview }
    return CommandTable.command(named: topic).map { HelpText.page(for: $0.spec) } ?? HelpText.exitCodes
  }
}
