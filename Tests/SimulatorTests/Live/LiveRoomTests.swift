import ProviderKit
import Providers
import Runbook
import Simulator
import Steps
import Stores
import TestSupport
import Testing

/// Before its first change a run asks whether there is room for what it makes, and says what it could not ask.
@Suite struct LiveRoomTests {
  private struct World {
    let clock = VirtualClock()
    let twin: any SimulatedSystem
    let observer = RecordingObserver()
    let process: SimulatedProcess
    private let runbook: ValidatedRunbook
    private let world: RunWorld
    private let kind: any ProviderKind

    /// - Parameter made: snapshots that are there beside the two of the documents.
    init(_ steps: String, type: String = "vps_org", made: Int = 3, block: String = "token: \"${{ secrets.token }}\"")
      async throws
    {
      let kind = try #require(standardProviders.first { $0.type == type })
      twin = kind.twin(clock: clock, seed: 7, isSealed: true)
      let text = """
        runbook: v1
        name: room
        inputs: {server: {type: string, default: "12345"}, again: {type: bool, default: true}}
        secrets: {token: {source: env, key: TOKEN}}
        providers: {cloud: {type: \(type), url: https://cloud.example.com, \(block)}}
        defaults: {"*": {with: {server: "${{ inputs.server }}"}, rollback: none}}
        steps:
        \(steps)
        """
      let context = ValidationContext(
        steps: standardSteps, actions: standardActions.map(\.declaration), providers: standardProviders)
      runbook = try ValidatedRunbook(ParsedDocument(yaml: text), in: context)
      let transport = InMemoryTransport(clock: clock, routes: ["https://cloud.example.com": twin])
      world = RunWorld(
        clock: clock, random: SeededRandom(seed: 7), transport: transport, scripts: SimulatedScripts(clock: clock),
        files: SimulatedFiles(), builtIn: standardActions, providerKinds: standardProviders)
      process = SimulatedProcess(
        world: world, store: MemoryStore(clock: clock), runbook: runbook,
        source: PinnedSource(text: text, files: [:], folder: "/srv/runbooks"),
        secrets: ["token": Secret("vps_canary_token", named: ["token"])], observer: observer)
      self.kind = kind
      for number in 0..<made { try await fill("extra-\(number)") }
    }

    func fill(_ name: String) async throws {
      let provider = try kind.connect(
        Arguments(["url": "https://cloud.example.com", "token": .secret(Secret("vps_x", named: []))]),
        environment: ProviderEnvironment(
          transport: InMemoryTransport(clock: clock, routes: ["https://cloud.example.com": twin]), clock: clock,
          random: SeededRandom(seed: 1)))
      let driver = ActionDriver(
        try #require(provider.action("snapshot.create")), clock: clock, transport: world.transport,
        scripts: world.scripts, files: world.files)
      _ = try await driver.run(["server": "12345", "name": .string(name)])
    }

    func run() async throws -> RunEnd {
      try await process.start("r0123456789abcdefghi", inputs: ["server": "12345", "again": true])
    }

    func findings() async throws -> LiveCheck.Findings {
      let secrets = ["token": Secret("vps_canary_token", named: ["token"])]
      let inputs: [String: Value] = ["server": "12345", "again": true]
      let context = try RunContext(runbook, inputs: inputs, secrets: secrets, world: world, at: clock.now)
      let check = LiveCheck(
        runbook: runbook, providers: context.providers, inputs: inputs, vars: context.vars, secrets: secrets,
        world: world, runID: "r0123456789abcdefghi", at: clock.now)
      return await check.findings()
    }

    var effects: [String] { twin.ledger.map { $0.effect }.filter { !$0.isEmpty } }
    var problems: [String] {
      observer.events.first { $0.event == "run.checked" }?.fields["problems"]?.list?.compactMap { $0.string } ?? []
    }
  }

  private static let stop = "- {id: stop, action: server.stop}\n"
  private static let snap = "- {id: snap, action: snapshot.create, with: {name: mine}}\n"

  @Test func aFullServerEndsTheRunBeforeItsFirstChange() async throws {
    let world = try await World(Self.stop + Self.snap)
    let before = world.effects.count
    let end = try await world.run()
    #expect(end.exitCode == 1)
    #expect(world.effects.count == before, "\(world.effects)")
    #expect(world.problems.count == 1)
    #expect(world.problems.first?.hasPrefix("step `snap`: server 12345 has 5 of 5 snapshots: ") == true)
    #expect(
      world.problems.first?.hasSuffix("delete one, or put `snapshot.prune` before this step") == true,
      "\(world.problems)")
  }

  /// What an earlier step may free nobody can know: the run begins, and `plan --live` says so.
  @Test(arguments: [
    "- {id: room, action: snapshot.prune, with: {keep: 1}}\n",
    "- {id: room, action: snapshot.delete, with: {snapshot: \"798\"}}\n",
    "- {id: room, action: vps_org.request, with: {method: DELETE, path: /snapshots/798/}}\n",
  ])
  func anEarlierStepMayMakeRoom(_ room: String) async throws {
    let world = try await World(Self.stop + room + Self.snap)
    let found = try await world.findings()
    #expect(found.problems == [])
    #expect(
      found.notes.contains { $0.hasPrefix("step `snap`: ") && $0.hasSuffix("step `room` before it may make room") })
    let end = try await world.run()
    #expect(end.exitCode == 0, "\(world.observer.events)")
  }

  /// A prune of something else, or after it, makes no room.
  @Test(arguments: [
    stop + "- {id: room, action: backup.prune, with: {keep: 1}}\n" + snap,
    stop + snap + "- {id: room, action: snapshot.prune, with: {keep: 1}}\n",
    stop + "- {id: room, action: snapshot.prune, with: {keep: 1, server: \"777\"}}\n" + snap,
  ])
  func whatMakesNoRoomIsNoReasonToBegin(_ steps: String) async throws {
    let world = try await World(steps)
    world.twin.ensureServer("777")
    #expect(try await world.findings().problems.contains { $0.contains("5 of 5 snapshots") })
  }

  @Test func whatTheStepsBeforeMakeIsCounted() async throws {
    let second = "- {id: second, action: snapshot.create, with: {name: other}}\n"
    let world = try await World(Self.snap + second, made: 2)
    let found = try await world.findings()
    #expect(found.problems.count == 1)
    #expect(found.problems.first?.hasPrefix("step `second`: server 12345 has 4 of 5 snapshots") == true)
    #expect(found.problems.first?.contains("1 more is made by the steps before") == true, "\(found.problems)")
  }

  /// A step that may be left out, or may fail, is no reason not to begin.
  @Test(arguments: ["if: steps.a.outputs.state == 'stopped'", "continue_on_error: true"])
  func aStepThatMayBeLeftOutIsNoReasonNotToBegin(_ key: String) async throws {
    let steps =
      "- {id: a, action: server.status}\n- {id: snap, action: snapshot.create, with: {name: mine}, \(key)}\n"
    let found = try await World(steps).findings()
    #expect(found.problems == [])
    #expect(found.notes.contains { $0.contains("5 of 5 snapshots") && $0.contains("so the run can begin") })
  }

  @Test func oneThatIsUsedAgainNeedsNoRoom() async throws {
    let steps =
      "- {id: snap, action: snapshot.create, with: {name: extra-1, if_exists: reuse, max_age: 1d}}\n"
    #expect(try await World(steps).findings().problems == [])
  }

  /// What cannot be asked is said.
  @Test func whatTheCloudDoesNotTellIsSaid() async throws {
    let hetzner = try await World(
      "- {id: snap, action: snapshot.create, with: {name: mine, server: \"42\"}}\n", type: "hetzner", made: 0)
    let found = try await hetzner.findings()
    #expect(found.problems == [])
    #expect(
      found.notes == [
        "step `snap`: Hetzner Cloud does not say how many snapshots a server may have, so room is not checked"
      ])
    let late = try await World(
      "- {id: one, action: server.find, with: {name: web-server-01}}\n"
        + "- {id: snap, action: snapshot.create, with: {name: mine, server: \"${{ steps.one.outputs.id }}\"}}\n")
    let notes = try await late.findings().notes
    #expect(
      notes == ["step `snap`: `server` is known only during the run, so it is not checked before"])
  }

  // MARK: Whether an existing one may be the way back

  private static func reuse(_ more: String = "") -> String {
    stop + "- {id: snap, action: snapshot.create, with: {name: extra-1, if_exists: reuse\(more)}}\n"
  }

  @Test func anOldSnapshotIsNotTakenForTheWayBack() async throws {
    let world = try await World(Self.reuse(), made: 2)
    await world.clock.sleep(for: .seconds(86_400 * 180))
    let before = world.effects.count
    #expect(try await world.run().exitCode == 1)
    #expect(world.effects.count == before)
    #expect(world.problems.first?.contains("before this run began") == true, "\(world.problems)")
    #expect(world.problems.first?.contains("`max_age`") == true, "\(world.problems)")
  }

  /// What the run made that this one repeats is as good as its own.
  @Test(arguments: [(Duration.zero, 0), (.seconds(7200), 1)])
  func whatTheRepeatedRunMadeIsUsedAgain(_ later: Duration, _ exitCode: Int) async throws {
    let world = try await World(Self.reuse(), made: 0)
    let began = world.clock.now + later
    try await world.fill("extra-1")
    await world.clock.sleep(for: .seconds(3 * 3600))
    var again = world.process
    again.earlier = (id: RunID.make(at: began, random: SeededRandom(seed: 3)), fromStep: "stop", inherited: [:])
    let end = try await again.start("r0123456789abcdefghi", inputs: ["server": "12345", "again": true])
    #expect(end.exitCode == Int32(exitCode), "\(world.problems)")
  }

  @Test(arguments: [(", max_age: 200d", 0), (", max_age: 1d", 1)])
  func maxAgeSaysHowOldItMayBe(_ more: String, _ exitCode: Int) async throws {
    let world = try await World(Self.reuse(more), made: 2)
    await world.clock.sleep(for: .seconds(86_400 * 180))
    let before = world.effects.count
    #expect(try await world.run().exitCode == Int32(exitCode), "\(world.problems)")
    #expect(world.effects.count == before + (exitCode == 0 ? 1 : 0))
    let said = world.observer.progress.contains { $0.message?.contains("uses snapshot `extra-1`") == true }
    #expect(said == (exitCode == 0))
  }
}
