import VPSOrgCloud
import Runbook
import Simulator
import TestSupport
import Testing

struct VPSOrgItemActionsTests {
  @Test func aSnapshotIsTakenAndReady() async throws {
    let fixture = try VPSOrgFixture()
    let outcome = try await fixture.run("snapshot.create", ["name": "pre-r1", "description": "before the update"])
    let outputs = outcome.result.outputs
    #expect(outputs["id"] == "802")
    #expect(outputs["name"] == "pre-r1")
    #expect(outputs["state"] == "ready")
    #expect(outputs["size_mb"]?.int ?? 0 > 0)
    #expect(outputs["created_at"] == .timestamp(VPSOrgFixture.start))
    #expect(outputs["created_at_error"] == .duration(.zero))
    #expect(outcome.nativeStates == ["in_progress", "completed"])
    #expect(fixture.twin.ledger.map { "\($0.effect) \($0.subject) \($0.detail)" } == ["snapshot.create 802 pre-r1"])
    let took = fixture.clock.now - VPSOrgFixture.start
    #expect(took >= .seconds(180) && took <= .seconds(610))
  }

  @Test func aBackupCarriesItsNameAndItsKey() async throws {
    let fixture = try VPSOrgFixture()
    let outcome = try await fixture.run("backup.create", ["name": "nightly-1", "description": "before: the audit"])
    #expect(outcome.result.outputs["id"] == "502")
    #expect(outcome.result.outputs["name"] == "nightly-1")
    let key = try fixture.driver("backup.create").key
    #expect(fixture.twin.ledger.first?.detail == "nightly-1: before: the audit [runbook \(key)]")
  }

  @Test(arguments: ["snapshot", "backup"])
  func aNameTakenBeforeIsAConflictUnlessItMayBeReused(word: String) async throws {
    let fixture = try VPSOrgFixture()
    let first = try await fixture.run("\(word).create", ["name": "pre-1"]).result.outputs["id"]
    let failure = try await fixture.failure("\(word).create", ["name": "pre-1"])
    #expect(failure.kind == .conflict)
    #expect(failure.effect == StepFailure.Effect.none)
    #expect(!failure.retryable)
    let driver = try fixture.driver("\(word).create")
    let call = driver.call(["server": "12345", "name": "pre-1"])
    #expect(try await driver.action.liveCheck(call).first?.contains("already has a \(word) named `pre-1`") == true)
    let reused = try await fixture.run("\(word).create", ["name": "pre-1", "if_exists": "reuse"])
    #expect(reused.result.outputs["id"] == first)
    #expect(fixture.twin.ledger.count == 1)
  }

  @Test(arguments: ["1abc", "a b", "a/b", "ä", ""])
  func anUnusableSnapshotNameIsRefusedBeforeAnyCall(name: String) async throws {
    let fixture = try VPSOrgFixture()
    #expect(try await fixture.failure("snapshot.create", ["name": .string(name)]).kind == .input)
    #expect(fixture.twin.requests == [])
  }

  @Test func theSixthSnapshotIsALimitThatNamesTheFive() async throws {
    let fixture = try VPSOrgFixture()
    for name in ["a", "b", "c"] { try await fixture.run("snapshot.create", ["name": .string(name)]) }
    let failure = try await fixture.failure("snapshot.create", ["name": "d"])
    #expect(failure.kind == .limit)
    #expect(failure.effect == StepFailure.Effect.none)
    #expect(!failure.retryable)
    #expect(
      failure.message
        == "server 12345 has 5 of 5 snapshots: c (804), b (803), a (802), pre-migration-snapshot (801), "
        + "weekly-snapshot-2025-01-08 (798); delete one, or put `snapshot.prune` before this step")
  }

  @Test func aFullServerIsToldBeforehandUnlessAnEarlierStepMayMakeRoom() async throws {
    let fixture = try VPSOrgFixture(withExamples: false)
    let driver = try fixture.driver("snapshot.create")
    for number in 1...5 {
      _ = try await driver.action.perform(driver.call(["server": "12345", "name": .string("a\(number)")]))
    }
    var call = driver.call(["server": "12345", "name": "b"])
    for pause in [0, 600] as [Int64] {
      await fixture.clock.sleep(for: .seconds(pause))
      call.earlier = EarlierRoom()
      #expect(try await driver.action.liveCheck(call).first?.contains("5 of 5 snapshots") == true)
      call.earlier = EarlierRoom(freedBy: "room")
      #expect(try await driver.action.liveCheck(call) == [])
      #expect(driver.reports.last?.hasSuffix("step `room` before it may make room") == true)
      call.earlier = EarlierRoom(isCertain: false)
      #expect(try await driver.action.liveCheck(call) == [])
    }
  }

  @Test func theEleventhManualBackupIsALimit() async throws {
    let fixture = try VPSOrgFixture()
    for _ in 1...9 { try await fixture.run("backup.create") }
    #expect(try await fixture.failure("backup.create").kind == .limit)
    #expect(fixture.twin.ledger.count == 9)
  }

  @Test func listsAreNewestFirst() async throws {
    let fixture = try VPSOrgFixture()
    let snapshots = try await fixture.run("snapshot.list").result.outputs["snapshots"]?.list
    #expect(snapshots?.compactMap { $0["id"]?.string } == ["801", "798"])
    let backups = try await fixture.run("backup.list").result.outputs["backups"]?.list
    #expect(backups?.compactMap { $0["id"]?.string } == ["501", "495", "499"])
    let manual = try await fixture.run("backup.list", ["type": "manual"]).result.outputs["backups"]?.list
    #expect(manual?.compactMap { $0["id"]?.string } == ["499"])
  }

  @Test func aListInPagesIsReadToItsEnd() async throws {
    let fixture = try VPSOrgFixture(pageSize: 1)
    let backups = try await fixture.run("backup.list").result.outputs["backups"]?.list
    #expect(backups?.count == 3)
    #expect(fixture.twin.requests.count == 3)
  }

  @Test func oneItemIsFoundByNameOrAsTheNewest() async throws {
    let fixture = try VPSOrgFixture()
    #expect(try await fixture.run("snapshot.find", ["name": "pre-migration-snapshot"]).result.outputs["id"] == "801")
    #expect(try await fixture.run("snapshot.find", ["newest": true]).result.outputs["id"] == "801")
    #expect(try await fixture.failure("snapshot.find").kind == .conflict)
    #expect(try await fixture.failure("snapshot.find", ["name": "x"]).kind == .notFound)
    #expect(
      try await fixture.run("backup.find", ["newest": true, "max_age": .duration(.seconds(86_400))]).result.outputs[
        "id"] == "501")
    let old = try await fixture.failure("backup.find", ["newest": true, "max_age": .duration(.seconds(3600))])
    #expect(old.kind == .notFound)
    #expect(old.message.contains("2025-01-16T03:00:00Z"))
  }

  @Test(arguments: [
    ("same", "active", "running"), ("same", "stopped", "stopped"), ("running", "stopped", "running"),
    ("stopped", "active", "stopped"),
  ])
  func aRestoreEndsWithThePowerAskedFor(power: String, begin: String, end: String) async throws {
    for statusAfterwards in ["stopped", "active"] {
      let fixture = try VPSOrgFixture(faults: ["restore_ends:\(statusAfterwards)"])
      fixture.twin.setStatus(ofServer: "12345", begin)
      let outcome = try await fixture.run("snapshot.restore", ["snapshot": "801", "power": .string(power)])
      #expect(outcome.result.outputs["state"] == .string(end))
      #expect(outcome.nativeStates.first == "restoring")
      #expect(fixture.effects.first == "snapshot.restore 12345")
      #expect(fixture.effects.count <= 2)
    }
  }

  @Test func aBackupIsRestoredThroughTheServer() async throws {
    let fixture = try VPSOrgFixture()
    #expect(try await fixture.run("backup.restore", ["backup": "501"]).result.outputs["state"] == "running")
    #expect(fixture.effects == ["backup.restore 12345", "server.start 12345"])
  }

  @Test func anotherServersSnapshotIsNeverRestored() async throws {
    let fixture = try VPSOrgFixture()
    fixture.twin.ensureServer("77")
    let failure = try await fixture.failure("snapshot.restore", ["server": "77", "snapshot": "801"])
    #expect(failure.kind == .notFound)
    let driver = try fixture.driver("snapshot.restore")
    let problems = try await driver.action.liveCheck(driver.call(["server": "77", "snapshot": "801"]))
    #expect(problems == ["server 77 has no snapshot 801"])
    #expect(fixture.effects == [])
  }

  @Test func anUnfinishedSnapshotIsNotRestoredYet() async throws {
    let fixture = try VPSOrgFixture()
    let create = try fixture.driver("snapshot.create")
    _ = try await create.action.perform(create.call(["server": "12345", "name": "a"]))
    let restore = try fixture.driver("snapshot.restore")
    let call = restore.call(["server": "12345", "snapshot": "802"])
    let failure = await #expect(throws: StepFailure.self) { try await restore.action.perform(call) }
    #expect(failure?.kind == .conflict)
    #expect(failure?.retryable == true)
  }

  @Test(arguments: [("starting", true), ("suspended", false)])
  func aRestoreRefusedForTheServersStateNamesIt(status: String, isRetryable: Bool) async throws {
    let fixture = try VPSOrgFixture()
    fixture.twin.setStatus(ofServer: "12345", status)
    let failure = try await fixture.failure("snapshot.restore", ["snapshot": "801"])
    #expect(failure.kind == .conflict)
    #expect(failure.retryable == isRetryable)
    #expect(failure.message.hasPrefix("VPS.org refused POST /snapshots/801/restore/ (400: Server is not"))
    #expect(
      failure.message.contains("server 12345 is ")
        && failure.message.hasSuffix("`\(status)`" + (isRetryable ? ")" : "")))
  }

  @Test func aRestoreThatNeverEndsEndsInATimeout() async throws {
    let fixture = try VPSOrgFixture(faults: ["stuck:snapshot.restore"])
    #expect(try await fixture.failure("snapshot.restore", ["snapshot": "801"]).kind == .timeout)
    #expect(fixture.twin.unfiredFaults == [])
  }

  @Test(arguments: ["snapshot", "backup"])
  func aFailedItemEndsTheWaitAndFreesItsName(word: String) async throws {
    let fixture = try VPSOrgFixture(faults: ["fails:\(word).create"])
    let failure = try await fixture.failure("\(word).create", ["name": "a"])
    #expect(failure.kind == .server)
    #expect(failure.effect == .applied)
    #expect(failure.message.contains("is `failed`"))
    #expect(fixture.twin.unfiredFaults == [])
    #expect(try await fixture.run("\(word).create", ["name": "a"]).result.outputs["state"] == "ready")
  }

  @Test(arguments: ["snapshot", "backup"])
  func anItemThatNeverGetsReadyEndsInATimeout(word: String) async throws {
    let fixture = try VPSOrgFixture(faults: ["stuck:\(word).create", "unknown_status:\(word).create:queued_twice"])
    #expect(try await fixture.failure("\(word).create", ["name": "a"]).kind == .timeout)
    #expect(fixture.twin.unfiredFaults == [])
    let driver = try fixture.driver("\(word).create")
    #expect(try await !driver.action.isSettled(driver.call(["server": "12345", "name": "a"])))
  }

  @Test func pruneKeepsTheNewestOfAPrefix() async throws {
    let fixture = try VPSOrgFixture()
    for name in ["pre-1", "pre-2", "other"] { try await fixture.run("snapshot.create", ["name": .string(name)]) }
    let outcome = try await fixture.run("snapshot.prune", ["prefix": "pre-", "keep": 1])
    #expect(outcome.result.outputs["deleted"] == ["802", "801"])
    #expect(try await fixture.run("snapshot.prune", ["prefix": "pre-", "keep": 1]).result.outputs["deleted"] == [])
    #expect(fixture.effects.suffix(2) == ["snapshot.delete 802", "snapshot.delete 801"])
  }

  @Test func pruneTakesOnlyManualReadyBackupsThatAreOldEnough() async throws {
    let fixture = try VPSOrgFixture(faults: ["fails:backup.create"])
    _ = try await fixture.failure("backup.create")
    #expect(
      try await fixture.run("backup.prune", ["older_than": .duration(.seconds(3 * 86_400))]).result.outputs["deleted"]
        == [])
    #expect(
      try await fixture.run("backup.prune", ["older_than": .duration(.seconds(2 * 86_400))]).result.outputs["deleted"]
        == ["499"])
  }

  @Test(arguments: [[:], ["keep": -1], ["keep": "two"], ["older_than": "3d"]] as [[String: Value]])
  func pruneWithoutARuleIsRefusedBeforeAnyCall(with: [String: Value]) async throws {
    let fixture = try VPSOrgFixture()
    #expect(try await fixture.failure("snapshot.prune", with).kind == .input)
    #expect(fixture.twin.requests == [])
  }

  @Test(arguments: [("snapshot", "801"), ("backup", "501")])
  func deletingConverges(word: String, id: String) async throws {
    let fixture = try VPSOrgFixture()
    try await fixture.run("\(word).delete", [word: .string(id)])
    try await fixture.run("\(word).delete", [word: .string(id)])
    #expect(fixture.effects == ["\(word).delete \(id)"])
  }

  @Test func anotherServersSnapshotIsNotDeleted() async throws {
    let fixture = try VPSOrgFixture()
    fixture.twin.ensureServer("77")
    let failure = try await fixture.failure("snapshot.delete", ["server": "77", "snapshot": "801"])
    #expect(failure.kind == .conflict)
    #expect(failure.message == "snapshot 801 belongs to server 12345, not to 77")
    #expect(fixture.effects == [])
  }

  @Test func anyCallCanBeMade() async throws {
    let fixture = try VPSOrgFixture()
    let body: Value = ["server_id": 12345, "name": .secret(Secret("raw", named: ["x"]))]
    let outputs = try await fixture.run("vps_org.request", ["method": "POST", "path": "/snapshots", "json": body])
      .result.outputs
    #expect(outputs["status"] == 201)
    #expect(outputs["json"]?["id"] == 802)
    let list = try await fixture.run("vps_org.request", ["path": "/backups/", "query": ["backup_type": "manual"]])
    #expect(list.result.result["json"]?["count"] == 1)
  }

  @Test(arguments: ["/", "/../x/", "/a?b=c", "//evil/", "/a#b"])
  func aPathThatLeavesTheAPIIsRefused(path: String) async throws {
    let fixture = try VPSOrgFixture()
    #expect(try await fixture.failure("vps_org.request", ["path": .string(path)]).kind == .input)
    #expect(fixture.twin.requests == [])
  }

  /// The dialect of the vendor's own client: UUIDs, paths below the server, `label`.
  @Test func theOtherDialectHasTheSameActions() async throws {
    let fixture = try VPSOrgFixture(settings: ["api": "d2"], withExamples: false, usesUUIDs: true)
    try await fixture.run("server.stop")
    let created = try await fixture.run("snapshot.create", ["name": "a"]).result.outputs
    #expect(created["id"] == "5eed0000-0000-4000-8000-000000000802")
    #expect(created["name"] == "a")
    try await fixture.run("snapshot.restore", ["snapshot": created["id"] ?? .null, "power": "running"])
    try await fixture.run("snapshot.prune", ["keep": 0])
    try await fixture.run("backup.create")
    #expect(
      fixture.twin.ledger.map { $0.effect } == [
        "server.stop", "snapshot.create", "snapshot.restore", "server.start", "snapshot.delete", "backup.create",
      ])
    let driver = try fixture.driver("snapshot.delete")
    #expect(await #expect(throws: StepFailure.self) { try await driver.run(["snapshot": "x"]) }?.kind == .input)
  }
}
