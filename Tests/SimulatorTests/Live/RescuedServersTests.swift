import Providers
import ZomroCloud
import Runbook
import Simulator
import Steps
import Stores
import Synchronization
import TestSupport
import Testing

/// Which servers the engine tells a step that asks for `host_key: rescue`.
@Suite struct RescuedServersTests {
  /// Writes down what it was told.
  private struct LookAction: Action {
    var declaration: ActionDeclaration {
      ActionDeclaration(
        "ssh.look", "looks",
        fields: [Field("host_key", .string, help: "as of `ssh.*`"), Field("name", .string, help: "of the look")],
        effect: .none, class: .convergent
      ).given([.rescuedServers])
    }
    func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
      let servers = call.with["_rescued"]?.map.map { $0.keys.sorted().joined(separator: ",") } ?? "-"
      Self.book.withLock { $0.append("\(call.with["name"]?.string ?? "")=\(servers)") }
      return ActionResult()
    }
    static let book = Mutex<[String]>([])
  }

  @Test("a server is told between its rescue.enter and what boots it next, and to no step that does not ask")
  func aServerIsToldWhileItIsInRescue() async throws {
    let clock = VirtualClock()
    let twin = SimulatedZomro(clock: clock, seed: 7)
    let look = { (name: String) in "  - {action: ssh.look, with: {host_key: rescue, name: \(name)}}\n" }
    let text = """
      runbook: v1
      name: rescued
      secrets: {password: {source: env, key: PASSWORD}, own: {source: env, key: OWN}}
      providers: {cloud: {type: zomro, username: ops@example.com, password: "${{ secrets.password }}"}}
      steps:
      \(look("before"))
        - {action: rescue.enter, with: {server: "5203773", image: Debian 12, password: "${{ secrets.own }}"}}
      \(look("inside"))
        - {action: ssh.look, with: {host_key: strict, name: strict}}
        - {action: rescue.exit, with: {server: "5203773"}}
      \(look("after"))
      """
    let actions = standardActions + [LookAction()]
    let context = ValidationContext(
      steps: standardSteps, actions: actions.map(\.declaration), providers: standardProviders)
    let runbook = try ValidatedRunbook(ParsedDocument(yaml: text), in: context)
    let transport = InMemoryTransport(clock: clock, routes: ["https://api.zomro.com": twin])
    let observer = RecordingObserver()
    let process = SimulatedProcess(
      world: RunWorld(
        clock: clock, random: SeededRandom(seed: 7), transport: transport, scripts: SimulatedScripts(clock: clock),
        files: SimulatedFiles(), builtIn: actions, providerKinds: standardProviders),
      store: MemoryStore(clock: clock), runbook: runbook,
      source: PinnedSource(text: text, files: [:], folder: "/srv/runbooks"),
      secrets: [
        "password": Secret("Canary1word", named: ["password"]), "own": Secret("Rescue1word9", named: ["own"]),
      ], observer: observer)
    let end = try await process.start("r0123456789abcdefghi", inputs: [:])
    #expect(end.exitCode == 0, "\(observer.events.map { "\($0.event) \($0.fields)" })")
    #expect(LookAction.book.withLock { $0 } == ["before=", "inside=5203773", "strict=-", "after="])
  }
}
