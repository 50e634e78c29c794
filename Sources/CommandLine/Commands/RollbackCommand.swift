import Runbook

/// `runbook rollback resume|skip|abandon RUN`.
struct RollbackCommand: Command {
  static let spec = CommandSpec(
    name: "rollback", summary: "go on with a rollback that stopped, or decide what to do about it",
    details: """
      A rollback stops at the first undo step that fails for good, because older undo steps assume that it succeeded. \
      `resume` tries it again and goes on. `skip` leaves out an undo step (`update.undo[0]`), or all remaining undo \
      steps of a step (`update`), because a person has done them by hand; then use `resume`. `abandon` leaves \
      everything as it is and frees the locks. If a person left out an undo step, the run ends with exit code 4.
      """,
    operands: [
      OperandSpec("WHAT", .words(["resume", "skip", "abandon"]), .one, "what to do"),
      RunOptions.run,
      OperandSpec("ENTRY", .text, .optional, "for `skip`: the undo step, as `runbook show RUN` names it"),
    ],
    options: [
      .value("reason", "TEXT", .text, "why, for the journal; `skip` and `abandon` need it"),
      RunOptions.withoutSecret, RunOptions.restored,
    ] + RunReporting.places,
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
  private var id: String
  private var entry: String?
  private let reason: String?
  private let without: [String]
  private let acceptsRestored: Bool
  private let reporting: RunReporting

  init(_ arguments: ParsedArguments) throws(UsageError) {
    what = try arguments.required("WHAT")
    id = arguments.operand("RUN") ?? ""
    entry = arguments.operand("ENTRY")
    reason = arguments.value("reason")
    without = arguments.values(of: "without-secret")
    acceptsRestored = arguments.flag("restored")
    reporting = RunReporting(arguments)
    // One word is the undo step, and the run is left out, unless it can only be a run.
    if what == "skip", entry == nil, id != "latest", !RunID.isWellFormed(id), !id.isEmpty { (entry, id) = (id, "") }
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
    if what != "resume", !without.isEmpty || acceptsRestored {
      throw UsageError(
        "`rollback \(what)` takes no `--\(without.isEmpty ? "restored" : "without-secret")`",
        hint: "it needs no secret, and it answers for a restored store too")
    }
    if what != "resume", let place = reporting.place {
      throw UsageError(
        "`rollback \(what)` takes no `--\(place)`", hint: "it only records your decision; the run does not go on")
    }
    if what == "resume", reason != nil {
      throw UsageError("`rollback resume` takes no --reason", hint: UsageError.help("rollback"))
    }
  }

  func run(in shell: Shell) async -> ExitCode {
    InterruptDesk.shared.open()
    do throws(Refusal) {
      let (access, run) = try StoreAccess.forRun(id, shell)
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
    access.tellOwnerless(shell, but: id)
    let shell = try reporting.opened(shell)
    let resumption = try Resumption(id, access, shell, without: without, acceptsRestored: acceptsRestored)
    let refusal = refusal(
      RunReport(id: id, actions: Composition.actions, events: try access.events(of: id)))
    // Told before a secret that is missing, and after an owner that lives.
    if !access.isLive(id), let outlook = try access.outlook(of: id) {
      guard outlook.canResumeRollback else { throw refusal }
      if what == "resume", outlook.isRestored, !acceptsRestored {
        throw Refusal.restored(id, "rollback", "resume", id)
      }
    }
    return try await resumption.decide(carriesOn: what == "resume") {
      (desk: inout RollbackDesk) throws(Refusal) in
      guard desk.canResume else { throw refusal }
      try decide(&desk, shell)
    }
  }

  /// Why there is nothing to decide about.
  private func refusal(_ report: RunReport) -> Refusal {
    if report.status != "ended" {
      return Refusal(
        .usage, .notEnded, "run \(id) has not ended, so its rollback has not stopped",
        hint: "`\(Advice.line("resume", id))` carries it on")
    }
    if let abandoned = report.abandoned {
      let why = DisplayText.escaped(abandoned.reason, limit: 300)
      return Refusal(
        .usage, .noRollback,
        "the rollback of run \(id) was abandoned by \(DisplayText.escaped(abandoned.by, limit: 64)) at "
          + "\(abandoned.at.wholeSecond): \(why)",
        hint: "nothing is left to undo, and its locks are free")
    }
    return Refusal(
      .usage, .noRollback, "run \(id) has nothing left to undo",
      hint: "it has ended: \(RunWords.outcome(report.outcome, rollback: report.rollback))")
  }

  private func decide(_ desk: inout RollbackDesk, _ shell: Shell) throws(Refusal) {
    let by = Ownership.requester
    if what == "resume", desk.isRestored, !acceptsRestored {
      throw Refusal.restored(id, "rollback", "resume", id)
    }
    if what == "skip", !desk.skippable.contains(entry ?? "") { throw noEntry(desk) }
    do throws(StoreFailure) {
      switch what {
      case "resume":
        try desk.acceptRestored(by: by)
        tellAge(desk, shell)
        try desk.resume(by: by)
      case "skip":
        let entry = entry ?? ""
        _ = try desk.skip(entry, reason: reason ?? "", by: by)
        let isLast = desk.owed.isEmpty
        say(
          shell, "left out `\(DisplayText.escaped(entry, limit: 100))`",
          isLast
            ? "nothing is left to be undone: `\(Advice.line("rollback", "resume", id))` ends the run"
            : "`\(Advice.line("rollback", "resume", id))` goes on with the rest")
      default:
        try desk.abandon(reason: reason ?? "", by: by)
        if desk.hasEnded {
          say(shell, "the rollback is abandoned; things stay as they are, and the locks are free", nil)
        } else {
          say(
            shell, "the rollback is abandoned; things stay as they are",
            "`\(Advice.line("resume", id))` ends the run and frees its locks")
        }
      }
    } catch {
      throw Refusal(error, run: id)
    }
  }

  private func tellAge(_ desk: RollbackDesk, _ shell: Shell) {
    guard let oldest = desk.oldestOwed else { return }
    let steps = desk.owed.map { DisplayText.escaped($0, limit: 100) }.joined(separator: ", ")
    shell.note("undoing \(steps): these changes are up to \((SystemClock().now - oldest).elapsedText) old")
  }

  private func noEntry(_ desk: RollbackDesk) -> Refusal {
    let left = desk.skippable.map { DisplayText.escaped($0, limit: 100) }.joined(separator: ", ")
    return Refusal(
      .usage, .noEntry, "there is no undo step `\(DisplayText.escaped(entry ?? "", limit: 100))` left to be done",
      hint: left.isEmpty
        ? "nothing is left: `\(Advice.line("rollback", "resume", id))` ends the run" : "left are: \(left)")
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
