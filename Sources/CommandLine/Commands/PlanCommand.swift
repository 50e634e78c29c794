import Runbook

/// `runbook plan FILE`: what would happen, in order.
struct PlanCommand: Command {
  static let spec = CommandSpec(
    name: "plan", summary: "show what a run would do, in order, and what would undo it",
    details: """
      Evaluates everything that is known before the run; the rest prints as `(known after apply)`. Touches no \
      network and resolves no secret.
      """,
    operands: [OperandSpec("FILE", .file, .one, "the runbook, a YAML file")],
    options: [RunOptions.input, RunOptions.inputs],
    examples: [
      .init("runbook plan deploy.yaml --input server=12345", "list the steps, their effects and their undo steps"),
      .init("runbook plan deploy.yaml --inputs production.json", "take the inputs from a file"),
    ],
    group: .write)

  private let file: String
  private let inputs: GivenInputs

  init(_ arguments: ParsedArguments) throws(UsageError) {
    file = try arguments.required("FILE")
    inputs = try GivenInputs(arguments)
  }

  func run(in shell: Shell) async -> ExitCode {
    do throws(Refusal) {
      let runbook = try shell.check(file, isStrict: false).runbook
      let given = try inputs.read(for: runbook, isComplete: false)
      let plan = Plan(runbook, inputs: given, at: SystemClock().now)
      if shell.wantsJSON {
        shell.output.result(json: PlanText.json(plan))
      } else {
        shell.output.result(PlanText.lines(plan).map { DisplayText.escaped($0) + "\n" }.joined())
      }
      return .succeeded
    } catch {
      return shell.refuse(error)
    }
  }
}
