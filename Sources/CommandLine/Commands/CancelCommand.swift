import Operations
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
    let cancel = CancelRun(run, rollsBack: rollsBack, acceptsRestored: acceptsRestored, access.context)
    let outcome: CancelRun.Outcome
    do throws(OperationRefusal) { outcome = try await cancel.ask { shell.noteOwnerIsBusy() } } catch {
      throw Refusal(error, restored: ["cancel", id] + (rollsBack ? [] : ["--no-rollback"]))
    }
    tell(outcome, shell)
    await access.tellOwnerless(shell, but: id)
    return .succeeded
  }

  static func asked(_ earlier: RunRequest) -> String {
    let by = DisplayText.escaped(earlier.requester, limit: 64)
    return "a cancel was asked for already, by \(by) at \(earlier.at.wholeSecond)"
  }

  static func next(_ run: String, _ isLive: Bool) -> String {
    isLive ? "its owner carries it out" : "`\(Advice.line("resume", run))` carries it out"
  }

  private func tell(_ outcome: CancelRun.Outcome, _ shell: Shell) {
    let what = rollsBack ? "its changes will be undone" : "its changes stay as they are"
    switch outcome {
    case .askedBefore(let earlier, let isLive):
      say(CancelCommand.asked(earlier), "asked already", isLive, shell)
      shell.note(CancelCommand.next(id, isLive))
    case .heeded(let isLive):
      say("the run is being cancelled; \(what)", "heeded", isLive, shell)
      shell.note(
        isLive
          ? "`\(Advice.line("logs", id, "--follow"))` watches it"
          : "`\(Advice.line("show", id))` says how it ended")
    case .asked(let isLive):
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
}
