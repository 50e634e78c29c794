public import Runbook

/// Writes a new run into the store, with its lease and its locks, so that this process works on it. Of all callers with
/// the same key, file and inputs, one starts the run, and the others are given that one.
public struct StartRun: Sendable {
  private let run: NewRun
  private let context: OperationContext
  private let secrets: any SecretSource
  private let world: RunWorld
  private let wait: LockWait?

  /// How often a held lock is asked for again.
  private static let lockPause = Duration.milliseconds(500)

  /// - Parameters:
  ///   - secrets: where its secrets come from.
  ///   - wait: how to wait for a lock that another run holds; nil: not at all.
  public init(
    _ run: NewRun, _ context: OperationContext, secrets: any SecretSource, in world: RunWorld,
    wait: LockWait? = nil
  ) {
    self.run = run
    self.context = context
    self.secrets = secrets
    self.world = world
    self.wait = wait
  }

  public enum Outcome: Sendable {
    /// The run is in the journal, and has to be worked on (`WorkOnRun`).
    case assigned(RunAssignment)
    /// A run with this key was started before.
    case existing(RunSummary)
  }

  /// An event while the run waits for its locks.
  public enum News: Sendable, Equatable {
    /// This many runs that wait for one of the locks were told to give way.
    case superseded(Int)
    /// Told once for each wait.
    case waiting(lock: String, holder: String)
    /// Told once for each wait: the lock is free, or will be, for a run that began to wait earlier.
    case waitingBehindAnother
  }

  /// - Throws: `keyTaken`, `secretsMissing`, `needsPeople`, `input`, `locked`, `queued`, `superseded`, `store`; nothing
  ///   was done then.
  public func begin(_ tell: (News) -> Void) async throws(OperationRefusal) -> Outcome {
    if let key = run.key {
      let earlier = try await context.asked { () throws(StoreFailure) in try await context.store.run(withKey: key) }
      if let earlier { return try existing(earlier) }
    }
    let found = try SecretResolution(run.runbook.secrets, folder: run.source.folder).resolve(from: secrets)
    let locks = try locks(found)
    let lease: Lease
    do throws(OperationRefusal) { lease = try await create(locks, found, tell) } catch {
      if case .store(.keyTaken(let earlier), _) = error { return try existing(earlier) }
      throw error
    }
    return .assigned(
      RunAssignment(
        runbook: run.runbook, source: run.source, secrets: found, store: context.store, lease: lease, world: world,
        observer: NoObserver(), control: RunControl()))
  }

  private func existing(_ earlier: RunSummary) throws(OperationRefusal) -> Outcome {
    guard earlier.fingerprint == run.fingerprint else { throw .keyTaken(earlier) }
    return .existing(earlier)
  }

  /// The names of the locks that the run needs, for which its providers are connected.
  private func locks(_ found: [String: Secret]) throws(OperationRefusal) -> [String] {
    if world.asksPeople, let first = run.runbook.questionsForSeveral.first {
      throw .needsPeople(step: first.step, field: first.field)
    }
    do throws(StepFailure) {
      let context = try RunContext(
        run.runbook, inputs: run.inputs, secrets: found, world: world, at: world.clock.now)
      return try run.locks(providers: context.providers, vars: context.vars)
    } catch {
      throw .input(Masker(found.values).mask(error.message))
    }
  }

  private func create(
    _ locks: [String], _ found: [String: Secret], _ tell: (News) -> Void
  ) async throws(OperationRefusal) -> Lease {
    guard let wait else { return try await create(locks, found, in: nil, nil, since: context.clock.monotonic, tell) }
    let begin = context.clock.monotonic
    let place =
      locks.isEmpty
      ? nil : await wait.line.join(locks, runbook: run.runbook.name, now: begin, number: world.random.next())
    if wait.supersedes, let count = await place?.supersede(runbook: run.runbook.name), count > 0 {
      tell(.superseded(count))
    }
    do throws(OperationRefusal) {
      let lease = try await create(locks, found, in: place, wait, since: begin, tell)
      await place?.leave()
      return lease
    } catch {
      await place?.leave()
      throw error
    }
  }

  private func create(
    _ locks: [String], _ found: [String: Secret], in place: (any LockPlace)?, _ wait: LockWait?, since begin: Duration,
    _ tell: (News) -> Void
  ) async throws(OperationRefusal) -> Lease {
    let clock = context.clock
    let id = RunID.make(at: clock.now, random: world.random)
    var hasSaidSo = false
    while true {
      if await place?.isSuperseded == true { throw .superseded }
      let isTurn = await place?.isNext ?? true
      let isPatient = wait.map { clock.monotonic - begin < $0.limit } ?? false
      do throws(StoreFailure) {
        if isTurn {
          return try await run.create(
            in: context.store, id: id, owner: context.owner, leaseFor: LeaseTerm.length, locks: locks, secrets: found,
            clock: world.clock)
        }
      } catch {
        guard case .lockHeld(let lock, let holder) = error, isPatient else { throw await refusal(error) }
        if !hasSaidSo { tell(.waiting(lock: lock, holder: holder)) }
        hasSaidSo = true
      }
      if !isTurn {
        guard isPatient else { throw .queued }
        if !hasSaidSo { tell(.waitingBehindAnother) }
        hasSaidSo = true
      }
      await clock.sleep(for: StartRun.lockPause)
    }
  }

  private func refusal(_ failure: StoreFailure) async -> OperationRefusal {
    guard case .lockHeld(let lock, let holder) = failure else { return .store(failure, run: nil) }
    return .locked(HeldLock(name: lock, runID: holder), await state(of: holder))
  }

  private func state(of holder: String) async -> LockHolder {
    let store = context.store
    if let run = try? await store.summary(of: holder), run.status == "ended" { return .owing }
    guard let ownership = try? await store.ownership(of: holder), !ownership.isLive,
      let lease = try? await store.lease(of: holder)
    else { return .working }
    return .interrupted(since: lease.renewedAt)
  }
}
