public import Runbook

/// One process working on a run in a simulated world: started, killed at a chosen point, followed by another that
/// resumes.
public struct SimulatedProcess: Sendable {
  public var world: RunWorld
  public var store: any RunStore
  public var runbook: ValidatedRunbook
  public var source: PinnedSource
  public var secrets: [String: Secret]
  public var observer: any RunObserver
  public var control = RunControl()
  /// What says whether the run is certainly this process's; nil: nobody asks.
  public var tenure: (any Tenure)?
  /// When it stops working it stays in the process table, as one that is stopped does: its lease has to end before
  /// another may take the run over. False: it is gone at once.
  public var staysWhenItStops = false
  /// As `--without-secret` and `--restored` say.
  public var without: Set<String> = []
  public var acceptsRestored: String?
  /// As `--key` says. Only a process with a key can die around the creation of its run: another with the same key
  /// comes.
  public var key: String?
  /// As `rerun` says: the run this one repeats, and the outputs that are taken over from it.
  public var earlier: (id: String, fromStep: String, inherited: [String: Value])?
  /// Renews its lease when it is needed, at once; what it sends and starts asks for it, as in the command. nil: nobody
  /// renews it, and nothing asks for it.
  public var renewal: (@Sendable (Lease) throws(StoreFailure) -> Lease)?
  /// As the command's lease keeper tells it, as soon as that knows: the run is left. False: it finds out by itself.
  public var isToldOfLoss = true

  public init(
    world: RunWorld, store: any RunStore, runbook: ValidatedRunbook, source: PinnedSource,
    secrets: [String: Secret] = [:],
    observer: any RunObserver
  ) {
    self.world = world
    self.store = store
    self.runbook = runbook
    self.source = source
    self.secrets = secrets
    self.observer = observer
  }

  /// Creates the run and works on it until it ends, parks, or the process is killed.
  public func start(
    _ runID: String, inputs: [String: Value], life: KillSwitch = KillSwitch()
  ) async throws -> RunEnd {
    let lease: Lease
    do { lease = try await create(runID, inputs: inputs, life: life) } catch let failure as StoreFailure
      where life.isDead
    {
      if !staysWhenItStops, let lease = try? await store.lease(of: runID) { await store.dropProof(of: lease) }
      return .lost(failure)
    }
    return await work(on: lease, life)
  }

  /// What a run of these inputs is made of.
  public func creation(_ inputs: [String: Value]) -> NewRun {
    NewRun(
      runbook: runbook, source: source, file: "runbook.yaml", inputs: inputs, key: key, requester: "operator",
      isSimulated: true, earlier: earlier)
  }

  private func context(_ inputs: [String: Value]) throws(StepFailure) -> RunContext {
    try RunContext(runbook, inputs: inputs, secrets: secrets, world: world, at: world.clock.now)
  }

  /// Writes the run into the store and does nothing of it.
  public func create(_ runID: String, inputs: [String: Value], life: KillSwitch = KillSwitch()) async throws -> Lease {
    let (creation, context) = (creation(inputs), try context(inputs))
    let locks = try creation.locks(providers: context.providers, vars: context.vars)
    return try await creation.create(
      in: key == nil ? store : MortalStore(base: store, life: life), id: runID, owner: SimulatedProcess.owner(1),
      leaseFor: .seconds(10), locks: locks, secrets: secrets, clock: world.clock)
  }

  /// Takes the run over from a process that is gone or frozen, and works on it.
  public func resume(_ runID: String, life: KillSwitch = KillSwitch()) async throws -> RunEnd {
    await work(on: try await takeOver(runID), life)
  }

  /// - Throws: `owned` if its owner lives.
  public func takeOver(_ runID: String) async throws(StoreFailure) -> Lease {
    try await store.takeOver(runID, owner: SimulatedProcess.owner(2), leaseFor: .seconds(10))
  }

  /// Works on a run that this process owns.
  public func work(on lease: Lease, _ life: KillSwitch = KillSwitch()) async -> RunEnd {
    let control = control
    life.whenDead { control.leave("the process was killed") }
    // Sessions and lists that runs share die with the process too: the new world begins without any.
    let mortal = RunWorld(
      clock: MortalClock(base: world.clock, life: life), random: world.random,
      transport: MortalTransport(base: world.transport, life: life),
      scripts: MortalScripts(base: world.scripts, life: life), files: MortalFiles(base: world.files, life: life),
      builtIn: Array(world.builtIn.values), providerKinds: Array(world.providerKinds.values),
      mail: MortalMail(base: world.mail, life: life), scriptEnvironment: world.scriptEnvironment,
      makesLiveChecks: world.makesLiveChecks, asksPeople: world.asksPeople)
    let mortalStore = MortalStore(base: store, life: life)
    let kept = renewal.map { renew in
      LeasedTenure(lease, clock: world.clock, isToldOfLoss ? control : nil) { lease throws(StoreFailure) in
        guard !life.isDead else { throw MortalStore.dead }
        return try renew(lease)
      }
    }
    var launch = RunAssignment(
      runbook: runbook, source: source, secrets: secrets, store: mortalStore, lease: lease,
      world: mortal, observer: observer, control: control, tenure: tenure ?? kept)
    launch.without = without
    launch.acceptsRestored = acceptsRestored
    let end = await Interpreter(launch).run()
    if !staysWhenItStops { await store.dropProof(of: lease) }
    return end
  }

  /// Who owns a run here: 1 is the process that has started it, 2 one that has taken it over.
  public static func owner(_ pid: Int32) -> Owner {
    Owner(host: "simulated", bootID: "simulated", pid: pid, processStart: 1)
  }
}

/// Keeps every event, for tests.
public final class RecordingObserver: RunObserver {
  private let log = RecordedEvents()
  public init() {}
  public func observe(_ event: RunEvent) { log.append(event) }
  public func progress(_ progress: RunProgress) { log.append(progress) }
  public var events: [RunEvent] { log.events }
  public var progress: [RunProgress] { log.progress }
}
