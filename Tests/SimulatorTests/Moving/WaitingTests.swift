import VPSOrgCloud
import Runbook
import Simulator
import Stores
import TestSupport
import Testing

/// `on_waiting`: people are told once when a run waits for one of them, and nothing of that changes the run.
@Suite struct WaitingTests {
  private static func runbook(_ steps: String, hook: String = "200", extra: String = "") -> String {
    """
    runbook: v1
    name: waits
    secrets: {vps_token: {source: env, key: T}}
    providers: {cloud: {type: vps_org, token: "${{ secrets.vps_token }}"}}
    steps:
    \(steps)
    on_waiting:
      - action: notify.webhook
        with:
          url: "http://127.0.0.1:8099/do/\(hook)/hook"
          text: |-
            ${{ run.name }} ${{ waiting.for }} ${{ waiting.step }}: ${{ waiting.message }} (${{ waiting.command }})\(extra)

    """
  }

  private static let asks = "  - {id: go, approve: {prompt: Go on?}}\n  - {id: after, run: echo after, rollback: none}"
  private static let parks =
    "  - {id: publish, action: http.post, with: {url: \"http://127.0.0.1:8099/do/503/x\"}, rollback: none}"

  private static let stops = """
      - id: stop
        action: server.stop
        with: {server: "12345"}
        wait: {timeout: 40m}
        timeout: 1h
        rollback: none
    """

  private func world(_ text: String) throws -> MovingWorld {
    try MovingWorld(text, secrets: ["vps_token": "vps_token-1"])
  }

  private func messages(_ world: MovingWorld) -> [String] {
    world.web.ledger.filter { $0.subject == "hook" }.map(\.detail)
  }

  @Test func peopleAreToldOfAQuestionOnceWithWhatToType() async throws {
    let world = try world(Self.runbook(Self.asks))
    _ = try await world.start(life: KillSwitch(where: "after commit", and: "run.told"))
    let digest = try await world.question().digest
    let id = MovingWorld.runID
    #expect(
      messages(world) == [
        "{\"text\":\"waits approval go: Go on? (runbook approve \(id) go --seen \(digest))\"}"
      ])
    try await world.answer(.approve)
    #expect(try await world.resume().exitCode == 0, "\(world.story)")
    #expect(messages(world).count == 1)
  }

  @Test func peopleAreToldBeforeARunIsParked() async throws {
    let world = try world(Self.runbook(Self.parks))
    guard case .parked = try await world.start() else {
      Issue.record("\(world.story)")
      return
    }
    #expect(messages(world).count == 1)
    let beginning = "{\"text\":\"waits resolve publish: the outcome of `publish` is not known: "
    #expect(messages(world).first?.hasPrefix(beginning) == true, "\(messages(world))")
    #expect(world.events("run.told").map { $0.fields["for"] } == ["resolve"])
    // It is told once, however often somebody looks in.
    guard case .parked = try await world.resume() else {
      Issue.record("\(world.story)")
      return
    }
    #expect(messages(world).count == 1)
  }

  @Test func aStateThatNobodyHasHeardOfIsToldAfterAQuarterOfAnHour() async throws {
    let world = try world(Self.runbook(Self.stops))
    try world.twin.inject("unknown_status:server.stop:pondering")
    try world.twin.inject("stuck:server.stop")
    let end = try await world.start()
    #expect(end.exitCode == 1, "\(world.story)")
    #expect(messages(world).count == 1, "\(messages(world))")
    #expect(
      messages(world).first?.contains("`stop` has shown `pondering` for 15 minutes") == true, "\(messages(world))")
    let started = try #require(world.events("step.started").first).at
    let told = try #require(world.events("run.told").first).at
    #expect(told - started >= .seconds(900) && told - started < .seconds(960))
  }

  @Test func aStateThatIsKnownIsNotToldHoweverLongItLasts() async throws {
    let world = try world(Self.runbook(Self.stops))
    try world.twin.inject("stuck:server.stop")
    #expect(try await world.start().exitCode == 1)
    #expect(messages(world) == [])
  }

  @Test func aMessageIsSentUntilItArrivesAndItsFailureEndsNothing() async throws {
    let late = try world(Self.runbook(Self.asks, hook: "503,503,200"))
    _ = try await late.start(life: KillSwitch(where: "after commit", and: "run.told"))
    #expect(messages(late).count == 3)
    let never = try world(Self.runbook(Self.asks, hook: "503"))
    let begun = never.clock.monotonic
    _ = try await never.start(life: KillSwitch(where: "after commit", and: "run.told"))
    #expect(never.clock.monotonic - begun < .seconds(130))
    try await never.answer(.approve)
    #expect(try await never.resume().exitCode == 0, "\(never.story)")
    let told = try never.store.entries(of: MovingWorld.runID, after: 0).filter { $0.kind == "run.told" }
    #expect(told.count == 1)
    #expect(told.first.map { String(decoding: $0.body, as: UTF8.self).contains("`on_waiting[0]`: ") } == true)
  }

  @Test func aMessageWhoseConditionIsFalseIsNotSent() async throws {
    let world = try world(Self.runbook(Self.asks, extra: "\n    if: waiting.for == 'state'"))
    _ = try await world.start(life: KillSwitch(where: "after commit", and: "run.told"))
    #expect(messages(world) == [])
    try await world.answer(.approve)
    #expect(try await world.resume().exitCode == 0)
  }

  @Test func aRunWithAMissingSecretOfAMessageGoesOn() async throws {
    let text = Self.runbook(Self.asks).replacing("http://127.0.0.1:8099/do/200/hook", with: "${{ secrets.hook }}")
      .replacing("secrets: {", with: "secrets: {hook: {source: env, key: H}, ")
    let world = try world(text)
    world.without = ["hook"]
    _ = try await world.start(life: KillSwitch(where: "after commit", and: "run.told"))
    try await world.answer(.approve)
    #expect(try await world.resume().exitCode == 0, "\(world.story)")
  }

  @Test func aCancelIsHeededWhilePeopleAreTold() async throws {
    let world = try world(Self.runbook(Self.asks, hook: "503"))
    let control = RunControl()
    var process = world.process(control)
    process.observer = PostingObserver(
      base: world.observer, control: control, message: .cancel(by: "ops", rollback: true, request: 1))
    let end = try await process.start(MovingWorld.runID, inputs: [:])
    #expect(end.exitCode == 5, "\(world.story)")
    #expect(world.events("run.told").isEmpty)
  }

  /// A server that hangs, or refuses for two minutes, holds up nobody who answers.
  @Test func anAnswerIsHeededWhilePeopleAreTold() async throws {
    let world = try world(Self.runbook(Self.asks, hook: "503"))
    let control = RunControl()
    let answer = ApprovalQuestion(
      step: "go", number: 1, prompt: "Go on?", until: Timestamp(seconds: 0)
    ).answer(.approve, by: "ops")
    var process = world.process(control)
    process.observer = PostingObserver(base: world.observer, control: control, message: .answer(answer))
    let begun = world.clock.monotonic
    let end = try await process.start(MovingWorld.runID, inputs: [:])
    #expect(end.exitCode == 0, "\(world.story)")
    #expect(world.clock.monotonic - begun < .seconds(60))
    #expect(world.events("run.told").isEmpty)
  }

  @Test func peopleAreToldUntilTheDeadlineAndNoLonger() async throws {
    let world = try world(Self.runbook(Self.asks.replacing("Go on?", with: "Go on?, timeout: 20s"), hook: "503"))
    let begun = world.clock.monotonic
    _ = try await world.start()
    #expect(world.clock.monotonic - begun < .seconds(60), "\(world.story)")
    #expect(world.end(of: "go")?.fields["error"]?["kind"] == "timeout")
  }
}

/// Posts a message as soon as the run waits.
private struct PostingObserver: RunObserver {
  let base: RecordingObserver
  let control: RunControl
  let message: RunControl.Message
  func observe(_ event: RunEvent) {
    base.observe(event)
    if event.event == "run.waiting" { control.post(message) }
  }
  func progress(_ progress: RunProgress) { base.progress(progress) }
}
