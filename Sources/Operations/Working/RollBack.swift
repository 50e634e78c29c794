public import Runbook

/// A person's decision about a rollback that stopped: to go on with it, to leave an undo step out, or to leave
/// things as they are.
public struct RollBack: Sendable {
  private let resumption: ResumeRun
  private let acceptsRestored: Bool
  private var run: String { resumption.run }
  private var context: OperationContext { resumption.context }

  /// - Parameters:
  ///   - resumption: of the run; its secrets are fetched for `resume` alone.
  ///   - acceptsRestored: a person says that a run of a restored store may go on.
  public init(_ resumption: ResumeRun, acceptsRestored: Bool = false) {
    self.resumption = resumption
    self.acceptsRestored = acceptsRestored
  }

  /// The rollback that is gone on with.
  public struct Resumed: Sendable {
    /// It has to be worked on (`WorkOnRun`).
    public var assignment: RunAssignment
    /// Steps whose undo is owed, newest first.
    public var owed: [String]
    /// When the oldest of them was started; nil: none is owed.
    public var oldestOwed: Timestamp?
  }

  /// Tries the failed undo step again and goes on.
  /// - Throws: `owned`, `rollbackNotStopped`, `rollbackAbandoned`, `nothingToUndo`, `restored`, `secretsMissing`,
  ///   `store`.
  public func resume(in world: RunWorld) async throws(OperationRefusal) -> Resumed {
    let refusal = try await lookFirst(resumes: true)
    let secrets = try await resumption.secretsBeforeTakeOver()
    let lease = try await resumption.takeLease()
    let desk = try await deciding(lease, refusal) { (desk: inout RollbackDesk) throws(OperationRefusal) in
      if desk.isRestored, !acceptsRestored { throw .restored(run: run) }
      let before = desk
      try await context.asked(about: run) { () throws(StoreFailure) in
        try await desk.acceptRestored(by: context.requester)
        try await desk.resume(by: context.requester)
      }
      return before
    }
    return Resumed(
      assignment: resumption.assignment(lease, secrets, world), owed: desk.owed, oldestOwed: desk.oldestOwed)
  }

  /// Leaves out an undo step (`update.undo[0]`), or all remaining undo steps of a step (`update`).
  /// - Returns: whether something is left to be undone.
  /// - Throws: `noEntry`, and what `resume` throws but for secrets.
  public func skip(_ entry: String, reason: String) async throws(OperationRefusal) -> Bool {
    let refusal = try await lookFirst(resumes: false)
    let lease = try await resumption.takeLease()
    let isLeft = try await deciding(lease, refusal) { (desk: inout RollbackDesk) throws(OperationRefusal) in
      guard desk.skippable.contains(entry) else { throw .noEntry(run: run, entry: entry, left: desk.skippable) }
      try await context.asked(about: run) { () throws(StoreFailure) in
        _ = try await desk.skip(entry, reason: reason, by: context.requester)
      }
      return !desk.owed.isEmpty
    }
    try? await context.store.release(lease)
    return isLeft
  }

  /// Leaves everything as it is. That is a decision about a run of a restored store, too.
  /// - Returns: whether the run has ended, so that its locks are free.
  /// - Throws: what `resume` throws but for secrets.
  public func abandon(reason: String) async throws(OperationRefusal) -> Bool {
    let refusal = try await lookFirst(resumes: false)
    let lease = try await resumption.takeLease()
    let hasEnded = try await deciding(lease, refusal) { (desk: inout RollbackDesk) throws(OperationRefusal) in
      try await context.asked(about: run) { () throws(StoreFailure) in
        try await desk.abandon(reason: reason, by: context.requester)
      }
      return desk.hasEnded
    }
    try? await context.store.release(lease)
    return hasEnded
  }

  /// Told before a secret that is missing, and after an owner that lives.
  /// - Returns: why there would be nothing to decide about.
  private func lookFirst(resumes: Bool) async throws(OperationRefusal) -> OperationRefusal {
    let refusal = refusal(RunReport(id: run, actions: context.actions, events: try await context.events(of: run)))
    if await !context.isLive(run), let outlook = try await context.outlook(of: run) {
      guard outlook.canResumeRollback else { throw refusal }
      if resumes, outlook.isRestored, !acceptsRestored { throw .restored(run: run) }
    }
    return refusal
  }

  /// Decides on the lease, which is given up if nothing was decided.
  private func deciding<Outcome>(
    _ lease: Lease, _ refusal: OperationRefusal,
    _ body: (inout RollbackDesk) async throws(OperationRefusal) -> Outcome
  ) async throws(OperationRefusal) -> Outcome {
    do throws(OperationRefusal) {
      var desk = try await resumption.openDesk(lease)
      guard desk.canResume else { throw refusal }
      return try await body(&desk)
    } catch {
      try? await context.store.release(lease)
      throw error
    }
  }

  private func refusal(_ report: RunReport) -> OperationRefusal {
    if report.status != .ended { return .rollbackNotStopped(run: run) }
    if let abandoned = report.abandoned {
      return .rollbackAbandoned(run: run, by: abandoned.by, at: abandoned.at, reason: abandoned.reason)
    }
    return .nothingToUndo(run: run, outcome: report.outcome, rollback: report.rollback)
  }
}
