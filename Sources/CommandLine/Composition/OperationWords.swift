import Operations
import Runbook

/// Does an operation, and words its refusal.
func told<Outcome>(_ body: () async throws(OperationRefusal) -> Outcome) async throws(Refusal) -> Outcome {
  do throws(OperationRefusal) { return try await body() } catch { throw Refusal(error) }
}

/// The same, of one that does not suspend.
func toldAtOnce<Outcome>(_ body: () throws(OperationRefusal) -> Outcome) throws(Refusal) -> Outcome {
  do throws(OperationRefusal) { return try body() } catch { throw Refusal(error) }
}

/// Why an operation was refused, in words an operator can act on.
extension Refusal {
  /// - Parameter restored: the words of the command which, with `--restored`, says that the run of a restored store may
  ///   go on; empty: `resume RUN`.
  init(_ refusal: OperationRefusal, restored command: [String] = []) {
    switch refusal {
    case .store(let failure, let run): self.init(failure, run: run)
    case .owned(let lease, let canCancel): self.init(owner: lease, canCancel: canCancel)
    case .notAnID(let word): self = .notAnID(word)
    case .noSuchRun(let word): self.init(StoreFailure.notFound(word))
    case .noRun:
      self.init(.usage, .notFound, "there is no run in this store", hint: "`--store` names another store")
    case .noRunNeedsAPerson:
      self.init(
        .usage, .usage, "`RUN` is missing, and no run needs a person",
        hint: "name a run by its id, or `latest`; `\(Advice.line("list"))` shows them")
    case .severalNeedAPerson(let runs): self = .severalNeedAPerson(runs)
    case .ambiguous(let word, let runs): self = .ambiguous(word, runs)
    case .ended(let run):
      self.init(.usage, .ended, "run \(run) has ended already", hint: "`\(Advice.line("show", run))` says how")
    case .notEnded(let run):
      self.init(.usage, .notEnded, "run \(run) has not ended", hint: "`\(Advice.line("resume", run))` carries it on")
    case .nothingToCarryOn(let run, let canResume): self = .nothingToCarryOn(run, canResumeRollback: canResume)
    case .restored(let run): self = .restored(run, command.isEmpty ? ["resume", run] : command)
    case .unreadable(let run):
      self.init(
        .usage, .storeNewer, "the runbook of run \(run) cannot be read by this release",
        hint: "use the release that started it")
    case .invalid(let run, let file, let mistakes): self = .invalid("\(file) of run \(run)", mistakes)
    case .noQuestion(let run, let step, let open): self = .noQuestion(run, step, open)
    case .noApproval(let run, let step, let open): self = .noApproval(run, step, open)
    case .severalApprovals(let run, let steps): self = .severalApprovals(run, steps)
    case .notSeen(let shown, let question): self = .notSeen(shown, question)
    case .notAllowed(let reason):
      self.init(
        .refused, .approver, DisplayText.escaped(reason, limit: 300),
        hint: "ask somebody else; everybody who may write to the store can answer")
    case .answerTooLate(let run, let reason): self = .answerTooLate(run, reason)
    case .answered(let run, let earlier, let isLive): self = .answered(run, earlier, isLive)
    case .answerIgnored(let run, let question, let reason): self = .answerIgnored(run, question, reason)
    case .cancelTooLate(let run, let reason): self = .cancelTooLate(run, reason)
    case .otherCancel(let run, let earlier, let rollsBack, let isLive):
      self = .otherCancel(run, earlier, rollsBack, isLive)
    case .rollbackNotStopped(let run):
      self.init(
        .usage, .notEnded, "run \(run) has not ended, so its rollback has not stopped",
        hint: "`\(Advice.line("resume", run))` carries it on")
    case .rollbackAbandoned(let run, let by, let at, let reason): self = .rollbackAbandoned(run, by, at, reason)
    case .nothingToUndo(let run, let outcome, let rollback):
      self.init(
        .usage, .noRollback, "run \(run) has nothing left to undo",
        hint: "it has ended: \(RunWords.outcome(outcome, rollback: rollback))")
    case .noEntry(let run, let entry, let left): self = .noEntry(run, entry, left)
    case .keyTaken(let earlier): self.init(StoreFailure.keyTaken(earlier))
    case .locked(let lock, let holder): self = .locked(lock, holder)
    case .queued: self = .queued
    case .superseded: self = .superseded
    case .needsPeople(let step, let field): self = .needsPeople(step, field)
    case .input(let message):
      self.init(.usage, .input, message, hint: "nothing was done; fix the runbook, its inputs or its secrets")
    case .secretsMissing(let missing, let canGoWithout): self = .secretsMissing(missing, canGoWithout)
    case .noSecret(let name, let declared):
      self.init(
        .usage, .secretName, "there is no secret `\(DisplayText.escaped(name, limit: 64))` in the run's file",
        hint: declared.isEmpty ? "it declares none" : Suggestion.hint(for: name, among: declared))
    case .noLock(let lock, let held): self = .noLock(lock, held)
    }
  }
}
