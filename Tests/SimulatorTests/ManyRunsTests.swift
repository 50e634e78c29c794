import Runbook
import Simulator
import Steps
import Stores
import TestSupport
import Testing

/// Many runs of one process, which share their flushes.
@Suite struct ManyRunsTests {
  private struct Outcome: Sendable {
    var id: String
    var end: RunEnd
  }

  private func run(
    _ count: Int, in store: any RunStore, _ committer: Committer, _ clock: VirtualClock,
    beforeTheyBegin: ([Lease]) async throws -> Void = { _ in }
  ) async throws -> [Outcome] {
    let text =
      "runbook: v1\nname: many\nsteps:\n"
      + (0..<5).map { "  - {id: s\($0), action: assert, with: {that: true}}\n" }.joined()
    let runbook = try ValidatedRunbook(
      ParsedDocument(yaml: text),
      in: ValidationContext(steps: standardSteps, actions: standardActions.map { $0.declaration }, providers: []))
    let source = PinnedSource(text: text, files: [:], folder: "/")
    var leases: [Lease] = []
    for number in 0..<count {
      let creation = NewRun(runbook: runbook, source: source, file: "many.yaml", inputs: [:], requester: "ops")
      leases.append(
        try await creation.create(
          in: store, id: "r\(number)", owner: SimulatedProcess.owner(1), leaseFor: .seconds(3600), locks: [],
          secrets: [:], clock: clock))
    }
    try await beforeTheyBegin(leases)
    let world = RunWorld(
      clock: clock, random: SeededRandom(seed: 1), transport: InMemoryTransport(clock: clock, routes: [:]),
      scripts: SimulatedScripts(clock: clock), files: SimulatedFiles(), builtIn: standardActions, providerKinds: [])
    return await withTaskGroup(of: Outcome.self) { group in
      for lease in leases {
        group.addTask {
          let launch = RunAssignment(
            runbook: runbook, source: source, secrets: [:], store: store, lease: lease, world: world,
            observer: RecordingObserver(), control: RunControl(), committer: committer)
          return Outcome(id: lease.runID, end: await Interpreter(launch).run())
        }
      }
      var outcomes: [Outcome] = []
      for await outcome in group { outcomes.append(outcome) }
      return outcomes
    }
  }

  @Test func runsThatGoOnAtOnceShareTheirFlushesAndEachHasItsWholeJournal() async throws {
    let folder = TemporaryFolder()
    let clock = VirtualClock(start: Timestamp(seconds: 1_737_044_100))
    let store = try SQLiteStore(at: folder.path("runbook.db"), clock: clock)
    let committer = Committer(store)
    let outcomes = try await run(60, in: store, committer, clock)
    #expect(outcomes.allSatisfy { $0.end.exitCode == 0 })
    let written = committer.written
    #expect(written.batches >= 60 * 5)
    #expect(written.transactions * 2 < written.batches, "\(written)")
    // The beginning, five steps with two entries each, and the end: from another process, which checks the chains.
    let another = try SQLiteStore(at: folder.path("runbook.db"), clock: clock)
    let lengths = try (0..<60).map { try another.entries(of: "r\($0)", after: 0).count }
    #expect(Set(lengths).count == 1 && (lengths.first ?? 0) > 12, "\(lengths)")
  }

  @Test func aRunThatWasTakenOverIsLostAloneAmongManyThatGoOn() async throws {
    let folder = TemporaryFolder()
    let clock = VirtualClock(start: Timestamp(seconds: 1_737_044_100))
    let store = try SQLiteStore(at: folder.path("runbook.db"), clock: clock)
    let outcomes = try await run(20, in: store, Committer(store), clock) { leases in
      store.dropProof(of: leases[7])
      _ = try store.takeOver("r7", owner: SimulatedProcess.owner(2), leaseFor: .seconds(60))
    }
    for outcome in outcomes {
      guard outcome.id == "r7" else {
        #expect(outcome.end.exitCode == 0, "\(outcome)")
        continue
      }
      guard case .lost(.fenced) = outcome.end else {
        Issue.record("the run that was taken over ended as \(outcome.end)")
        continue
      }
    }
  }
}
