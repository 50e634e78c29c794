import Runbook

/// `runbook cancel RUN`.
struct CancelCommand: Command {
  static let spec = CommandSpec(
    name: "cancel", summary: "stop a run and undo its changes",
    details:
      """
      The run's owner reads the request within a second, and the command waits for its answer. A run that was interrupted \
      carries it out as soon as it is resumed. During a rollback, in `always` and after it there is nothing to cancel.
      """,
    operands: [RunOptions.run],
    options: [
      .flag("no-rollback", "leave everything as it is; its undo steps stay pending, and it keeps its locks"),
      .flag("restored", "cancel although the store was put back from an older copy, and the run may have done more"),
    ],
    examples: [
      .init("runbook cancel r0123456789abcdefghi", "stop it and undo its steps, newest first"),
      .init("runbook cancel r0123456789abcdefghi --no-rollback", "stop it and touch nothing more"),
    ],
    group: .act)

  private var id: String
  private let rollsBack: Bool
  private let acceptsRestored: Bool

  init(_ arguments: ParsedArguments) throws(UsageError) {
    id = arguments.operand("RUN") ?? ""
    rollsBack = !arguments.flag("no-rollback")
    acceptsRestored = arguments.flag("restored")
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
    guard run.status != "ended" else { throw hasEnded }
    let outlook = try await access.outlook(of: id)
    if run.isRestored || outlook?.isRestored == true, !acceptsRestored {
      throw rollsBack ? Refusal.restored(id, "cancel", id) : Refusal.restored(id, "cancel", id, "--no-rollback")
    }
    if let reason = outlook?.cancelRefusal { throw isTooLate(reason) }
    switch try await post(access, after: outlook?.lastRequest ?? 0) {
    case .refused(let earlier): try await tell(earlier, access, shell)
    case .posted(let number):
      let sequence = outlook?.lastSequence ?? 0
      let word = try await access.isLive(id) ? access.word(on: number, to: id, after: sequence, shell) : .silent
      try await tell(word, access, shell)
    }
    await access.tellOwnerless(shell, but: id)
    return .succeeded
  }

  /// One cancel at a time: who asks again is told of the first.
  private func post(_ access: StoreAccess, after heeded: Int64) async throws(Refusal) -> PostedRequest {
    let acceptsRestored = acceptsRestored
    var body: [String: Value] = ["rollback": .bool(rollsBack)]
    if acceptsRestored { body["restored"] = true }
    return try await access.post("cancel", .map(body), to: id) { earlier in
      guard earlier.id > heeded, case .cancel(_, _, _, let restored)? = RunControl.Message(earlier) else {
        return false
      }
      return restored || !acceptsRestored
    }
  }

  private func tell(_ earlier: RunRequest, _ access: StoreAccess, _ shell: Shell) async throws(Refusal) {
    let by = DisplayText.escaped(earlier.requester, limit: 64)
    let asked = "a cancel was asked for already, by \(by) at \(earlier.at.wholeSecond)"
    let next = await access.isLive(id) ? "its owner carries it out" : "`\(Advice.line("resume", id))` carries it out"
    guard case .cancel(_, rollsBack, _, _)? = RunControl.Message(earlier) else {
      let other = rollsBack ? "without undoing anything" : "with undoing its changes"
      throw Refusal(.usage, .asked, "\(asked), \(other)", hint: next)
    }
    say(asked, "asked already", await access.isLive(id), shell)
    shell.note(next)
  }

  private func tell(_ word: OwnerWord, _ access: StoreAccess, _ shell: Shell) async throws(Refusal) {
    let what = rollsBack ? "its changes will be undone" : "its changes stay as they are"
    let isLive = await access.isLive(id)
    switch word {
    case .ignored(let reason): throw isTooLate(reason)
    case .heeded:
      say("the run is being cancelled; \(what)", "heeded", isLive, shell)
      shell.note(
        isLive
          ? "`\(Advice.line("logs", id, "--follow"))` watches it"
          : "`\(Advice.line("show", id))` says how it ended")
    case .silent:
      if let run = try? await access.store.summary(of: id), run.status == "ended" { throw hasEnded }
      say("cancel asked for; \(what)", "asked", isLive, shell)
      shell.note(
        isLive
          ? "its owner has not answered yet: it finishes a call that cannot be cut short; "
            + "`\(Advice.line("logs", id, "--follow"))` watches it"
          : "no process works on it now: `\(Advice.line("resume", id))` carries the cancel out")
    }
  }

  private func say(_ words: String, _ answer: String, _ isLive: Bool, _ shell: Shell) {
    guard shell.wantsJSON else { return shell.output.result("\(words)\n") }
    shell.output.result(json: [
      "v": 1, "run_id": .string(id), "requested": "cancel", "answer": .string(answer), "ownerless": .bool(!isLive),
    ])
  }

  private var hasEnded: Refusal {
    Refusal(.usage, .ended, "run \(id) has ended already", hint: "`\(Advice.line("show", id))` says how")
  }

  private func isTooLate(_ reason: String) -> Refusal {
    Refusal(
      .usage, .tooLate, "run \(id) is not cancelled: \(DisplayText.escaped(reason, limit: 300))",
      hint: "`\(Advice.line("show", id))` shows its state")
  }
}
