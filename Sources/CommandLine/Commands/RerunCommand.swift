import Runbook

/// `runbook rerun RUN`.
struct RerunCommand: Command {
  static let spec = CommandSpec(
    name: "rerun", summary: "start an ended run anew, from a step on",
    details: """
      A new run with the inputs of the earlier one and the file as it is now. With --from the outputs of the steps before \
      it are taken over from the earlier run.
      """,
    operands: [OperandSpec("RUN", .run, .one, "the id of the earlier run")],
    options: [.value("from", "STEP", .text, "the first step to do; the ones before it keep their outputs")],
    examples: [
      .init("runbook rerun r0123456789abcdefghi", "do all of it again"),
      .init("runbook rerun r0123456789abcdefghi --from update", "try again from the step that failed"),
    ],
    group: .run)

  init(_ arguments: ParsedArguments) throws(UsageError) {}
  func run(in shell: Shell) async -> ExitCode { .usage }
}
