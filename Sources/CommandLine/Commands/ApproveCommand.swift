import Operations
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
    let decision = DecideApproval(
      run, step: step, isApproval: isApproval, comment: comment, seen: seen, access.context)
    tell(
      try await told { () throws(OperationRefusal) in try await decision.give { shell.noteOwnerIsBusy() } }, shell)
    return .succeeded
  }

  private func tell(_ outcome: DecideApproval.Outcome, _ shell: Shell) {
    let (question, isHeeded, isLive) = (outcome.question, outcome.isHeeded, outcome.isLive)
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
