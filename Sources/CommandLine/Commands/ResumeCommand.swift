import Runbook

/// `runbook resume RUN`.
struct ResumeCommand: Command {
  static let spec = CommandSpec(
    name: "resume", summary: "carry on a run that has not ended",
    details: """
      After a crash, a reboot or a second Ctrl-C. Steps whose outcome was lost are looked at first: nothing is repeated that \
      might have happened. A run whose owner lives is refused (exit 7).
      """,
    operands: [OperandSpec("RUN", .run, .one, "the id of the run, as `runbook list` shows it")],
    examples: [.init("runbook resume r0123456789abcdefghi", "go on where it stopped")],
    group: .run)

  init(_ arguments: ParsedArguments) throws(UsageError) {}
  func run(in shell: Shell) async -> ExitCode { .usage }
}
