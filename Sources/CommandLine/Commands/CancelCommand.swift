import Runbook

/// `runbook cancel RUN`.
struct CancelCommand: Command {
  static let spec = CommandSpec(
    name: "cancel", summary: "stop a run and undo what it did",
    details: "The run's owner reads the request within a second. A run without an owner does it as soon as it is resumed.",
    operands: [OperandSpec("RUN", .run, .one, "the id of the run")],
    options: [.flag("no-rollback", "leave everything as it is; its undo steps stay pending")],
    examples: [
      .init("runbook cancel r0123456789abcdefghi", "stop it and undo its steps, newest first"),
      .init("runbook cancel r0123456789abcdefghi --no-rollback", "stop it and touch nothing more"),
    ],
    group: .act)

  init(_ arguments: ParsedArguments) throws(UsageError) {}
  func run(in shell: Shell) async -> ExitCode { .usage }
}
