import Runbook

/// A run of the store that this process takes over, with the text it was started with.
struct Resumption {
  private let id: String
  private let access: StoreAccess
  private let shell: Shell
  private let checked: CheckedRunbook
  private let without: Set<String>
  private let acceptsRestored: Bool

  /// - Parameters:
  ///   - without: declared secrets to go on without; a name that is not declared is refused.
  ///   - acceptsRestored: a person says that a run of a restored store may go on.
  init(
    _ id: String, _ access: StoreAccess, _ shell: Shell, without: [String] = [], acceptsRestored: Bool = false
  ) async throws(Refusal) {
    self.id = id
    self.access = access
    self.shell = shell
    self.without = Set(without)
    self.acceptsRestored = acceptsRestored
    let pinned: (started: RunStarted, source: PinnedSource)
    do throws(StoreFailure) { pinned = try await RunCreation.read(id, in: access.store) } catch {
      throw Refusal(error, run: id)
    }
    do throws(Diagnostics) { checked = try CheckedRunbook(pinned.source) } catch {
      throw Refusal.invalid("\(pinned.started.file) of run \(id)", error)
    }
    try SecretReading.check(self.without, among: checked.runbook.secrets)
  }

  func carryOn() async throws(Refusal) -> ExitCode {
    let secrets: [String: Secret]
    do throws(Refusal) { secrets = try await secretsBeforeTakeOver() } catch {
      let isRestored = try await access.outlook(of: id)?.isRestored == true
      guard error.has(.secret), isRestored, !acceptsRestored else { throw error }
      throw Refusal.restored(id, "resume", id)
    }
    return await work(on: try await takeOver(), secrets)
  }

  /// Lets a person decide about the rollback.
  /// - Parameter carriesOn: the engine then goes on with the run.
  func decide(
    carriesOn: Bool, _ body: (inout RollbackDesk) async throws(Refusal) -> Void
  ) async throws(Refusal) -> ExitCode {
    let secrets = carriesOn ? try await secretsBeforeTakeOver() : [:]
    let lease = try await takeOver()
    do throws(Refusal) {
      var desk = try await openDesk(lease)
      try await body(&desk)
    } catch {
      try? await access.store.release(lease)
      throw error
    }
    if carriesOn { return await work(on: lease, secrets) }
    try? await access.store.release(lease)
    return .succeeded
  }

  private func openDesk(_ lease: Lease) async throws(Refusal) -> RollbackDesk {
    do throws(StoreFailure) {
      return try await RollbackDesk(checked.runbook, store: access.store, lease: lease, clock: SystemClock())
    } catch {
      throw Refusal(error, run: id)
    }
  }

  /// A live owner is told before a missing secret; a missing secret leaves the run untouched.
  private func secretsBeforeTakeOver() async throws(Refusal) -> [String: Secret] {
    let ownership: RunOwnership
    do throws(StoreFailure) { ownership = try await access.store.ownership(of: id) } catch { throw Refusal(error) }
    if let lease = ownership.living { throw await access.refusal(owner: lease) }
    return try SecretReading.resolve(
      checked.runbook.secrets, folder: checked.source.folder, without: without, canGoWithout: true,
      needed: try await neededSecrets())
  }

  /// The secrets of the steps that are still to be done: a secret of a step that is done is not asked for.
  private func neededSecrets() async throws(Refusal) -> Set<String>? {
    guard let outlook = try await access.outlook(of: id) else { return nil }
    do throws(StoreFailure) {
      let requests = try await access.store.requests(for: id, after: outlook.lastRequest)
      return outlook.neededSecrets(heeding: requests.compactMap { RunControl.Message($0) })
    } catch {
      throw Refusal(error, run: id)
    }
  }

  private func takeOver() async throws(Refusal) -> Lease {
    do throws(StoreFailure) {
      return try await access.store.takeOver(id, owner: Ownership.own, leaseFor: Ownership.leaseTime)
    } catch {
      throw await access.refusal(error, run: id)
    }
  }

  private func work(on lease: Lease, _ secrets: [String: Secret]) async -> ExitCode {
    let earlier = (try? await access.events(of: id)) ?? []
    var session = RunSession(
      shell: shell, runbook: checked.runbook, source: checked.source, secrets: secrets, store: access.store,
      lease: lease,
      world: Composition.realWorld(scripts: access.scripts), earlier: earlier)
    // A secret that is missing and that nothing needs is one to go on without.
    session.without = Set(checked.runbook.secrets.map(\.name)).subtracting(secrets.keys).union(without)
    session.acceptsRestored = acceptsRestored
    return await session.carryOut()
  }
}
