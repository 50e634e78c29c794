import Runbook

/// `runbook resolve RUN STEP --applied|--not-applied|--retry|--fail`.
struct ResolveCommand: Command {
  static let spec = CommandSpec(
    name: "resolve", summary: "say what became of a step whose outcome was lost",
    details: """
      A step that leaves no trace cannot be looked up after a crash, and is never repeated unasked. Look at the \
      server, then say one of the four.
      """,
    operands: [
      OperandSpec("RUN", .run, .one, "the id of the run"),
      OperandSpec("STEP", .text, .one, "the step that waits for an answer"),
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

  private let id: String
  private let step: String
  private let answer: Resolution

  init(_ arguments: ParsedArguments) throws(UsageError) {
    id = try arguments.required("RUN")
    step = try arguments.required("STEP")
    let answers = Resolution.allCases.filter { arguments.flag($0.rawValue) }
    guard answers.count == 1, let answer = answers.first else {
      throw UsageError(
        answers.isEmpty ? "what became of the step is not said" : "more than one answer is given",
        hint: "say one of `--applied`, `--not-applied`, `--retry`, `--fail`")
    }
    self.answer = answer
  }

  func run(in shell: Shell) async -> ExitCode {
    do throws(Refusal) {
      let (access, run) = try StoreAccess.forRun(id, shell)
      guard run.status != "ended" else {
        throw Refusal(.usage, "E-ENDED", "run \(id) has ended already", hint: "`runbook show \(id)` says how")
      }
      let report = RunReport(id: id, events: try access.events(of: id))
      guard report.waitingStep == step else {
        let waiting =
          report.waitingStep.map { "it waits for one about `\(DisplayText.escaped($0, limit: 100))`" }
          ?? "it waits for none"
        throw Refusal(
          .usage, "E-NOT-WAITING",
          "run \(id) does not wait for an answer about `\(DisplayText.escaped(step, limit: 100))`: \(waiting)",
          hint: "`runbook show \(id)` says where it stands")
      }
      try access.post("resolve", ["step": .string(step), "answer": .string(answer.rawValue)], to: id)
      let isLive = access.isLive(id)
      if shell.wantsJSON {
        shell.output.result(json: ["v": 1, "run_id": .string(id), "requested": "resolve", "ownerless": .bool(!isLive)])
      } else {
        shell.output.result("answer noted: `\(DisplayText.escaped(step, limit: 100))` \(answer.rawValue)\n")
      }
      shell.note(isLive ? "`runbook logs \(id) --follow` watches it" : "`runbook resume \(id)` carries the run on")
      return .succeeded
    } catch {
      return shell.refuse(error)
    }
  }
}
