import Runbook

/// `runbook rollback resume|skip|abandon RUN`.
struct RollbackCommand: Command {
  static let spec = CommandSpec(
    name: "rollback", summary: "go on with a rollback that stopped, or decide what to do about it",
    details: """
      A rollback stops at the first undo step that fails for good, because older ones assume that it happened. `resume` tries \
      it again and goes on; `skip` says that ENTRY was undone by hand (then `resume`); `abandon` leaves everything as it is.
      """,
    operands: [
      OperandSpec("WHAT", .words(["resume", "skip", "abandon"]), .one, "what to do"),
      OperandSpec("RUN", .run, .one, "the id of the run"),
      OperandSpec("ENTRY", .text, .optional, "for `skip`: the undo step, as `runbook show RUN` names it"),
    ],
    options: [.value("reason", "TEXT", .text, "why, for the journal; `skip` and `abandon` need it")],
    examples: [
      .init("runbook rollback resume r0123456789abcdefghi", "try the failed undo step again and go on"),
      .init("runbook rollback skip r0123456789abcdefghi 'update.undo[0]' --reason 'restored by hand'", "leave this one out"),
      .init("runbook rollback abandon r0123456789abcdefghi --reason 'server is being replaced'", "leave things as they are and free the locks"),
    ],
    group: .act)

  init(_ arguments: ParsedArguments) throws(UsageError) {}
  func run(in shell: Shell) async -> ExitCode { .usage }
}
