import VPSOrgCloud
import Runbook
import Simulator
import TestSupport
import Testing

struct VPSOrgServerActionsTests {
  @Test func theStatusIsReadInBothWordings() async throws {
    let outputs = try await VPSOrgFixture().run("server.status").result.outputs
    #expect(
      outputs == [
        "id": "12345", "name": "web-server-01", "state": "running", "native_state": "active", "ip": "203.0.113.10",
      ])
  }

  @Test func allServersAreListed() async throws {
    let fixture = try VPSOrgFixture(pageSize: 1)
    fixture.twin.ensureServer("77")
    fixture.twin.ensureServer("12345")
    let servers = try await fixture.run("server.list").result.outputs["servers"]?.list ?? []
    #expect(servers.compactMap { $0["id"]?.string } == ["12345", "77"])
  }

  @Test func aServerIsFoundByItsName() async throws {
    let fixture = try VPSOrgFixture()
    #expect(try await fixture.run("server.find", ["name": "web-server-01"]).result.outputs["id"] == "12345")
    #expect(try await fixture.failure("server.find", ["name": "web"]).kind == .notFound)
  }

  @Test func twoServersOfOneNameAreAConflict() async throws {
    let one = #"{"id":1,"name":"web","status":"active"}"#
    let two = #"{"id":2,"name":"web","status":"active"}"#
    let system = ScriptedSystem(200, #"{"count":2,"results":[\#(one),\#(two)]}"#)
    let failure = try await VPSOrgFixture(system: system).failure("server.find", ["name": "web"])
    #expect(failure.kind == .conflict)
    #expect(failure.message.contains("1, 2"))
  }

  @Test func aServerIsStoppedStartedAndRestarted() async throws {
    let fixture = try VPSOrgFixture()
    let stop = try await fixture.run("server.stop")
    #expect(stop.result.outputs["state"] == "stopped")
    #expect(stop.before["state"] == "running")
    #expect(stop.nativeStates == ["stopping", "stopped"])
    #expect(try await fixture.run("server.start").result.outputs["state"] == "running")
    #expect(try await fixture.run("server.reboot").nativeStates == ["restarting", "active"])
    #expect(fixture.effects == ["server.stop 12345", "server.start 12345", "server.reboot 12345"])
  }

  @Test func stoppingAStoppedServerChangesNothing() async throws {
    let fixture = try VPSOrgFixture()
    try await fixture.run("server.stop")
    let again = try await fixture.run("server.stop")
    #expect(again.before["state"] == "stopped")
    #expect(fixture.effects == ["server.stop 12345"])
  }

  /// VPS.org may as well refuse what is already so.
  @Test func aRefusalByAServerThatIsThereAlreadyIsSuccess() async throws {
    let stopped = ScriptedSystem.reply(200, #"{"id":12345,"name":"web","status":"stopped"}"#)
    let system = ScriptedSystem([stopped, ScriptedSystem.reply(400, #"{"detail":"Already stopped."}"#), stopped])
    #expect(try await VPSOrgFixture(system: system).run("server.stop").result.outputs["state"] == "stopped")
  }

  @Test func aHardStopCutsThePower() async throws {
    let fixture = try VPSOrgFixture()
    try await fixture.run("server.stop", ["mode": "hard"])
    #expect(fixture.twin.ledger.map { $0.detail } == ["hard"])
  }

  @Test func aGuestThatDoesNotShutDownLosesItsPowerAfterTheGrace() async throws {
    let fixture = try VPSOrgFixture(faults: ["stuck:server.stop"])
    let begin = fixture.clock.now
    try await fixture.run("server.stop", ["mode": "clean_then_hard", "grace": .duration(.seconds(120))])
    #expect(fixture.twin.requests.contains("server.hard_stop"))
    #expect(fixture.clock.now - begin >= .seconds(120))
    #expect(fixture.effects == ["server.stop 12345"])
    #expect(fixture.twin.unfiredFaults == [])
  }

  @Test func aCleanStopNeverCutsThePower() async throws {
    let fixture = try VPSOrgFixture(faults: ["stuck:server.stop"])
    #expect(try await fixture.failure("server.stop").kind == .timeout)
    #expect(!fixture.twin.requests.contains("server.hard_stop"))
  }

  @Test func aBusyServerIsAskedAgain() async throws {
    let fixture = try VPSOrgFixture()
    let stop = try fixture.driver("server.stop")
    _ = try await stop.action.perform(stop.call(["server": "12345"]))
    let start = try fixture.driver("server.start")
    let failure = await #expect(throws: StepFailure.self) {
      try await start.action.perform(start.call(["server": "12345"]))
    }
    #expect(failure?.kind == .conflict)
    #expect(failure?.retryable == true)
    #expect(failure?.effect == StepFailure.Effect.none)
    #expect(failure?.message.contains("stopping") == true)
  }

  @Test func aStoppedServerCannotBeRestarted() async throws {
    let fixture = try VPSOrgFixture()
    try await fixture.run("server.stop")
    let failure = try await fixture.failure("server.reboot")
    #expect(failure.kind == .conflict)
    #expect(!failure.retryable)
  }

  @Test(arguments: ["server.stop", "server.start", "server.reboot"])
  func anErrorEndsTheWaitAtOnce(action: String) async throws {
    let fixture = try VPSOrgFixture()
    if action == "server.start" { try await fixture.run("server.stop") }
    try fixture.twin.inject("fails:\(action)")
    let failure = try await fixture.failure(action)
    #expect(failure.kind == .server)
    #expect(failure.effect == .applied)
    #expect(failure.message.contains("server 12345 is `error`"))
    #expect(fixture.twin.unfiredFaults == [])
  }

  @Test(arguments: ["server.stop", "server.start", "server.reboot"])
  func anUnknownWordCountsAsStillChanging(action: String) async throws {
    let fixture = try VPSOrgFixture()
    if action == "server.start" { try await fixture.run("server.stop") }
    try fixture.twin.inject("unknown_status:\(action):defragmenting")
    let outcome = try await fixture.run(action)
    #expect(outcome.nativeStates.first == "defragmenting")
    #expect(fixture.twin.unfiredFaults == [])
  }

  @Test(arguments: ["server.start", "server.reboot"])
  func aStatusThatNeverChangesEndsInATimeout(action: String) async throws {
    let fixture = try VPSOrgFixture()
    if action == "server.start" { try await fixture.run("server.stop") }
    try fixture.twin.inject("stuck:\(action)")
    #expect(try await fixture.failure(action).kind == .timeout)
    #expect(fixture.twin.unfiredFaults == [])
    let driver = try fixture.driver(action)
    #expect(try await !driver.action.isSettled(driver.call(["server": "12345"])))
  }

  @Test(arguments: [
    "server.stop", "server.start", "snapshot.create", "snapshot.restore", "backup.create", "server.status",
  ])
  func aServerThatIsNotThereIsNotFoundAndToldBeforehand(action: String) async throws {
    let fixture = try VPSOrgFixture()
    let fields: [String: Value] = ["server": "999", "name": "a", "snapshot": "801"]
    #expect(try await fixture.failure(action, fields).kind == .notFound)
    let driver = try fixture.driver(action)
    let problems = try await driver.action.liveCheck(driver.call(fields))
    #expect(problems.first?.contains("no server 999") == true)
  }

  @Test(arguments: ["suspended", "error"])
  func aDeadServerIsToldBeforehand(status: String) async throws {
    let fixture = try VPSOrgFixture()
    fixture.twin.setStatus(ofServer: "12345", status)
    let driver = try fixture.driver("server.stop")
    #expect(try await driver.action.liveCheck(driver.call(["server": "12345"])).first?.contains(status) == true)
  }

  @Test(arguments: ["..", ".", "", "a\u{7}b", String(repeating: "1", count: 200)])
  func anIDThatCannotBeOneIsRefusedBeforeAnyCall(id: String) async throws {
    let fixture = try VPSOrgFixture()
    #expect(try await fixture.failure("server.status", ["server": .string(id)]).kind == .input)
    #expect(fixture.twin.requests == [])
  }

  @Test func anIDIsEncodedInAPath() async throws {
    let system = ScriptedSystem(404, "{}")
    let fixture = try VPSOrgFixture(system: system)
    _ = try await fixture.failure("server.status", ["server": "../account?x=1#y"])
    #expect(system.seen.map { $0.path } == ["/api/v1/servers/../account?x=1#y/"])
    #expect(system.seen.first?.query.isEmpty == true)
  }
}
