import Providers
import VPSOrgCloud
import Runbook
import Simulator
import Steps
import Stores
import TestSupport
import Testing

/// Before its first change a run looks whether its servers are as its first steps need them.
@Suite struct LivePowerTests {
  private struct World {
    let clock = VirtualClock()
    let twin: SimulatedVPSOrg
    let observer = RecordingObserver()
    let process: SimulatedProcess

    init(_ steps: String) throws {
      twin = SimulatedVPSOrg(clock: clock)
      let text = """
        runbook: v1
        name: live
        inputs: {server: {type: string}, again: {type: bool, default: true}}
        secrets: {token: {source: env, key: TOKEN}}
        providers: {cloud: {type: vps_org, token: "${{ secrets.token }}"}}
        steps:
        \(steps)
        """
      let context = ValidationContext(
        steps: standardSteps, actions: standardActions.map(\.declaration), providers: standardProviders)
      let runbook = try ValidatedRunbook(ParsedDocument(yaml: text), in: context)
      let transport = InMemoryTransport(clock: clock, routes: ["https://admin.vps.org": twin])
      process = SimulatedProcess(
        world: RunWorld(
          clock: clock, random: SeededRandom(seed: 7), transport: transport, scripts: SimulatedScripts(clock: clock),
          files: SimulatedFiles(), builtIn: standardActions, providerKinds: standardProviders),
        store: MemoryStore(clock: clock), runbook: runbook,
        source: PinnedSource(text: text, files: [:], folder: "/srv/runbooks"),
        secrets: ["token": Secret("vps_canary_token", named: ["token"])], observer: observer)
    }

    func run(_ inputs: [String: Value] = [:]) async throws -> RunEnd {
      try await process.start(
        "r0123456789abcdefghi", inputs: ["server": "12345", "again": true].merging(inputs) { _, given in given })
    }

    var problems: [String]? {
      observer.events.first { $0.event == "run.checked" }?.fields["problems"]?.list?.compactMap { $0.string }
    }
  }

  private static let reboot = "- {id: again, action: server.reboot, with: {server: '${{ inputs.server }}'}}\n"
  private static let start = "- {id: up, action: server.start, with: {server: '${{ inputs.server }}'}}\n"

  @Test("a server in a state that the first step does not take ends the run before it changes anything")
  func aServerInTheWrongStateEndsTheRunAtOnce() async throws {
    let world = try World(Self.reboot)
    world.twin.setStatus(ofServer: "12345", "stopped")
    let end = try await world.run()
    #expect(end.exitCode == 1)
    #expect(end.ended?.outcome == .failed)
    #expect(end.ended?.rollback == .notNeeded)
    #expect(world.twin.ledger == [])
    #expect(
      world.problems == [
        "step `again`: server 12345 is stopped, and `server.reboot` needs it running: put `action: server.start` "
          + "before it, or bring it there by hand"
      ])
  }

  @Test("one line tells that a server is not there")
  func aServerThatIsNotThereIsToldOnce() async throws {
    let world = try World(Self.reboot + Self.start)
    let end = try await world.run(["server": "999"])
    #expect(end.exitCode == 1)
    #expect(world.twin.ledger == [])
    #expect(world.problems?.count == 2, "one for each step: \(world.problems ?? [])")
    #expect(world.problems?.allSatisfy { $0.contains("999") } == true)
  }

  @Test(
    "only what is still as the run finds it is judged",
    arguments: [
      start + reboot,
      "- {id: fix, run: 'true'}\n" + reboot,
      "- {id: fix, action: vps_org.request, with: {method: POST, path: /servers/12345/power/, json: {action: start}}, "
        + "expect: result.status < 500}\n- {wait_for: server.status, with: {server: '12345'}, wait: {until: "
        + "result.state == 'running'}}\n" + reboot,
      reboot.replacing("{id", with: "{if: '!inputs.again', id"),
      reboot.replacing("{id", with: "{continue_on_error: true, id"),
    ])
  func onlyWhatIsAsFoundIsJudged(_ steps: String) async throws {
    let world = try World(steps)
    world.twin.setStatus(ofServer: "12345", "stopped")
    _ = try await world.run()
    #expect(world.problems == [])
  }

  @Test("a server on its way to another state is waited for, not refused")
  func aServerThatIsChangingIsNotRefused() async throws {
    let world = try World(Self.reboot)
    world.twin.setStatus(ofServer: "12345", "starting")
    _ = try await world.run()
    #expect(world.problems == [])
  }
}
