import Runbook

/// `runbook show RUN`.
struct ShowCommand: Command {
  static let spec = CommandSpec(
    name: "show", summary: "show a run: its steps, what was undone, what stands",
    operands: [OperandSpec("RUN", .run, .one, "the id of the run")],
    examples: [
      .init("runbook show r0123456789abcdefghi", "tell what state things are in, and what to type next"),
      .init("runbook show r0123456789abcdefghi --format json", "the same for a program"),
    ],
    group: .look)

  init(_ arguments: ParsedArguments) throws(UsageError) {}
  func run(in shell: Shell) async -> ExitCode { .usage }
}
