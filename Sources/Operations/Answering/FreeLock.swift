public import Runbook

/// Frees a lock whose run no process works on.
public struct FreeLock: Sendable {
  private let context: OperationContext
  public init(_ context: OperationContext) { self.context = context }

  public struct Freed: Sendable, Equatable {
    /// The id of the run that held it.
    public var runID: String
    /// nil: the store could not tell.
    public var run: RunSummary?
    /// Steps whose undo has not been done, newest first.
    public var owed: [String]
  }

  /// - Parameter reason: for the journal of the run that holds it.
  /// - Throws: `noLock`, `owned`, `store`.
  public func free(_ lock: String, reason: String) async throws(OperationRefusal) -> Freed {
    let id: String
    do throws(StoreFailure) { id = try await take(lock, reason) } catch {
      switch error {
      case .notFound:
        throw .noLock(lock, held: ((try? await context.store.heldLocks()) ?? []).map(\.name))
      case .owned(let lease), .fenced(by: let lease?): throw await context.refusal(owner: lease)
      default: throw .store(error, run: nil)
      }
    }
    return Freed(runID: id, run: try? await context.store.summary(of: id), owed: await owed(by: id))
  }

  /// - Returns: the run that held it.
  private func take(_ lock: String, _ reason: String) async throws(StoreFailure) -> String {
    let store = context.store
    guard let id = try await store.holder(of: lock) else { throw StoreFailure.notFound(lock) }
    let lease = try await store.takeOver(id, owner: context.owner, leaseFor: LeaseTerm.length)
    let fact = Fact.run(.lockFreed(lock: lock, reason: reason, by: context.requester))
    do throws(StoreFailure) {
      try await store.freeLock(lock, of: id, epoch: lease.epoch, entry: fact.entry(at: context.clock.now))
    } catch {
      try? await store.release(lease)
      throw error
    }
    try? await store.release(lease)
    return id
  }

  private func owed(by id: String) async -> [String] {
    guard let report = try? await ShowRun(context).report(of: id) else { return [] }
    var steps: [String] = []
    for undo in report.undo.reversed()
    where undo.status.isOne(of: .pending, .started, .failed, .unknown) && !steps.contains(undo.step) {
      steps.append(undo.step)
    }
    return steps
  }
}
