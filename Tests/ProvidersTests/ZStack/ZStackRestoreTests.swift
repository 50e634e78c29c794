import ZStackCloud
import Runbook
import Simulator
import Synchronization
import TestSupport
import Testing

/// Restores: stopped first, each volume checked, the power as asked.
struct ZStackRestoreTests {
  private typealias Items = ZStackItemsTests

  /// A machine that does what it is told at once; `revert` is what the job of the revert ends with.
  private final class Machine: Sendable {
    let state: Mutex<String>
    let calls = Mutex<[String]>([])
    init(_ state: String) { self.state = Mutex(state) }

    func answer(_ request: SimulatedRequest, revert: SimulatedReply, heedsACPI: Bool = true) -> SimulatedReply? {
      if request.isChange {
        let call = (try? JSONReader.read(request.body))?.map?.keys.sorted().first ?? ""
        let kind = request.text.contains("cold") ? "cold" : call
        calls.withLock { $0.append("\(kind) \(request.header("x-job-uuid") ?? "")") }
        state.withLock { state in
          switch kind {
          case "stopVmInstance": if heedsACPI { state = "Stopped" }
          case "cold": state = "Stopped"
          case "startVmInstance": state = "Running"
          default: break
          }
        }
        return ZStackWire.accepted()
      }
      let state = state.withLock { $0 }
      guard request.isJob else { return Items.world(request, state: state) }
      let job = request.path.split(separator: "/").last ?? ""
      guard let call = calls.withLock({ $0.last { $0.hasSuffix(job) } }) else { return ZStackWire.gone }
      return call.hasPrefix("revert") ? revert : ScriptedSystem.reply(200, "{}")
    }

    var names: [String] { calls.withLock { $0.map { String($0.split(separator: " ").first ?? "") } } }
  }

  private func wire(_ machine: Machine, revert: String = "{}", heedsACPI: Bool = true) -> ZStackWire {
    ZStackWire { machine.answer($0, revert: ScriptedSystem.reply(200, revert), heedsACPI: heedsACPI) }
  }

  @Test(arguments: [
    ("same", "Running", "running"), ("same", "Stopped", "stopped"), ("running", "Stopped", "running"),
    ("stopped", "Running", "stopped"),
  ])
  func aRestoreStopsFirstAndEndsWithThePowerAskedFor(power: String, begin: String, end: String) async throws {
    for (word, id, name) in [
      ("snapshot", Items.group, "revertVmFromSnapshotGroup"), ("backup", Items.backup, "revertVmFromVmBackup"),
    ] {
      let machine = Machine(begin)
      let outcome = try await ZStackFixture(wire(machine)).run(
        "\(word).restore", [word: .string(id), "power": .string(power)])
      #expect(outcome.result.outputs["state"] == .string(end))
      let expected =
        (begin == "Running" ? ["stopVmInstance"] : []) + [name] + (end == "running" ? ["startVmInstance"] : [])
      #expect(machine.names == expected)
      let ids = machine.calls.withLock { $0.compactMap { $0.split(separator: " ").last } }
      #expect(Set(ids).count == ids.count, "each job has an id of its own")
    }
  }

  @Test func aGuestThatDoesNotStopIsCutOff() async throws {
    let machine = Machine("Running")
    let fixture = try ZStackFixture(wire(machine, heedsACPI: false))
    try await fixture.run("snapshot.restore", ["snapshot": .string(Items.group), "power": "stopped"])
    #expect(machine.names == ["stopVmInstance", "cold", "revertVmFromSnapshotGroup"])
    #expect(fixture.clock.now - ZStackFixture.start >= .seconds(300))
  }

  /// ZStack reports success for a group of which single volumes failed.
  @Test func aRevertInPartNamesTheVolumesAndLeavesTheServerStopped() async throws {
    let machine = Machine("Running")
    let result = """
      {"results":[{"snapshotUuid":"a1","volumeUuid":"b1","success":true},{"snapshotUuid":"a2","volumeUuid":"b2",
      "success":false,"error":{"code":"SYS.1006","description":"An operation failed","details":"not in Stopped state"}}]}
      """
    let failure = try await ZStackFixture(wire(machine, revert: result)).failure(
      "snapshot.restore", ["snapshot": .string(Items.group)])
    #expect(failure.kind == .server)
    #expect(failure.effect == .applied)
    #expect(!failure.retryable)
    #expect(failure.message.contains("1 of 2 volumes failed (volume b2: not in Stopped state (SYS.1006))"))
    #expect(failure.message.contains("left stopped"))
    #expect(failure.detail["failed_volumes"] == ["b2"])
    #expect(machine.names == ["stopVmInstance", "revertVmFromSnapshotGroup"])
  }

  @Test(arguments: [
    #"{"results":[{"volumeUuid":"b1","success":"true"}]}"#, #"{"results":[{}]}"#, #"{"results":[7]}"#,
  ])
  func aResultThatDoesNotSaySuccessIsNone(result: String) async throws {
    let failure = try await ZStackFixture(wire(Machine("Stopped"), revert: result)).failure(
      "snapshot.restore", ["snapshot": .string(Items.group)])
    #expect(failure.effect == .applied)
  }

  /// What is refused before anything was stopped leaves the machine alone.
  @Test(arguments: ["availability", "deleted", "disabled", "power"])
  func whatCannotBeRestoredStopsNothing(why: String) async throws {
    let machine = Machine("Running")
    let wire = ZStackWire { request in
      if why == "availability", request.path.hasSuffix("/availabilities") {
        return ScriptedSystem.reply(
          200, #"{"results":[{"uuid":"\#(Items.group)","available":false,"reason":"volume detached"}]}"#)
      }
      if why == "deleted", request.path.hasSuffix("/volume-snapshots") {
        return ZStackWire.list(Items.snapshotJSON(1, Items.group))
      }
      if why == "disabled", request.path.hasSuffix("/volume-backups") {
        return ZStackWire.list(Items.backupJSON(1, Items.backup, more: #","state":"Disabled""#))
      }
      return machine.answer(request, revert: ScriptedSystem.reply(200, "{}"))
    }
    let word = why == "disabled" ? "backup" : "snapshot"
    let fixture = try ZStackFixture(wire)
    let with: [String: Value] = [
      word: .string(word == "backup" ? Items.backup : Items.group), "power": why == "power" ? "sideways" : "same",
    ]
    let failure = try await fixture.failure("\(word).restore", with)
    #expect(failure.kind == (why == "power" ? .input : .conflict))
    #expect(failure.effect == StepFailure.Effect.none)
    if why == "availability" { #expect(failure.message.contains("volume detached")) }
    #expect(machine.names == [])
    if why != "power" {
      let driver = try fixture.driver("\(word).restore")
      #expect(try await driver.action.liveCheck(fixture.intended(driver, with)).count == 1)
    }
  }

  /// The machine was stopped for a revert that then failed: that is an effect.
  @Test func aRevertThatFailsAfterTheStopSaysThatTheServerIsStopped() async throws {
    let machine = Machine("Running")
    let wire = ZStackWire { machine.answer($0, revert: ZStackWire.error("ID.1002", "no right")) }
    let failure = try await ZStackFixture(wire).failure("snapshot.restore", ["snapshot": .string(Items.group)])
    #expect(failure.kind == .auth)
    #expect(failure.effect == .applied)
    #expect(failure.message.contains("left stopped"))
  }

  /// After a crash the revert has gone its way: its machine, started again since, is not stopped once more.
  @Test func aRevertThatArrivedIsNotPrecededByAnotherStop() async throws {
    let machine = Machine("Running")
    let fixture = try ZStackFixture(wire(machine))
    let driver = try fixture.driver("snapshot.restore")
    let call = fixture.intended(driver, ["snapshot": .string(Items.group)], before: ["state": "running"])
    _ = try await driver.action.perform(call)
    machine.state.withLock { $0 = "Running" }
    _ = try await driver.action.perform(call)
    #expect(machine.names.count { $0 == "stopVmInstance" } == 1)
    #expect(machine.state.withLock { $0 } == "Running")
  }

  @Test(
    arguments: [
      ([Items.store], nil, nil, Items.store), ([Items.store, Items.store2], nil, Items.store2, Items.store2),
      ([Items.store, Items.store2], Items.store, Items.store2, Items.store), ([Items.store], nil, "other", Items.store),
      ([], nil, nil, nil), ([], nil, Items.store, Items.store),
    ] as [([String], String?, String?, String?)])
  func aBackupIsTakenFromAStoreThatHasIt(
    stores: [String], step: String?, block: String?, taken: String?
  ) async throws {
    let refs = stores.map { #"{"backupStorageUuid":"\#($0)"}"# }.joined(separator: ",")
    let machine = Machine("Stopped")
    let wire = ZStackWire { request in
      request.path.hasSuffix("/volume-backups")
        ? ZStackWire.list(Items.backupJSON(1, Items.backup, more: #","backupStorageRefs":[\#(refs)]"#))
        : machine.answer(request, revert: ScriptedSystem.reply(200, "{}"))
    }
    let fixture = try ZStackFixture(wire, settings: block.map { ["backup_storage": .string($0)] } ?? [:])
    try await fixture.run(
      "backup.restore", ["backup": .string(Items.backup), "storage": step.map { .string($0) } ?? .null])
    let sent = try #require(wire.seen.first { $0.isChange })
    let body = try JSONReader.read(sent.body)["revertVmFromVmBackup"]
    #expect(body?["backupStorageUuid"] == taken.map { .string($0) })
  }

  @Test(arguments: [nil, "77777777777747778777777777777777"] as [String?])
  func aStoreThatIsNotClearIsAsked(step: String?) async throws {
    let refs = [Items.store, Items.store2].map { #"{"backupStorageUuid":"\#($0)"}"# }.joined(separator: ",")
    let wire = ZStackWire { request in
      request.path.hasSuffix("/volume-backups")
        ? ZStackWire.list(Items.backupJSON(1, Items.backup, more: #","backupStorageRefs":[\#(refs)]"#))
        : Items.world(request, state: "Stopped")
    }
    let failure = try await ZStackFixture(wire).failure(
      "backup.restore", ["backup": .string(Items.backup), "storage": step.map { .string($0) } ?? .null])
    #expect(failure.kind == (step == nil ? .input : .notFound))
    #expect(failure.message.contains(Items.store2))
  }
}
