import Operations
import Runbook

/// `runbook unlock LOCK`.
struct UnlockCommand: Command {
  static let spec = CommandSpec(
    name: "unlock", summary: "free a lock whose run no process works on",
    details: """
      A run keeps its locks until it has ended and owes no rollback, even if no process works on it. Other runs then \
      wait for it. If you free a lock by hand, another run may change a server that this run has left half done. \
      `runbook resume` and `runbook rollback abandon` free the locks as well, and end the run. While a process works \
      on the run, the command refuses: exit 7.

      `runbook list --locks` shows the locks. No secret is needed.
      """,
    operands: [OperandSpec("LOCK", .text, .one, "the lock, as `runbook list --locks` names it")],
    options: [.value("reason", "TEXT", .text, "why, for the journal of the run that held it")],
    examples: [
      .init(
        "runbook unlock deploy --reason 'the machine of that run is gone'", "let the next run have the lock `deploy`")
    ],
    group: .act)

  private let lock: String
  private let reason: String

  init(_ arguments: ParsedArguments) throws(UsageError) {
    lock = try arguments.required("LOCK")
    guard let reason = arguments.value("reason") else {
      throw UsageError("`--reason` is missing: the journal keeps why", hint: "add --reason 'its machine is gone'")
    }
    self.reason = reason
  }

  func run(in shell: Shell) async -> ExitCode {
    do throws(Refusal) {
      let access: StoreAccess
      do throws(Refusal) { access = try StoreAccess(shell, creates: false) } catch {
        throw error.has(.notFound) ? Refusal(OperationRefusal.noLock(lock, held: [])) : error
      }
      let freed = try await told { () throws(OperationRefusal) in
        try await FreeLock(access.context).free(lock, reason: reason)
      }
      tell(freed, shell)
      await access.tellOwnerless(shell, but: freed.runID)
      return .succeeded
    } catch {
      return shell.refuse(error)
    }
  }

  private func tell(_ freed: FreeLock.Freed, _ shell: Shell) {
    let (id, run, owed) = (freed.runID, freed.run, freed.owed)
    let shown = DisplayText.escaped(lock, limit: 200)
    if shell.wantsJSON {
      shell.output.result(
        json: [
          "v": 1, "lock": .string(lock), "run_id": .string(id), "status": .string(run?.status ?? ""),
          "owes": .list(owed.map { .string($0) }),
        ])
    } else {
      shell.output.result("`\(shown)` is free; run \(id) held it\n")
    }
    let steps = owed.map { DisplayText.escaped($0, limit: 100) }.joined(separator: ", ")
    if run?.status != "ended" {
      let debt = owed.isEmpty ? "" : ", and may have to undo \(steps)"
      shell.note("run \(id) has not ended\(debt): `\(Advice.line("resume", id))` carries it on")
    } else if run?.isOwed == true {
      shell.note(
        "run \(id) still owes the rollback\(owed.isEmpty ? "" : " of \(steps)"): "
          + "`\(Advice.line("rollback", "resume", id))` tries it, "
          + "`\(Advice.line("rollback", "abandon", id, "--reason", "TEXT"))` leaves things as they are")
    }
  }
}
