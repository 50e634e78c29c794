import VPSOrgCloud
import Runbook
import Simulator
import TestSupport
import Testing

/// Whatever becomes of a request or its reply, each effect takes place once.
struct VPSOrgLostReplyTests {
  /// A changing action, its fields, and the one effect it shall have.
  struct Case: Sendable, CustomTestStringConvertible {
    var action: String
    var with: [String: Value] = [:]
    var effect: String
    var startsStopped = false
    /// The call that the faults strike, where it is not the action's own name.
    var call: String?
    var testDescription: String { action }
  }

  static let cases = [
    Case(action: "server.stop", effect: "server.stop"),
    Case(action: "server.start", effect: "server.start", startsStopped: true),
    Case(action: "server.reboot", effect: "server.reboot"),
    Case(action: "snapshot.create", with: ["name": "pre-1"], effect: "snapshot.create"),
    Case(action: "snapshot.restore", with: ["snapshot": "801", "power": "stopped"], effect: "snapshot.restore"),
    Case(action: "snapshot.delete", with: ["snapshot": "801"], effect: "snapshot.delete"),
    Case(action: "snapshot.prune", with: ["keep": 1], effect: "snapshot.delete", call: "snapshot.delete"),
    Case(action: "backup.create", effect: "backup.create"),
    Case(action: "backup.restore", with: ["backup": "501", "power": "stopped"], effect: "backup.restore"),
    Case(action: "backup.delete", with: ["backup": "499"], effect: "backup.delete"),
    Case(action: "backup.prune", with: ["keep": 0], effect: "backup.delete", call: "backup.delete"),
  ]

  static let faults = [
    "request_lost", "request_late:30s", "reply_lost", "reply_late:2m", "reply_late:5s", "502", "502:2", "502_after",
    "504_after",
    "html_200", "html_after", "429", "429:2:20s", "503:1:30s", "409", "423",
  ]

  @Test(arguments: cases, faults)
  func theEffectTakesPlaceOnce(_ item: Case, fault: String) async throws {
    let fixture = try VPSOrgFixture()
    if item.startsStopped { fixture.twin.setStatus(ofServer: "12345", "stopped") }
    let parts = fault.split(separator: ":", maxSplits: 1)
    let text = "\(parts[0]):\(item.call ?? item.action)" + (parts.count > 1 ? ":\(parts[1])" : "")
    try fixture.twin.inject(text)
    try await fixture.run(item.action, item.with)
    #expect(fixture.twin.ledger.filter { $0.effect == item.effect }.count == 1)
    #expect(fixture.twin.firedFaults == [text])
  }

  /// The probe's answers to each fate of a request, looked at at once and when no request can be under way any more.
  @Test(arguments: cases)
  func theProbeTellsWhatTookPlace(_ item: Case) async throws {
    for (fault, isApplied) in [("reply_lost", true), ("request_lost", false)] {
      let fixture = try VPSOrgFixture(faults: ["\(fault):\(item.call ?? item.action)"])
      if item.startsStopped { fixture.twin.setStatus(ofServer: "12345", "stopped") }
      let driver = try fixture.driver(item.action)
      let with = item.with.merging(["server": "12345"]) { given, _ in given }
      let before = try await driver.action.capture(driver.call(with))
      let call = driver.call(with, before: before, intendedAt: fixture.clock.now)
      let failure = await #expect(throws: StepFailure.self) { try await driver.action.perform(call) }
      #expect(failure?.effect == .unknown)
      #expect(failure?.kind == .unreachable)
      for pause in [0, 90, 3600] as [Int64] {
        await fixture.clock.sleep(for: .seconds(pause))
        let answer = try await driver.action.probe(call)
        if isApplied {
          guard case .applied = answer else {
            Issue.record("\(fault), after \(pause) s: \(answer)")
            continue
          }
        } else {
          #expect(answer == .notApplied, "\(fault), after \(pause) s")
        }
      }
      #expect(fixture.twin.unfiredFaults == [])
    }
  }

  /// A snapshot that somebody else takes under the same name before the intent is not ours.
  @Test func onlyWhatWasNotThereBeforeIsAdopted() async throws {
    let fixture = try VPSOrgFixture()
    let driver = try fixture.driver("snapshot.create")
    let with: [String: Value] = ["server": "12345", "name": "pre-migration-snapshot"]
    let before = try await driver.action.capture(driver.call(with))
    #expect(before["matching"] == ["801"])
    #expect(try await driver.action.probe(driver.call(with, before: before)) == .notApplied)
  }

  /// No `updated_at` to go by: nobody can tell whether a restore took place.
  @Test(arguments: ["snapshot.restore", "server.reboot"])
  func withoutATimeOfLastChangeTheProbeIsUnsure(action: String) async throws {
    let system = ScriptedSystem(200, #"{"id":12345,"name":"web","status":"active"}"#)
    let driver = try VPSOrgFixture(system: system).driver(action)
    #expect(try await driver.action.probe(driver.call(["server": "12345", "snapshot": "801"])) == .unsure)
  }

  /// A look at a replica that lags: the server still seems untouched.
  @Test func aLookThatComesTooEarlyDoesNotEndARestore() async throws {
    let old = ScriptedSystem.reply(
      200, #"{"id":12345,"name":"web","status":"active","updated_at":"2025-01-15T10:20:00Z"}"#)
    let fixture = try VPSOrgFixture(system: ScriptedSystem([old]))
    let driver = try fixture.driver("snapshot.restore")
    let before = try await driver.action.capture(driver.call(["server": "12345"]))
    let call = driver.call(["server": "12345", "snapshot": "801"], before: before, intendedAt: fixture.clock.now)
    #expect(try await driver.action.observe(call, after: ActionResult()).verdict == .pending)
    await fixture.clock.sleep(for: .seconds(60))
    #expect(try await driver.action.observe(call, after: ActionResult()).verdict == .done)
  }

  @Test func aPruneThatFailsHalfwaySaysThatSomethingIsGone() async throws {
    let fixture = try VPSOrgFixture(faults: ["403:snapshot.delete:#2"])
    let failure = try await fixture.failure("snapshot.prune", ["keep": 0])
    #expect(failure.kind == .auth)
    #expect(failure.effect == .applied)
    #expect(fixture.effects == ["snapshot.delete 801"])
    #expect(fixture.twin.unfiredFaults == [])
  }

  @Test func aTokenThatExpiresEndsTheStepAndNamesTheSecret() async throws {
    let fixture = try VPSOrgFixture(faults: ["token_expires:3"])
    let failure = try await fixture.failure("snapshot.create", ["name": "a"])
    #expect(failure.kind == .auth)
    #expect(!failure.retryable)
    #expect(failure.message.contains("`vps_token`"))
    #expect(fixture.twin.unfiredFaults == [])
    #expect(fixture.twin.requests.count == 4)
  }

  @Test(arguments: [
    "429:snapshot.list:3:30s", "502:snapshot.list:4", "request_lost:snapshot.list:2", "html_200:snapshot.list:2",
  ])
  func aStormDoesNotEndAWait(fault: String) async throws {
    let fixture = try VPSOrgFixture()
    let driver = try fixture.driver("snapshot.create")
    let with: [String: Value] = ["server": "12345", "name": "a"]
    let before = try await driver.action.capture(driver.call(with))
    try fixture.twin.inject(fault)
    let call = driver.call(with, before: before, intendedAt: fixture.clock.now)
    var result = try await driver.action.perform(call)
    var isDone = false
    while !isDone {
      do throws(StepFailure) {
        let seen = try await driver.action.observe(call, after: result)
        result.outputs.merge(seen.result.outputs) { _, new in new }
        isDone = seen.verdict == .done
      } catch {
        #expect(error.retryable)
        #expect(error.effect == StepFailure.Effect.none)
      }
      await fixture.clock.sleep(for: .seconds(10))
    }
    #expect(result.outputs["state"] == "ready")
    #expect(fixture.twin.firedFaults == [fault])
  }

  @Test(arguments: [
    "", "nonsense", "reply_lost:server.explode", "429:-1", "reply_lost:#0", "stuck:", "600", "429:1:2x", "502:0:0",
  ])
  func anUnknownFaultIsRefusedWithTheKnownOnes(fault: String) throws {
    let twin = SimulatedVPSOrg(clock: VirtualClock())
    let failure = #expect(throws: ExpressionFailure.self) { try twin.inject(fault) }
    #expect(failure?.message.contains("reply_lost") == true)
    #expect(failure?.message.contains("snapshot.create") == true)
  }
}
