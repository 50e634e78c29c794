import Runbook

/// `runbook approve RUN [STEP]`.
struct ApproveCommand: Command {
  static let spec = CommandSpec(
    name: "approve", summary: "allow a step that waits for an approval",
    details: """
      Prints the question, and lets the run go on. `runbook show RUN` shows the question first. An approval counts \
      once, and for one question: with `--seen` it is refused if the run asks something else now. The person who \
      started a run cannot approve it, unless the step says `allow_requester: true`.
      """,
    operands: AnswerDesk.operands,
    options: [
      AnswerDesk.comment,
      .value("seen", "DIGEST", .text, "the digest of the question that you were shown, as `runbook show` prints it"),
    ],
    examples: [
      .init("runbook approve r0123456789abcdefghi", "allow the one step that waits"),
      .init("runbook approve r0123456789abcdefghi go --seen 4f1c09a2b3d4 --comment 'ticket 812'", "the same, bound"),
    ],
    group: .act)

  private let desk: AnswerDesk

  init(_ arguments: ParsedArguments) throws(UsageError) {
    desk = try AnswerDesk(arguments, isApproval: true)
  }

  func run(in shell: Shell) async -> ExitCode { await desk.run(in: shell) }
}

/// `runbook reject RUN [STEP]`.
struct RejectCommand: Command {
  static let spec = CommandSpec(
    name: "reject", summary: "refuse a step that waits for an approval",
    details: """
      The step fails with the kind `rejected`, and the steps before it are undone. In an undo list the rollback stops \
      there, and waits for a person. Everybody may reject, also the person who started the run.
      """,
    operands: AnswerDesk.operands, options: [AnswerDesk.comment],
    examples: [
      .init("runbook reject r0123456789abcdefghi --comment 'not on a Friday'", "refuse the one step that waits")
    ],
    group: .act)

  private let desk: AnswerDesk

  init(_ arguments: ParsedArguments) throws(UsageError) {
    desk = try AnswerDesk(arguments, isApproval: false)
  }

  func run(in shell: Shell) async -> ExitCode { await desk.run(in: shell) }
}

/// Carries a person's answer to the run that asks.
struct AnswerDesk: Sendable {
  static let operands = [
    RunOptions.run, OperandSpec("STEP", .text, .optional, "the step that asks; it may be left out"),
  ]
  static let comment: OptionSpec = .value(
    "comment", "TEXT", .text, "why, for the journal and for the others; at most 1000 characters")

  private var id: String
  private var step: String?
  private let isApproval: Bool
  private let comment: String
  private let seen: String?

  init(_ arguments: ParsedArguments, isApproval: Bool) throws(UsageError) {
    id = arguments.operand("RUN") ?? ""
    step = arguments.operand("STEP")
    self.isApproval = isApproval
    comment = arguments.value("comment") ?? ""
    seen = isApproval ? arguments.value("seen") : nil
    guard comment.count <= 1000 else {
      throw UsageError("the comment has \(comment.count) characters", hint: "write at most 1000")
    }
  }

  func run(in shell: Shell) async -> ExitCode {
    do throws(Refusal) {
      let (access, run) = try await StoreAccess.forRun(id, shell)
      var desk = self
      desk.id = run.id
      return try await desk.carryOut(access, run, shell)
    } catch {
      return shell.refuse(error)
    }
  }

  private func carryOut(
    _ access: StoreAccess, _ run: RunSummary, _ shell: Shell
  ) async throws(Refusal) -> ExitCode {
    let outlook = try await access.openOutlook(of: run)
    if outlook.isRestored { throw Refusal.restored(id, "resume", id) }
    let question = try question(outlook)
    try checkSeen(question)
    let answer = ApprovalAnswer(
      step: question.step, question: question.number, digest: question.digest, isApproval: isApproval,
      by: Ownership.requester, comment: comment, at: outlook.clock(SystemClock()).now, request: 0)
    if let reason = outlook.refusal(of: answer) { throw refused(reason, answer, question) }
    let posted = try await access.post(
      isApproval ? ApprovalAnswer.approval : ApprovalAnswer.rejection, answer.message, to: id
    ) { [heeded = outlook.lastRequest, canBeCancelled = outlook.cancelRefusal == nil] earlier in
      guard earlier.id > heeded else { return false }
      if case .cancel? = RunControl.Message(earlier) { return canBeCancelled }
      return AnswerDesk.isInTheWay(earlier, of: answer, question)
    }
    switch posted {
    case .refused(let earlier): throw await isAnswered(earlier, access)
    case .posted(let number):
      let isLive = await access.isLive(id)
      let word = isLive ? try await access.word(on: number, to: id, after: outlook.lastSequence, shell) : .silent
      switch word {
      case .heeded: break
      case .ignored(let reason): throw isTooLate(reason)
      case .silent:
        // The run asks no longer, and its owner has not read the answer: it never will.
        if let later = try await access.outlook(of: id), later.openApproval?.number != question.number,
          later.lastRequest < number
        {
          throw isTooLate("`\(question.step)` had stopped waiting before it was read")
        }
      }
      tell(question, word, isLive: await access.isLive(id), shell)
    }
    return .succeeded
  }

  /// One answer a question; where several people must approve, one a person, and none after a rejection.
  private static func isInTheWay(
    _ earlier: RunRequest, of answer: ApprovalAnswer, _ question: ApprovalQuestion
  ) -> Bool {
    guard earlier.answers(question: question.number) else { return false }
    return question.minimum <= 1 || earlier.requester == answer.by || earlier.kind == ApprovalAnswer.rejection
  }

  private func question(_ outlook: RunOutlook) throws(Refusal) -> ApprovalQuestion {
    if let open = outlook.openApproval, step == nil || step == open.step.text { return open }
    let about = step.map { " about `\(DisplayText.escaped($0, limit: 100))`" } ?? ""
    let instead =
      outlook.openApproval.map { "; it asks about `\(DisplayText.escaped($0.step.text, limit: 100))`" }
      ?? outlook.openQuestion.map {
        "; it waits for `\(Advice.line("resolve", id, $0.step))`, which says whether that step took effect"
      } ?? ""
    throw Refusal(
      .usage, .notWaiting, "run \(id) does not wait for an approval\(about)\(instead)",
      hint: "`\(Advice.line("show", id))` shows its state")
  }

  private func checkSeen(_ question: ApprovalQuestion) throws(Refusal) {
    guard let seen, seen != question.digest else { return }
    throw Refusal(
      .usage, .notSeen,
      "`--seen \(DisplayText.escaped(seen, limit: 40))` is another question; now it asks: "
        + DisplayText.escaped(question.prompt, limit: 1000),
      hint: "if that is what you allow, say `--seen \(question.digest)`")
  }

  private func refused(_ reason: String, _ answer: ApprovalAnswer, _ question: ApprovalQuestion) -> Refusal {
    let isLate = answer.at > question.until
    let hint =
      isLate
      ? "the time to answer is over; `\(Advice.line("show", id))` shows the state of the run"
      : "ask somebody else; everybody who may write to the store can answer"
    return Refusal(
      isLate ? .usage : .refused, isLate ? .tooLate : .approver, DisplayText.escaped(reason, limit: 300), hint: hint)
  }

  private func isAnswered(_ earlier: RunRequest, _ access: StoreAccess) async -> Refusal {
    let by = DisplayText.escaped(earlier.requester, limit: 64)
    let what =
      switch earlier.kind {
      case ApprovalAnswer.approval: "it was approved"
      case ApprovalAnswer.rejection: "it was rejected"
      default: "a cancel was asked for"
      }
    return Refusal(
      .usage, .answered, "\(what) already, by \(by) at \(earlier.at.wholeSecond)",
      hint: await access.isLive(id) ? "the run's owner carries it out" : "`\(Advice.line("resume", id))` carries it out"
    )
  }

  private func isTooLate(_ reason: String) -> Refusal {
    Refusal(
      .usage, .tooLate, "the answer did not count: \(DisplayText.escaped(reason, limit: 300))",
      hint: "`\(Advice.line("show", id))` shows the state of the run")
  }

  private func tell(_ question: ApprovalQuestion, _ word: OwnerWord, isLive: Bool, _ shell: Shell) {
    let isHeeded = word == .heeded
    let word = isApproval ? "approved" : "rejected"
    if shell.wantsJSON {
      shell.output.result(json: [
        "v": 1, "run_id": .string(id), "requested": .string(isApproval ? "approve" : "reject"),
        "step": .string(question.step.text), "digest": .string(question.digest),
        "ownerless": .bool(!isHeeded && !isLive),
      ])
    } else {
      let path = DisplayText.escaped(question.step.text, limit: 100)
      shell.output.result("\(word) `\(path)`: \(DisplayText.escaped(question.prompt, limit: 1000))\n")
    }
    let watch = "`\(Advice.line("logs", id, "--follow"))` watches it"
    switch (isHeeded, isLive) {
    case (true, _): shell.note(watch)
    case (false, true):
      shell.note("its owner has not read the answer yet: it finishes a call that cannot be cut short; \(watch)")
    case (false, false): shell.note("`\(Advice.line("resume", id))` carries the run on")
    }
  }
}
