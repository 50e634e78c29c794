import Runbook

/// `runbook resolve RUN STEP --applied|--not-applied|--retry|--fail`.
struct ResolveCommand: Command {
  static let spec = CommandSpec(
    name: "resolve", summary: "say what became of a step whose outcome was lost",
    details: """
      A step that leaves no trace cannot be looked up after a crash, and is never repeated unasked. Look at the server, then \
      say one of the four.
      """,
    operands: [
      OperandSpec("RUN", .run, .one, "the id of the run"), OperandSpec("STEP", .text, .one, "the step that waits for an answer"),
    ],
    options: [
      .flag("applied", "it took effect: go on after it"),
      .flag("not-applied", "it did not: the step has failed and changed nothing"),
      .flag("retry", "do it again, whatever happened"),
      .flag("fail", "count it as failed, and undo it"),
    ],
    examples: [
      .init("runbook resolve r0123456789abcdefghi update --applied", "the update ran: carry on"),
      .init("runbook resolve r0123456789abcdefghi update --fail", "undo it, whether it ran or not"),
    ],
    group: .act)

  init(_ arguments: ParsedArguments) throws(UsageError) {}
  func run(in shell: Shell) async -> ExitCode { .usage }
}
