public import Runbook

/// Handed to every operation: the store, the person who asks, and the machine on which they ask.
public struct OperationContext: Sendable {
  public var store: any RunStore
  /// The machine's own clock. Leases, and waits for other processes, go by it.
  public var clock: any EngineClock
  /// This process, as others read it in the leases that it holds.
  public var owner: Owner
  /// The person who asks, for the journal.
  public var requester: String
  /// The declarations of the actions that a journal may name.
  public var actions: KnownActions
  /// Checks the text that a run was started with.
  public var check: @Sendable (PinnedSource) throws(Diagnostics) -> ValidatedRunbook

  public init(
    store: any RunStore, clock: any EngineClock, owner: Owner, requester: String, actions: KnownActions,
    check: @escaping @Sendable (PinnedSource) throws(Diagnostics) -> ValidatedRunbook
  ) {
    self.store = store
    self.clock = clock
    self.owner = owner
    self.requester = requester
    self.actions = actions
    self.check = check
  }

  /// Asks the store something about a run, or about none in particular.
  func asked<Answer>(
    about run: String? = nil, _ body: () async throws(StoreFailure) -> Answer
  ) async throws(OperationRefusal) -> Answer {
    do throws(StoreFailure) { return try await body() } catch { throw .store(error, run: run) }
  }
}
