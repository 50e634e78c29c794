import VPSOrgCloud
import Runbook
import Simulator
import Stores
import TestSupport
import Testing

/// One bad day of the cloud.
struct BadDay: Sendable, CustomTestStringConvertible {
  var fault: String
  var exitCode: Int32
  /// In the error of the step that failed; empty: none may fail.
  var says: String = ""
  /// The step that fails; nil: none.
  var failing: String?
  /// How often each effect may be in the cloud's ledger.
  var once: String?
  var testDescription: String { fault }
}

@Suite struct BadDaysTests {
  @Test(arguments: [
    BadDay(fault: "reply_lost:snapshot.create", exitCode: 0, once: "snapshot.create"),
    BadDay(fault: "request_lost:snapshot.create", exitCode: 0, once: "snapshot.create"),
    BadDay(fault: "request_late:snapshot.create:30s", exitCode: 0, once: "snapshot.create"),
    BadDay(fault: "502_after:snapshot.create", exitCode: 0, once: "snapshot.create"),
    BadDay(fault: "reply_lost:server.stop", exitCode: 0, once: "server.stop"),
    BadDay(fault: "429:server.stop:2:5s", exitCode: 0, once: "server.stop"),
    BadDay(fault: "429:snapshot.create:2:5s", exitCode: 0, once: "snapshot.create"),
    BadDay(fault: "502:snapshot.list:3", exitCode: 0),
    BadDay(fault: "html_200:server.status:2", exitCode: 0),
    BadDay(fault: "unknown_status:server.stop:quiescing", exitCode: 0, once: "server.stop"),
    BadDay(
      fault: "stuck:snapshot.create", exitCode: 3, says: "not `ready`", failing: "snapshot", once: "snapshot.create"),
    BadDay(fault: "fails:snapshot.create", exitCode: 3, says: "failed", failing: "snapshot", once: "snapshot.create"),
    BadDay(fault: "403:server.stop", exitCode: 1, says: "permission", failing: "stop"),
    BadDay(fault: "fails:server.stop", exitCode: 4, says: "error", failing: "stop"),
  ])
  func aBadDayEndsAsDocumented(_ day: BadDay) async throws {
    let world = try PreUpgradeWorld(.succeeding, faults: [day.fault])
    let end = try await world.start()
    #expect(end.exitCode == day.exitCode, "\(world.story)")
    #expect(world.twin.firedFaults == [day.fault], "the fault never fired")
    let failed = world.failure
    #expect(failed?.step == day.failing)
    if let failed { #expect(failed.message.contains(day.says), "\(failed.message)") }
    if let once = day.once { #expect(world.twin.ledger.filter { $0.effect == once }.count == 1, "\(world.effects)") }
  }

  @Test func anExpiredTokenEndsTheRunWithWhatToDoAboutIt() async throws {
    let world = try PreUpgradeWorld(.succeeding, faults: ["token_expires:0"])
    let end = try await world.start()
    #expect(end.exitCode == 1)
    #expect(end.ended?.rollback == .notNeeded)
    #expect(world.effects.isEmpty)
    let problems = world.observer.events.first { $0.event == "run.checked" }?.fields["problems"]
    #expect(problems?.list?.first?.string?.contains("token") == true, "\(world.story)")
  }

  @Test func aTokenThatExpiresInTheMiddleStopsTheRollbackAndItCanBeResumed() async throws {
    let world = try PreUpgradeWorld(.succeeding, faults: ["token_expires:20"])
    let end = try await world.start()
    #expect(end.exitCode == 4 || end.exitCode == 1, "\(world.story)")
    #expect(world.failure?.message.contains("token") == true, "\(world.story)")
  }

  @Test func theSixthSnapshotIsRefusedByNameOfTheLimit() async throws {
    // The step that makes room finds nothing of its own to delete.
    let world = try PreUpgradeWorld(.succeeding)
    for number in 1...3 { world.fill("extra-\(number)") }
    let end = try await world.start()
    #expect(end.exitCode == 3, "\(world.story)")
    #expect(world.failure?.step == "snapshot")
    #expect(world.failure?.kind == .limit)
    #expect(world.failure?.message.contains("5") == true, "\(world.failure?.message ?? "")")
    #expect(world.twin.status(ofServer: "12345") == "active")
  }

  @Test func noSecretIsInTheJournalTheEventsOrTheErrors() async throws {
    for scenario in PreUpgradeWorld.Scenario.allCases {
      let world = try PreUpgradeWorld(scenario, faults: ["401:snapshot.create"])
      _ = try await world.start()
      var sinks = world.observer.events.map { JSONWriter.text($0.json) } + world.observer.progress.map { "\($0)" }
      sinks += try world.store.entries(of: PreUpgradeWorld.runID, after: 0).map {
        String(decoding: $0.body, as: UTF8.self)
      }
      #expect(sinks.count > 20)
      #expect(!sinks.contains { $0.contains("canary") })
    }
  }
}

extension PreUpgradeWorld {
  var failure: StepError? {
    observer.events.first {
      $0.event == "step.ended" && $0.fields["status"] != "succeeded" && $0.fields["status"] != "skipped"
    }?
    .fields["error"].flatMap { StepError($0) }
  }

  /// Every event on a line, for the message of a test that fails.
  var story: String { observer.events.map { JSONWriter.text($0.json) }.joined(separator: "\n") }

  /// Uses one of the server's five places.
  func fill(_ name: String) {
    let body = JSONWriter.bytes(["server_id": 12345, "name": .string(name)])
    _ = twin.answer(
      SimulatedRequest(
        method: "POST", path: "/api/v1/snapshots/",
        headers: [(name: "authorization", value: "Bearer vps_x"), (name: "content-type", value: "application/json")],
        body: body))
  }
}
