import Runbook

/// `runbook plan FILE`: what would happen, in order.
struct PlanCommand: Command {
  static let spec = CommandSpec(
    name: "plan", summary: "show what a run would do, in order, and what would undo it",
    details: """
      Evaluates everything that is known before the run; the rest prints as `(known after apply)`. Touches no network and \
      resolves no secret.
      """,
    operands: [OperandSpec("FILE", .file, .one, "the runbook, a YAML file")],
    options: [RunOptions.input, RunOptions.inputs],
    examples: [
      .init("runbook plan deploy.yaml --input server=12345", "list the steps, their effects and their undo steps"),
      .init("runbook plan deploy.yaml --inputs production.json", "take the inputs from a file"),
    ],
    group: .write)

  init(_ arguments: ParsedArguments) throws(UsageError) {}
  func run(in shell: Shell) async -> ExitCode { .usage }
}
