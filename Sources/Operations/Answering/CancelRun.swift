public import Runbook

/// Asks the owner of a run to stop it.
public struct CancelRun: Sendable {
  public var run: RunSummary
  /// False: everything stays as it is, its undo steps stay pending, and the run keeps its locks.
  public var rollsBack: Bool
  /// A person says that a run of a restored store may go on.
  public var acceptsRestored: Bool
  private let context: OperationContext

  public init(_ run: RunSummary, rollsBack: Bool, acceptsRestored: Bool, _ context: OperationContext) {
    self.run = run
    self.rollsBack = rollsBack
    self.acceptsRestored = acceptsRestored
    self.context = context
  }

  /// - isLive: a process works on the run.
  public enum Outcome: Sendable, Equatable {
    /// The owner has read the cancel, and carries it out.
    case heeded(isLive: Bool)
    /// The next one to read it carries it out.
    case asked(isLive: Bool)
    /// The same cancel was asked for before, by this message.
    case askedBefore(RunRequest, isLive: Bool)
  }

  /// - Parameter isWaiting: called once, if the owner does not answer within three seconds.
  /// - Throws: `ended`, `restored`, `cancelTooLate`, `otherCancel`, `store`.
  public func ask(isWaiting: () -> Void) async throws(OperationRefusal) -> Outcome {
    guard run.status != "ended" else { throw .ended(run: run.id) }
    let outlook = try await context.outlook(of: run.id)
    if run.isRestored || outlook?.isRestored == true, !acceptsRestored { throw .restored(run: run.id) }
    if let reason = outlook?.cancelRefusal { throw .cancelTooLate(run: run.id, reason: reason) }
    switch try await post(after: outlook?.lastRequest ?? 0) {
    case .refused(let earlier):
      let isLive = await context.isLive(run.id)
      guard case .cancel(_, rollsBack, _, _)? = RunControl.Message(earlier) else {
        throw .otherCancel(run: run.id, earlier, rollsBack: !rollsBack, isLive: isLive)
      }
      return .askedBefore(earlier, isLive: isLive)
    case .posted(let number):
      let answer = try await context.answer(
        to: number, of: run.id, after: outlook?.lastSequence ?? 0, isWaiting: isWaiting)
      return try await outcome(answer)
    }
  }

  private func outcome(_ answer: OwnerAnswer) async throws(OperationRefusal) -> Outcome {
    let isLive = await context.isLive(run.id)
    switch answer {
    case .ignored(let reason): throw .cancelTooLate(run: run.id, reason: reason)
    case .heeded: return .heeded(isLive: isLive)
    case .silent:
      if let now = try? await context.store.summary(of: run.id), now.status == "ended" { throw .ended(run: run.id) }
      return .asked(isLive: isLive)
    }
  }

  /// One cancel at a time: who asks again is told of the first.
  private func post(after heeded: Int64) async throws(OperationRefusal) -> PostedRequest {
    let acceptsRestored = acceptsRestored
    var body: [String: Value] = ["rollback": .bool(rollsBack)]
    if acceptsRestored { body["restored"] = true }
    return try await context.post("cancel", .map(body), to: run.id) { earlier in
      guard earlier.id > heeded, case .cancel(_, _, _, let restored)? = RunControl.Message(earlier) else {
        return false
      }
      return restored || !acceptsRestored
    }
  }
}
