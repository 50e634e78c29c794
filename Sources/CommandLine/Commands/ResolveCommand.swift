import Operations
import Runbook

/// `runbook resolve RUN STEP --applied|--not-applied|--retry|--fail`.
struct ResolveCommand: Command {
  static let spec = CommandSpec(
    name: "resolve", summary: "say what happened to a step whose outcome was lost",
    details: """
      If a step leaves no trace, the engine cannot find out after a crash whether it took effect, and never repeats it \
      by itself. Look at the server, then give one of the four answers. An answer counts once, for the question that \
      is open now. A second answer is refused, and the message names the first.
      """,
    operands: [
      RunOptions.run,
      OperandSpec("STEP", .text, .one, "the step that waits for an answer"),
    ],
    options: [
      .flag("applied", "it took effect: go on after it"),
      .flag("not-applied", "it did not: the step has failed and changed nothing"),
      .flag("retry", "do it again in any case"),
      .flag("fail", "count it as failed, and undo it"),
    ],
    examples: [
      .init("runbook resolve r0123456789abcdefghi update --applied", "the update ran: carry on"),
      .init("runbook resolve r0123456789abcdefghi update --fail", "undo it, whether it ran or not"),
    ],
    group: .act)

  private var id: String
  private let step: String
  private let answer: Resolution

  init(_ arguments: ParsedArguments) throws(UsageError) {
    id = arguments.operand("RUN") ?? ""
    step = try arguments.required("STEP")
    if id.isEmpty, RunID.isWellFormed(step) || step == "latest" {
      throw UsageError("`STEP` is missing: the step that waits for an answer", hint: UsageError.help("resolve"))
    }
    let answers = Resolution.allCases.filter { arguments.flag($0.rawValue) }
    guard answers.count == 1, let answer = answers.first else {
      throw UsageError(
        answers.isEmpty ? "say what happened to the step" : "more than one answer is given",
        hint: "say one of `--applied`, `--not-applied`, `--retry`, `--fail`")
    }
    self.answer = answer
  }

  func run(in shell: Shell) async -> ExitCode {
    do throws(Refusal) {
      let (access, run) = try await StoreAccess.forRun(id, shell)
      var command = self
      command.id = run.id
      return try await command.carryOut(access, run, shell)
    } catch {
      return shell.refuse(error)
    }
  }

  private func carryOut(
    _ access: StoreAccess, _ run: RunSummary, _ shell: Shell
  ) async throws(Refusal) -> ExitCode {
    let resolution = ResolveStep(run, step: step, answer, access.context)
    tell(
      try await told { () throws(OperationRefusal) in try await resolution.give { shell.noteOwnerIsBusy() } }, shell)
    return .succeeded
  }

  private func tell(_ isLive: Bool, _ shell: Shell) {
    if shell.wantsJSON {
      shell.output.result(json: ["v": 1, "run_id": .string(id), "requested": "resolve", "ownerless": .bool(!isLive)])
    } else {
      shell.output.result("answer noted: `\(DisplayText.escaped(step, limit: 100))` \(answer.rawValue)\n")
    }
    shell.note(
      isLive
        ? "`\(Advice.line("logs", id, "--follow"))` watches it"
        : "`\(Advice.line("resume", id))` carries the run on")
  }
}
