import ZomroCloud
import Runbook
import Simulator
import TestSupport
import Testing

/// A restore overwrites a disk: never twice, never with what belongs to another server, and out of rescue first.
struct ZomroRestoreTests {
  private func made(
    _ word: String = "backup", faults: [String] = []
  ) async throws -> (fixture: ZomroFixture, twin: SimulatedZomro, id: Value) {
    let (fixture, twin) = try ZomroFixture.twin()
    let id = try #require(try await fixture.run("\(word).create", ["name": "pre-1"], key: "made")["id"])
    for fault in faults { try twin.inject(fault) }
    return (fixture, twin, id)
  }

  @Test(arguments: ["backup", "snapshot"], ["rescued", "booted_from_iso"])
  func aServerInRescueLeavesItFirst(word: String, state: String) async throws {
    let (fixture, twin, id) = try await made(word)
    twin.setStatus(ofServer: ZomroFixture.server, state)
    let driver = try fixture.driver("\(word).restore")
    let reports = Box<[String]>([])
    let before = try await driver.action.capture(fixture.intended(driver, [word: id]))
    #expect(before["state"] == "rescue")
    _ = try await driver.action.perform(fixture.intended(driver, [word: id], before: before, reports: reports))
    #expect(reports.value.contains { $0.contains("`\(state)`") && $0.contains("leaving") })
    #expect(twin.status(ofServer: ZomroFixture.server) == "rebuilding")
    let effects = twin.ledger.map { $0.effect }
    #expect(effects.suffix(2) == [state == "rescued" ? "rescue.exit" : "iso.unmount", "\(word).restore"])
  }

  @Test(
    arguments: ["rescue.exit", "backup.restore"],
    ["request_lost", "reply_lost", "502", "502_after", "html_after", "request_late:20s", "429:2:20s"])
  func aRestoreOutOfRescueIsNeverLost(operation: String, fault: String) async throws {
    let parts = fault.split(separator: ":", maxSplits: 1)
    let text = "\(parts[0]):\(operation)" + (parts.count > 1 ? ":\(parts[1])" : "")
    let (fixture, twin, id) = try await made(faults: [text])
    twin.setStatus(ofServer: ZomroFixture.server, "rescued")
    do { try await fixture.run("backup.restore", ["backup": id, "power": "stopped"], attempts: 5) } catch {
      Issue.record("\(text): \(error)")
    }
    #expect(twin.effects("rescue.exit") == 1)
    #expect(twin.effects("backup.restore") == 1)
    #expect(twin.status(ofServer: ZomroFixture.server) == "stopped")
    #expect(twin.unfiredFaults == [])
  }

  /// A server that somebody is bringing out of rescue is waited for.
  @Test func aServerOnItsWayOutOfRescueIsWaitedFor() async throws {
    let (fixture, twin, id) = try await made()
    twin.setStatus(ofServer: ZomroFixture.server, "rescued")
    let exit = try fixture.driver("rescue.exit")
    _ = try await exit.action.perform(fixture.intended(exit))
    #expect(twin.status(ofServer: ZomroFixture.server) == "unrescuing")
    try await fixture.run("backup.restore", ["backup": id], attempts: 1)
    #expect(twin.effects("backup.restore") == 1)
  }

  /// Seen while it goes on; a look that comes too late cannot tell it from one that never was.
  @Test func aRestoreLookedForTooLateIsUnsure() async throws {
    for pause in [0, 30, 59] as [Int64] {
      let (fixture, _, id) = try await made(faults: ["reply_lost:backup.restore"])
      let driver = try fixture.driver("backup.restore")
      let call = fixture.intended(driver, ["backup": id])
      await #expect(throws: StepFailure.self) { try await driver.action.perform(call) }
      await fixture.clock.sleep(for: .seconds(pause))
      guard case .applied = try await driver.action.probe(call) else {
        Issue.record("after \(pause) s")
        continue
      }
      await fixture.clock.sleep(for: .seconds(3600))
      #expect(try await driver.action.probe(call) == .unsure)
    }
  }

  /// The shortest rebuild is over within the time in which a lost request may still arrive.
  @Test(arguments: [61, 75, 89, 100, 119, 600] as [Int64])
  func aRestoreThatMayBeOverIsUnsure(seconds: Int64) async throws {
    let (fixture, twin, id) = try await made(faults: ["reply_lost:backup.restore"])
    let driver = try fixture.driver("backup.restore")
    let call = fixture.intended(driver, ["backup": id])
    await #expect(throws: StepFailure.self) { try await driver.action.perform(call) }
    // However short it was.
    twin.setStatus(ofServer: ZomroFixture.server, "active")
    await fixture.clock.sleep(for: .seconds(seconds))
    #expect(try await driver.action.probe(call) == .unsure)
    // A new process knows only when the intent was journaled.
    let other = try ZomroFixture(twin, clock: fixture.clock).driver("backup.restore")
    #expect(try await other.action.probe(call) == .unsure)
  }

  /// Looks that left no room for a rebuild between them.
  @Test func aRestoreThatNeverCameIsNotApplied() async throws {
    let (fixture, twin, id) = try await made(faults: ["request_lost:backup.restore"])
    let driver = try fixture.driver("backup.restore")
    let call = fixture.intended(driver, ["backup": id])
    await #expect(throws: StepFailure.self) { try await driver.action.perform(call) }
    for _ in 1...12 {
      await fixture.clock.sleep(for: .seconds(15))
      #expect(try await driver.action.probe(call) == .notApplied)
    }
    await fixture.clock.sleep(for: .seconds(120))
    #expect(try await driver.action.probe(call) == .unsure)
    await fixture.clock.sleep(for: .seconds(5))
    #expect(try await driver.action.probe(call) == .unsure)
    #expect(twin.effects("backup.restore") == 0)
  }

  /// Another server has a backup of this name, and one of this id.
  @Test(arguments: ["backup", "snapshot"])
  func anotherServersItemIsNeverRestored(word: String) async throws {
    let (fixture, twin) = try ZomroFixture.twin()
    twin.ensureServer("7000001")
    let id = try #require(
      try await fixture.run("\(word).create", ["name": "pre-1", "server": "7000001"], key: "a")["id"])
    let mine = try #require(try await fixture.run("\(word).create", ["name": "pre-1"], key: "b")["id"])
    let failure = try await fixture.failure("\(word).restore", [word: id])
    #expect(failure.kind == .notFound)
    #expect(failure.effect == StepFailure.Effect.none)
    #expect(twin.effects("\(word).restore") == 0)
    #expect(try await fixture.problems("\(word).restore", [word: id]).count == 1)
    #expect(try await fixture.run("\(word).find", ["name": "pre-1"])["id"] == mine)
    try await fixture.run("\(word).restore", [word: mine])
    #expect(twin.ledger.last?.effect == "\(word).restore")
    #expect(twin.ledger.last?.detail == mine.string)
    #expect(twin.ledger.last?.subject == ZomroFixture.server)
  }

  /// A snapshot is no backup.
  @Test func anItemOfTheOtherKindIsNotRestored() async throws {
    let (fixture, twin, id) = try await made("snapshot")
    #expect(try await fixture.failure("backup.restore", ["backup": id]).kind == .notFound)
    #expect(twin.effects("snapshot.restore") == 0)
  }

  @Test(arguments: ["Saving", "Killed", "Pending_delete", "quiescing"])
  func anUnfinishedBackupIsNotRestored(status: String) async throws {
    let wire = ZomroWire { function, _ in
      switch function {
      case "instances": ZomroWire.list(ZomroWire.server())
      case "instances.fleio_bckps": ZomroWire.list(ZomroWire.image("9", status: status))
      default: nil
      }
    }
    let failure = try await ZomroFixture(wire).failure("backup.restore", ["backup": "9"])
    #expect(failure.kind == .conflict)
    #expect(failure.retryable == (status == "Saving" || status == "quiescing"))
    #expect(failure.message.contains("`\(status)`"))
    #expect(wire.count("instances.fleio.rebuild") == 0)
  }

  @Test func aServerThatEndsInErrorEndsTheWait() async throws {
    let (fixture, twin, id) = try await made(faults: ["fails:backup.restore"])
    let start = fixture.clock.now
    let failure = try await fixture.failure("backup.restore", ["backup": id])
    #expect(failure.kind == .server)
    #expect(failure.effect == .applied)
    #expect(failure.message.contains("`error`"))
    #expect(fixture.clock.now - start < .seconds(700))
    #expect(try await fixture.problems("server.stop").count == 1)
    #expect(twin.effects("backup.restore") == 1)
  }

  @Test(arguments: ["server.stop", "server.reboot", "rescue.enter", "backup.create"])
  func aServerThatIsSuspendedOrBrokenEndsEveryWait(action: String) async throws {
    for status in ["error", "suspended"] {
      let (fixture, twin) = try ZomroFixture.twin()
      let with: [String: Value] = ["name": "a", "image": "Debian 12", "password": "Rescue1word"]
      let driver = try fixture.driver(action)
      let before = try await driver.action.capture(fixture.intended(driver, with))
      let call = fixture.intended(driver, with, before: before)
      let result = try await driver.action.perform(call)
      guard action != "backup.create" else { continue }
      twin.setStatus(ofServer: ZomroFixture.server, status)
      guard case .failed(let failure) = try await driver.action.observe(call, after: result).verdict else {
        Issue.record("\(action) goes on waiting for a server that is \(status)")
        continue
      }
      #expect(failure.effect == .applied)
    }
  }

  @Test(arguments: ["running", "stopped", "same"])
  func theServerIsAsAskedAfterwards(power: String) async throws {
    for starts in ["running", "stopped"] {
      let (fixture, twin, id) = try await made()
      if starts == "stopped" { try await fixture.run("server.stop", key: "stop") }
      try await fixture.run("backup.restore", ["backup": id, "power": .string(power)], key: "restore")
      let wanted = power == "same" ? starts : power
      #expect(twin.status(ofServer: ZomroFixture.server) == (wanted == "running" ? "active" : "stopped"))
    }
  }
}
