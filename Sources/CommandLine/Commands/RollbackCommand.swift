import Runbook

/// `runbook rollback resume|skip|abandon RUN`.
struct RollbackCommand: Command {
  static let spec = CommandSpec(
    name: "rollback", summary: "go on with a rollback that stopped, or decide what to do about it",
    details: """
      A rollback stops at the first undo step that fails for good, because older ones assume that it happened. \
      `resume` tries it again and goes on; `skip` says that ENTRY was undone by hand (then `resume`); `abandon` \
      leaves everything as it is.
      """,
    operands: [
      OperandSpec("WHAT", .words(["resume", "skip", "abandon"]), .one, "what to do"),
      OperandSpec("RUN", .run, .one, "the id of the run"),
      OperandSpec("ENTRY", .text, .optional, "for `skip`: the undo step, as `runbook show RUN` names it"),
    ],
    options: [.value("reason", "TEXT", .text, "why, for the journal; `skip` and `abandon` need it")],
    examples: [
      .init("runbook rollback resume r0123456789abcdefghi", "try the failed undo step again and go on"),
      .init(
        "runbook rollback skip r0123456789abcdefghi 'update.undo[0]' --reason 'restored by hand'",
        "leave this one out"),
      .init(
        "runbook rollback abandon r0123456789abcdefghi --reason 'server is being replaced'",
        "leave things as they are and free the locks"),
    ],
    group: .act)

  private let what: String
  private let id: String
  private let entry: String?
  private let reason: String?

  init(_ arguments: ParsedArguments) throws(UsageError) {
    what = try arguments.required("WHAT")
    id = try arguments.required("RUN")
    entry = arguments.operand("ENTRY")
    reason = arguments.value("reason")
    if what == "skip", entry == nil {
      throw UsageError(
        "`ENTRY` is missing: the undo step to leave out", hint: "`runbook show RUN` names it, such as `update.undo[0]`")
    }
    if what != "skip", entry != nil {
      throw UsageError("`rollback \(what)` takes no ENTRY", hint: UsageError.help("rollback"))
    }
    if what != "resume", reason == nil {
      throw UsageError("`--reason` is missing: the journal keeps why", hint: "add --reason 'restored by hand'")
    }
    if what == "resume", reason != nil {
      throw UsageError("`rollback resume` takes no --reason", hint: UsageError.help("rollback"))
    }
  }

  func run(in shell: Shell) async -> ExitCode {
    InterruptDesk.shared.open()
    do throws(Refusal) {
      let (access, _) = try StoreAccess.forRun(id, shell)
      access.tellOwnerless(shell, but: id)
      return try await Resumption(id, access, shell).decide(carriesOn: what == "resume") {
        (desk: inout RollbackDesk) throws(Refusal) in try decide(&desk, shell)
      }
    } catch {
      return shell.refuse(error)
    }
  }

  private func decide(_ desk: inout RollbackDesk, _ shell: Shell) throws(Refusal) {
    guard desk.canResume else {
      throw Refusal(
        .usage, "E-NO-ROLLBACK", "run \(id) has no rollback that stopped",
        hint: "`runbook show \(id)` says where it stands")
    }
    let now = SystemClock().now
    let by = Ownership.requester
    do throws(StoreFailure) {
      switch what {
      case "resume":
        if let oldest = desk.oldestOwed {
          let steps = desk.owed.joined(separator: ", ")
          shell.note("undoing \(steps); the oldest of it was changed \((now - oldest).elapsedText) ago")
        }
        try desk.resume(by: by)
      case "skip":
        guard let entry, try desk.skip(entry, reason: reason ?? "", by: by) else {
          throw StoreFailure.notFound("")
        }
        say(
          shell, "skipped `\(DisplayText.escaped(entry, limit: 100))`",
          "`runbook rollback resume \(id)` goes on with the rest")
      default:
        try desk.abandon(reason: reason ?? "", by: by)
        say(shell, "the rollback is abandoned; things stay as they are, and the locks are free", nil)
      }
    } catch {
      guard case .notFound = error else { throw Refusal(error, run: id) }
      throw Refusal(
        .usage, "E-NO-ENTRY", "there is no undo step `\(DisplayText.escaped(entry ?? "", limit: 100))` left to be done",
        hint: "left are those of: \(desk.skippable.map { DisplayText.escaped($0, limit: 100) }.joined(separator: ", "))")
    }
  }

  private func say(_ shell: Shell, _ words: String, _ next: String?) {
    if shell.wantsJSON {
      shell.output.result(json: ["v": 1, "run_id": .string(id), "requested": .string("rollback.\(what)")])
    } else {
      shell.output.result(words + "\n")
    }
    if let next { shell.note(next) }
  }
}
