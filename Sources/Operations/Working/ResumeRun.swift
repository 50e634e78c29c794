public import Runbook

/// Takes a run of the store over, with the text it was started with, so that this process works on it.
public struct ResumeRun: Sendable {
  public let run: String
  let context: OperationContext
  private let runbook: ValidatedRunbook
  private let source: PinnedSource
  private let secrets: SecretResolution
  private let secretSource: any SecretSource
  private let acceptsRestored: Bool

  /// - Parameters:
  ///   - secrets: where its secrets come from.
  ///   - without: declared secrets to go on without.
  ///   - acceptsRestored: a person says that a run of a restored store may go on.
  /// - Throws: `store`, `invalid`, and `noSecret` for a name to go without that is not declared.
  public init(
    _ run: String, _ context: OperationContext, secrets: any SecretSource, without: Set<String> = [],
    acceptsRestored: Bool = false
  ) async throws(OperationRefusal) {
    self.run = run
    self.context = context
    self.acceptsRestored = acceptsRestored
    secretSource = secrets
    let pinned = try await context.asked(about: run) { () throws(StoreFailure) in
      try await NewRun.read(run, in: context.store)
    }
    source = pinned.source
    do throws(Diagnostics) { runbook = try context.check(pinned.source) } catch {
      throw .invalid(run: run, file: pinned.started.file, error)
    }
    self.secrets = SecretResolution(
      runbook.secrets, folder: pinned.source.folder, without: without, canGoWithout: true)
    try self.secrets.checkNames()
  }

  /// Takes the run over. The assignment that is returned has to be worked on (`WorkOnRun`): other processes are kept
  /// away from the run until its lease has ended.
  /// - Throws: `owned`, `secretsMissing`, `restored`, `store`; the run is then untouched.
  public func takeOver(in world: RunWorld) async throws(OperationRefusal) -> RunAssignment {
    let found: [String: Secret]
    do throws(OperationRefusal) { found = try await secretsBeforeTakeOver() } catch {
      guard case .secretsMissing = error, !acceptsRestored, try await context.outlook(of: run)?.isRestored == true
      else {
        throw error
      }
      throw .restored(run: run)
    }
    return assignment(try await takeLease(), found, world)
  }

  /// A live owner is told before a missing secret; a missing secret leaves the run untouched.
  func secretsBeforeTakeOver() async throws(OperationRefusal) -> [String: Secret] {
    let ownership = try await context.asked { () throws(StoreFailure) in try await context.store.ownership(of: run) }
    if let lease = ownership.living { throw await context.refusal(owner: lease) }
    return try secrets.resolve(from: secretSource, needed: try await neededSecrets())
  }

  /// The secrets of the steps that are still to be done: a secret of a step that is done is not asked for.
  private func neededSecrets() async throws(OperationRefusal) -> Set<String>? {
    guard let outlook = try await context.outlook(of: run) else { return nil }
    let requests = try await context.asked(about: run) { () throws(StoreFailure) in
      try await context.store.requests(for: run, after: outlook.lastRequest)
    }
    return outlook.neededSecrets(heeding: requests.compactMap { RunControl.Message($0) })
  }

  func takeLease() async throws(OperationRefusal) -> Lease {
    do throws(StoreFailure) {
      return try await context.store.takeOver(run, owner: context.owner, leaseFor: LeaseTerm.length)
    } catch {
      throw await context.refusal(error, run: run)
    }
  }

  func openDesk(_ lease: Lease) async throws(OperationRefusal) -> RollbackDesk {
    try await context.asked(about: run) { () throws(StoreFailure) in
      try await RollbackDesk(runbook, store: context.store, lease: lease, clock: context.clock)
    }
  }

  func assignment(_ lease: Lease, _ found: [String: Secret], _ world: RunWorld) -> RunAssignment {
    var assignment = RunAssignment(
      runbook: runbook, source: source, secrets: found, store: context.store, lease: lease, world: world,
      observer: NoObserver(), control: RunControl())
    // A secret that is missing and that nothing needs is one to go on without.
    assignment.without = Set(runbook.secrets.map(\.name)).subtracting(found.keys).union(secrets.without)
    assignment.acceptsRestored = acceptsRestored ? context.requester : nil
    return assignment
  }
}

/// The observer of a run that no command and no person watches.
struct NoObserver: RunObserver {
  func observe(_ event: RunEvent) {}
  func progress(_ progress: RunProgress) {}
}
