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
    let outlook = try await access.openOutlook(of: run)
    let question = try question(outlook)
    switch try await post(access, question, after: outlook.lastRequest) {
    case .refused(let earlier): throw await isAnswered(earlier, access)
    case .posted(let number):
      let word =
        await access.isLive(id)
        ? try await access.word(on: number, to: id, after: outlook.lastSequence, shell) : .silent
      if case .ignored(let reason) = word { throw isTooLate(reason) }
      tell(await access.isLive(id), shell)
    }
    return .succeeded
  }

  /// The number of the open question.
  /// - Throws: none is open about this step.
  private func question(_ outlook: RunOutlook) throws(Refusal) -> Int {
    if let open = outlook.openQuestion, open.step == step { return open.number }
    let waiting =
      outlook.openQuestion.map { "it waits for an answer about `\(DisplayText.escaped($0.step, limit: 100))`" }
      ?? "it waits for no answer"
    throw Refusal(
      .usage, .notWaiting,
      "run \(id) does not wait for an answer about `\(DisplayText.escaped(step, limit: 100))`: \(waiting)",
      hint: "`\(Advice.line("show", id))` shows its state")
  }

  /// One answer a question: of two people who answer at once one is told of the other.
  private func post(_ access: StoreAccess, _ question: Int, after heeded: Int64) async throws(Refusal) -> PostedRequest
  {
    let body: Value = [
      "step": .string(step), "answer": .string(answer.rawValue), "question": .int(Int64(question)),
    ]
    return try await access.post("resolve", body, to: id) { $0.id > heeded && $0.answers(question: question) }
  }

  private func isAnswered(_ earlier: RunRequest, _ access: StoreAccess) async -> Refusal {
    let by = DisplayText.escaped(earlier.requester, limit: 64)
    var answer = ""
    if case .resolve(_, let resolution, _, _, _)? = RunControl.Message(earlier) {
      answer = " (`--\(resolution.rawValue)`)"
    }
    return Refusal(
      .usage, .answered,
      "already answered by \(by) at \(earlier.at.wholeSecond)\(answer)",
      hint: await access.isLive(id) ? "the run's owner carries it out" : "`\(Advice.line("resume", id))` carries it out"
    )
  }

  private func isTooLate(_ reason: String) -> Refusal {
    Refusal(
      .usage, .tooLate, "the answer came too late: \(DisplayText.escaped(reason, limit: 300))",
      hint: "`\(Advice.line("show", id))` shows the state of the run")
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
