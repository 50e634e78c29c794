public import Runbook

/// Why an operation did nothing. Each case holds the facts that a person needs in order to go on; the words for them
/// are those of the surface that was asked, such as the command.
public enum OperationRefusal: Error, Sendable, Equatable {
  /// The store did not do what it was asked to do.
  /// - run: the run that it was about; nil: none in particular.
  case store(StoreFailure, run: String?)
  /// A process that lives works on the run.
  /// - canCancel: a cancel would be carried out.
  case owned(Lease, canCancel: Bool)

  // MARK: Which run

  /// The text is neither the id of a run nor the beginning of one.
  case notAnID(String)
  /// No run has this id, or an id that begins so.
  case noSuchRun(String)
  /// The newest run was asked for, and the store has no run.
  case noRun
  /// No run was named, and no run needs a person.
  case noRunNeedsAPerson
  /// No run was named, and more than one needs a person; newest first.
  case severalNeedAPerson([RunSummary])
  /// More than one id begins so; newest first.
  case ambiguous(String, [RunSummary])

  // MARK: What state the run is in

  case ended(run: String)
  case notEnded(run: String)
  /// The run has ended, so there is nothing to carry on.
  /// - canResumeRollback: its rollback has stopped, and can be gone on with.
  case nothingToCarryOn(RunSummary, canResumeRollback: Bool)
  /// A person must say first that a run of a store that was put back from an older copy may go on.
  case restored(run: String)
  /// This release does not understand the text that the run was started with.
  case unreadable(run: String)
  /// The text that the run was started with has mistakes for this release.
  case invalid(run: String, file: String, Diagnostics)

  // MARK: Answers and cancels

  /// No answer about this step is waited for.
  /// - open: what is asked instead.
  case noQuestion(run: String, step: String, open: [OpenQuestion])
  /// No approval is waited for. `step`: the step that was named; nil: none was.
  case noApproval(run: String, step: String?, open: [OpenQuestion])
  /// No step was named, and more than one asks.
  case severalApprovals(run: String, steps: [String])
  /// The question that the person was shown is not the one that is open.
  case notSeen(shown: String, ApprovalQuestion)
  /// This person may not approve it.
  case notAllowed(reason: String)
  /// The answer comes after the time to answer.
  case answerTooLate(run: String, reason: String)
  /// Another message was posted before, and is not carried out yet.
  /// - isLive: a process works on the run, and will read it.
  case answered(run: String, RunRequest, isLive: Bool)
  /// The owner of the run has read the answer, and it did not count.
  case answerIgnored(run: String, about: OpenQuestion, reason: String)
  case cancelTooLate(run: String, reason: String)
  /// A cancel of the other kind was asked for before.
  /// - rollsBack: as the earlier one says.
  case otherCancel(run: String, RunRequest, rollsBack: Bool, isLive: Bool)

  // MARK: Rollbacks

  case rollbackNotStopped(run: String)
  case rollbackAbandoned(run: String, by: String, at: Timestamp, reason: String)
  case nothingToUndo(run: String, outcome: Word<RunOutcome>?, rollback: Word<RollbackOutcome>?)
  /// - left: the undo steps and entries that can be left out.
  case noEntry(run: String, entry: String, left: [String])

  // MARK: Starting

  /// A run with this key exists, and has another file or other inputs.
  case keyTaken(RunSummary)
  /// Another run holds a lock that this run needs.
  case locked(HeldLock, LockHolder)
  /// Runs that began to wait earlier still wait for the lock.
  case queued
  /// A later run of the same runbook replaces this one.
  case superseded
  /// The step wants an answer of certain people, and this store knows no people.
  case needsPeople(step: String, field: String)
  /// The locks or the providers cannot be worked out from these inputs and secrets. Secrets are masked in the text.
  case input(String)
  /// - canGoWithout: the operation can be told to go on without them.
  case secretsMissing([MissingSecret], canGoWithout: Bool)
  /// The run's file declares no secret of this name.
  case noSecret(String, declared: [String])

  // MARK: Locks

  /// No run holds a lock of this name.
  /// - held: the locks that are held.
  case noLock(String, held: [String])
}

/// The question that a run asks at the moment.
public enum OpenQuestion: Sendable, Equatable {
  /// Whether this step took effect.
  case outcome(step: String)
  /// Whether this step may go on.
  case approval(step: String)
}

/// The state of the run that holds a lock.
public enum LockHolder: Sendable, Equatable {
  /// It goes on, or nothing is known of it.
  case working
  /// It has ended, and still owes its rollback.
  case owing
  /// No process works on it; its owner was last active then, by the wall clock.
  case interrupted(since: Timestamp)
}
