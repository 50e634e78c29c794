import Runbook

/// `runbook logs RUN [--follow]`.
struct LogsCommand: Command {
  static let spec = CommandSpec(
    name: "logs", summary: "print what happened in a run, one line an event",
    operands: [OperandSpec("RUN", .run, .one, "the id of the run")],
    options: [.flag("follow", "go on until the run ends, and end with its exit code")],
    examples: [
      .init("runbook logs r0123456789abcdefghi", "print the whole story"),
      .init("runbook logs r0123456789abcdefghi --follow", "watch a run of another terminal or machine"),
      .init("runbook logs r0123456789abcdefghi -v", "with outputs, attempts and every detail"),
    ],
    group: .look)

  init(_ arguments: ParsedArguments) throws(UsageError) {}
  func run(in shell: Shell) async -> ExitCode { .usage }
}
