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
        throw error.has(.notFound) ? unknown([]) : error
      }
      let id = try free(access)
      tell(id, access, shell)
      access.tellOwnerless(shell, but: id)
      return .succeeded
    } catch {
      return shell.refuse(error)
    }
  }

  /// - Returns: the run that held it.
  private func free(_ access: StoreAccess) throws(Refusal) -> String {
    let store = access.store
    do throws(StoreFailure) {
      guard let id = try store.holder(of: lock) else { throw StoreFailure.notFound(lock) }
      let lease = try store.takeOver(
        id, owner: Ownership.own, leaseFor: Ownership.leaseTime)
      defer { try? store.release(lease) }
      let fact = Fact.lockFreed(lock: lock, reason: reason, by: Ownership.requester)
      try store.freeLock(lock, of: id, epoch: lease.epoch, entry: fact.entry(at: SystemClock().now))
      return id
    } catch {
      switch error {
      case .notFound: break
      case .owned(let lease), .fenced(by: let lease?): throw access.refusal(owner: lease)
      default: throw Refusal(error)
      }
      throw unknown(((try? store.heldLocks()) ?? []).map(\.name))
    }
  }

  private func unknown(_ locks: [String]) -> Refusal {
    let hint = Suggestion.hint(for: lock, among: locks.map { DisplayText.escaped($0, limit: 200) })
    return Refusal(
      .usage, .lock, "no run holds a lock `\(DisplayText.escaped(lock, limit: 200))`",
      hint: hint ?? (locks.isEmpty ? "no lock is held" : "`\(Advice.line("list", "--locks"))` shows the locks"))
  }

  private func tell(_ id: String, _ access: StoreAccess, _ shell: Shell) {
    let run = try? access.store.summary(of: id)
    let owed = owed(by: id, access)
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

  /// Steps whose undo has not been done, newest first.
  private func owed(by id: String, _ access: StoreAccess) -> [String] {
    let pinned = try? RunCreation.read(id, in: access.store)
    let plan = pinned.flatMap { try? CheckedRunbook($0.source) }.map { UndoPlan($0.runbook) } ?? UndoPlan()
    guard let events = try? access.events(of: id) else { return [] }
    var steps: [String] = []
    for undo in RunReport(id: id, plan: plan, actions: Composition.actions, events: events).undo.reversed()
    where ["pending", "started", "failed", "unknown"].contains(undo.status) && !steps.contains(undo.step) {
      steps.append(undo.step)
    }
    return steps
  }
}
