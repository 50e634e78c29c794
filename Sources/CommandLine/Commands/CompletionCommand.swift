import Runbook

/// `runbook completion bash|zsh|fish`.
struct CompletionCommand: Command {
  static let spec = CommandSpec(
    name: "completion", summary: "print the completions for a shell",
    operands: [OperandSpec("SHELL", .words(["bash", "zsh", "fish"]), .one, "the shell they are for")],
    examples: [
      .init("source <(runbook completion bash)", "complete commands, options, files and run ids in this bash"),
      .init("runbook completion fish > ~/.config/fish/completions/runbook.fish", "keep them for every fish"),
    ],
    group: .around)

  private let shellName: String

  init(_ arguments: ParsedArguments) throws(UsageError) { shellName = try arguments.required("SHELL") }

  func run(in shell: Shell) async -> ExitCode {
    switch shellName {
    case "zsh": shell.output.result(ZshCompletion.script)
    case "fish": shell.output.result(FishCompletion.script)
    default: shell.output.result(BashCompletion.script)
    }
    return .succeeded
  }
}
