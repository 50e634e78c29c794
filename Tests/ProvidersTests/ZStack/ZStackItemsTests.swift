import ZStackCloud
import Runbook
import Simulator
import Synchronization
import TestSupport
import Testing

/// Snapshot groups and backups: what is sent, what is read from the answers, and what is refused.
struct ZStackItemsTests {
  static let group = "33333333333343338333333333333333"
  static let backup = "44444444444444448444444444444444"
  static let store = "55555555555545558555555555555555"
  static let store2 = "66666666666646668666666666666666"

  static func groupJSON(
    _ id: String, name: String = "pre-1", vm: String = ZStackWire.vm, description: String = "", more: String = ""
  ) -> String {
    """
    {"uuid":"\(id)","name":"\(name)","description":"\(description)","vmInstanceUuid":"\(vm)","snapshotCount":2,
    "createDate":"Jan 15, 2025 4:00:00 PM"\(more)}
    """
  }

  static func snapshotJSON(_ number: Int, _ group: String, status: String = "Ready", size: String = "1.0E9") -> String {
    """
    {"uuid":"snap\(number)","name":"s","groupUuid":"\(group)","status":"\(status)","state":"Enabled","size":\(size),
    "volumeUuid":"v\(number)","createDate":"Jan 15, 2025 4:00:00 PM"}
    """
  }

  static func backupJSON(
    _ number: Int, _ group: String?, name: String = "nightly-1", vm: String = ZStackWire.vm, type: String = "Root",
    more: String = #","state":"Enabled","backupStorageRefs":[{"backupStorageUuid":"\#(store)"}]"#
  ) -> String {
    """
    {"uuid":"vb\(number)","volumeUuid":"v\(number)","name":"\(name)","type":"\(type)","vmInstanceUuid":"\(vm)",
    \(group.map { "\"groupUuid\":\"\($0)\"," } ?? "")"size":1.073741824E9,"createDate":"Jan 15, 2025 4:00:00 PM"\(more)}
    """
  }

  /// One machine with one group and one backup.
  static func world(_ request: SimulatedRequest, group: String = group, state: String = "Running") -> SimulatedReply? {
    let path = request.path.dropFirst("/zstack/v1".count)
    switch path {
    case "/vm-instances/\(ZStackWire.vm)": return ZStackWire.list(ZStackWire.machine(state))
    case "/volume-snapshots/group": return ZStackWire.list(groupJSON(group))
    case "/volume-snapshots": return ZStackWire.list(snapshotJSON(1, group), snapshotJSON(2, group))
    case "/volume-backups":
      return ZStackWire.list(backupJSON(1, backup), backupJSON(2, backup, name: "data", type: "Data"))
    case "/backup-storage": return ZStackWire.list(#"{"uuid":"\#(store)","name":"a","type":"ImageStoreBackupStorage"}"#)
    case "/volume-snapshots/groups/availabilities":
      return ScriptedSystem.reply(200, #"{"results":[{"uuid":"\#(group)","available":true}]}"#)
    default: return nil
    }
  }

  /// The world, and one change with the result of its job.
  private func wire(
    state: String = "Running", result: String = "{}", _ special: @escaping ZStackWire.Answer = { _ in nil }
  ) -> ZStackWire {
    let jobs = Mutex<Set<String>>([])
    return ZStackWire { request in
      if request.isChange, let job = request.header("x-job-uuid") { _ = jobs.withLock { $0.insert(job) } }
      if let reply = special(request) { return reply }
      if request.isChange { return ZStackWire.accepted() }
      guard request.isJob else { return Self.world(request, state: state) }
      let isKnown = jobs.withLock { $0.contains { request.path.hasSuffix($0) } }
      return isKnown ? ScriptedSystem.reply(200, result) : ZStackWire.gone
    }
  }

  private func sent(_ wire: ZStackWire) throws -> SimulatedRequest { try #require(wire.seen.last { $0.isChange }) }

  // MARK: Reading

  @Test func aGroupIsDescribedByItsSnapshots() async throws {
    let fixture = try ZStackFixture(wire(), settings: ["time_zone": "+08:00"])
    let list = try await fixture.run("snapshot.list").result.outputs["snapshots"]?.list
    let item = try #require(list?.first)
    #expect(item["id"] == .string(Self.group))
    #expect(item["name"] == "pre-1")
    #expect(item["state"] == "ready")
    #expect(item["size_mb"] == 1907)
    #expect(item["created_at"] == .timestamp(try #require(Timestamp("2025-01-15T08:00:00Z"))))
    #expect(item["created_at_error"] == .duration(.zero))
  }

  @Test func aTimeWithoutAZoneIsTheEarliestItCanBe() async throws {
    let list = try await ZStackFixture(wire()).run("backup.list").result.outputs["backups"]?.list
    let item = try #require(list?.first)
    #expect(item["created_at"] == .timestamp(try #require(Timestamp("2025-01-15T02:00:00Z"))))
    #expect(item["created_at_error"] == .duration(.seconds(26 * 3600)))
    #expect(item["id"] == .string(Self.backup))
    #expect(item["name"] == "nightly-1")
    #expect(item["size_mb"] == 2048)
  }

  @Test(arguments: [
    (["Ready", "Ready"], "ready", "Ready"), (["Ready", "Creating"], "creating", "Creating"),
    (["Ready", "Quiescing"], "creating", "Quiescing"), (["Deleting", "Ready"], "deleting", "Deleting"),
    (["Ready"], "failed", "Deleted"), ([], "failed", "Deleted"),
  ])
  func aGroupIsReadyWhenAllOfItAre(statuses: [String], state: String, native: String) async throws {
    let snapshots = statuses.enumerated().map { Self.snapshotJSON($0.offset, Self.group, status: $0.element) }
    let wire = wire { request in
      request.path.hasSuffix("/volume-snapshots")
        ? ScriptedSystem.reply(200, #"{"inventories":[\#(snapshots.joined(separator: ","))]}"#) : nil
    }
    let item = try await ZStackFixture(wire).run("snapshot.list").result.outputs["snapshots"]?.list?.first
    #expect(item?["state"] == .string(state))
    #expect(item?["native_state"] == .string(native))
  }

  @Test(arguments: [
    (#","status":"Ready""#, "ready"), (#","status":"Creating""#, "creating"), (#","status":"Sealed""#, "creating"),
    (#","status":"Deleting""#, "deleting"), (#","status":"Error""#, "failed"), (#","state":"Enabled""#, "ready"),
    (#","state":"Disabled","status":"Ready""#, "failed"), ("", "ready"),
  ])
  func aBackupIsWhatItsWordsSay(more: String, state: String) async throws {
    let wire = wire { request in
      request.path.hasSuffix("/volume-backups") ? ZStackWire.list(Self.backupJSON(1, Self.backup, more: more)) : nil
    }
    let item = try await ZStackFixture(wire).run("backup.list").result.outputs["backups"]?.list?.first
    #expect(item?["state"] == .string(state))
  }

  /// Backups of single volumes have no group and are no backups of a machine.
  @Test func aBackupOfOneVolumeIsNone() async throws {
    let wire = wire { request in
      request.path.hasSuffix("/volume-backups") ? ZStackWire.list(Self.backupJSON(1, nil)) : nil
    }
    #expect(try await ZStackFixture(wire).run("backup.list").result.outputs["backups"] == [])
  }

  @Test(arguments: [#""size":1e308"#, #""size":9223372036854775807"#, #""size":-5"#, #""size":0.5"#])
  func aSizeOfAnyKindIsNoTrap(size: String) async throws {
    let wire = wire { request in
      request.path.hasSuffix("/volume-backups")
        ? ZStackWire.list(
          Self.backupJSON(1, Self.backup).replacing(#""size":1.073741824E9"#, with: size),
          Self.backupJSON(2, Self.backup).replacing(#""size":1.073741824E9"#, with: size)) : nil
    }
    let list = try await ZStackFixture(wire).run("backup.list").result.outputs["backups"]?.list
    #expect(list?.count == 1)
  }

  // MARK: Other servers

  /// A condition that is ignored must not give us another server's items, nor their names.
  @Test(arguments: ["snapshot", "backup"])
  func anotherServersItemOfTheSameNameIsNotOurs(word: String) async throws {
    let wire = wire { request in
      switch request.path.dropFirst("/zstack/v1".count) {
      case "/volume-snapshots/group": ZStackWire.list(Self.groupJSON(Self.group, vm: ZStackWire.other))
      case "/volume-backups": ZStackWire.list(Self.backupJSON(1, Self.backup, name: "pre-1", vm: ZStackWire.other))
      default: nil
      }
    }
    let fixture = try ZStackFixture(wire)
    #expect(try await fixture.run("\(word).list").result.outputs["\(word)s"] == [])
    #expect(try await fixture.failure("\(word).find", ["name": "pre-1"]).kind == .notFound)
    let driver = try fixture.driver("\(word).create")
    let before = try await driver.action.capture(driver.call(["server": .string(ZStackWire.vm), "name": "pre-1"]))
    #expect(before["matching"] == [])
    var call = fixture.intended(driver, ["name": "pre-1"], before: before)
    call.keySince = ZStackFixture.start - .seconds(11_000)
    #expect(try await driver.action.probe(call) == .notApplied)
    let id = word == "snapshot" ? Self.group : Self.backup
    #expect(try await fixture.failure("\(word).restore", [word: .string(id)]).kind == .notFound)
    let failure = try await fixture.failure("\(word).delete", [word: .string(id)])
    #expect(failure.kind == .conflict)
    #expect(failure.message == "\(word) \(id) belongs to server \(ZStackWire.other), not to \(ZStackWire.vm)")
    #expect(wire.seen.count { $0.isChange } == 0)
  }

  /// The server that it was made of is gone.
  @Test(arguments: ["snapshot", "backup"])
  func anItemThatNamesNoServerIsNobodys(word: String) async throws {
    let wire = wire { request in
      switch request.path.dropFirst("/zstack/v1".count) {
      case "/volume-snapshots/group":
        ZStackWire.list(Self.groupJSON(Self.group).replacing(#""vmInstanceUuid":"\#(ZStackWire.vm)","#, with: ""))
      case "/volume-backups":
        ZStackWire.list(
          Self.backupJSON(1, Self.backup, name: "pre-1").replacing(#""vmInstanceUuid":"\#(ZStackWire.vm)","#, with: ""))
      default: nil
      }
    }
    let fixture = try ZStackFixture(wire)
    #expect(try await fixture.run("\(word).list").result.outputs["\(word)s"] == [])
    #expect(try await fixture.failure("\(word).find", ["newest": true]).kind == .notFound)
    let pruned = try await fixture.run("\(word).prune", ["keep": 0, "prefix": "p"]).result.outputs["deleted"]
    #expect(pruned == .list([]))
    let id = word == "snapshot" ? Self.group : Self.backup
    #expect(try await fixture.failure("\(word).restore", [word: .string(id)]).kind == .notFound)
    #expect(try await fixture.failure("\(word).delete", [word: .string(id)]).kind == .conflict)
    #expect(wire.seen.count { $0.isChange } == 0)
  }

  // MARK: Creating

  @Test func aGroupIsAskedForWithMarkAndID() async throws {
    let wire = wire(result: #"{"inventory":{"uuid":"\#(Self.group)"}}"#)
    let fixture = try ZStackFixture(wire)
    let driver = try fixture.driver("snapshot.create")
    let call = fixture.intended(driver, ["name": "new", "description": "before"])
    let result = try await driver.action.perform(call)
    #expect(result.outputs["id"] == .string(Self.group))
    let request = try sent(wire)
    #expect(request.method == "POST")
    #expect(request.path == "/zstack/v1/volume-snapshots/group")
    let body = try JSONReader.read(request.body)
    let params = try #require(body["params"])
    #expect(params["rootVolumeUuid"] == .string(ZStackWire.root))
    #expect(params["name"] == "new")
    #expect(params["withMemory"] == false)
    #expect(params["description"] == .string("before [runbook \(driver.key)]"))
    #expect(params["resourceUuid"]?.string?.utf8.count == 32)
    #expect(params["resourceUuid"]?.string != request.header("x-job-uuid"))
    #expect(body["systemTags"] == [] && body["userTags"] == [])
    #expect(try await driver.action.observe(call, after: result).verdict == .done)
  }

  /// Only one of the entries has the group, and it need not be the first.
  @Test func aBackupsIDIsTheGroupOfItsEntries() async throws {
    let result = #"{"inventories":[{"uuid":"vb2","size":1.0},{"uuid":"vb1","groupUuid":"\#(Self.backup)"}]}"#
    let wire = wire(result: result)
    let outcome = try await ZStackFixture(wire).run("backup.create", ["name": "new", "full": true])
    #expect(outcome.result.outputs["id"] == .string(Self.backup))
    #expect(outcome.result.outputs["state"] == "ready")
    let request = try sent(wire)
    #expect(request.path == "/zstack/v1/volumes/\(ZStackWire.root)/vm-backups")
    let params = try JSONReader.read(request.body)["params"]
    #expect(params?["backupStorageUuid"] == .string(Self.store))
    #expect(params?["mode"] == "full")
  }

  /// The job is done, but its result does not tell what was made: name and mark do.
  @Test(arguments: [
    "{}", #"{"inventory":7}"#, #"{"inventory":{"uuid":"a=b"}}"#, #"{"inventories":[{"uuid":"vb1"}]}"#,
  ])
  func aResultWithoutAnIDIsFoundByName(result: String) async throws {
    for word in ["snapshot", "backup"] {
      let wire = wire(result: result)
      let fixture = try ZStackFixture(wire)
      let driver = try fixture.driver("\(word).create")
      let name: Value = word == "snapshot" ? "pre-1" : "nightly-1"
      let call = fixture.intended(driver, ["name": name], before: ["matching": [], "taken": nil])
      let made = try await driver.action.perform(call)
      let seen = try await driver.action.observe(call, after: made)
      #expect(seen.verdict == .done)
      #expect(seen.result.outputs["id"] == .string(word == "snapshot" ? Self.group : Self.backup))
    }
  }

  /// Of the same name, but with the mark of another call.
  @Test func anotherCallsSnapshotIsNotAdopted() async throws {
    let wire = wire { request in
      request.path.hasSuffix("/group")
        ? ZStackWire.list(Self.groupJSON(Self.group, description: "x [runbook r9-other]")) : nil
    }
    let fixture = try ZStackFixture(wire)
    let driver = try fixture.driver("snapshot.create")
    var call = fixture.intended(driver, ["name": "pre-1"], before: ["matching": [], "taken": nil])
    call.keySince = ZStackFixture.start - .seconds(11_000)
    #expect(try await driver.action.probe(call) == .notApplied)
  }

  @Test(
    arguments: [
      ["name": ""], ["name": .string(String(repeating: "n", count: 256))],
      ["name": "a", "description": .string(String(repeating: "d", count: 2000))],
    ] as [[String: Value]])
  func whatZStackCannotStoreIsNotSent(with: [String: Value]) async throws {
    let wire = wire()
    #expect(try await ZStackFixture(wire).failure("snapshot.create", with).kind == .input)
    #expect(wire.seen.count { $0.isChange } == 0)
  }

  @Test(arguments: [("Stopped", false), ("Stopping", true), ("Created", false)])
  func aServerThatIsStoppedIsNotBackedUp(state: String, retryable: Bool) async throws {
    let wire = wire(state: state)
    let failure = try await ZStackFixture(wire).failure("backup.create", ["name": "new"], attempts: 1)
    #expect(failure.kind == .conflict)
    #expect(failure.retryable == retryable)
    #expect(failure.effect == StepFailure.Effect.none)
    #expect(failure.message.contains("server \(ZStackWire.vm) is `\(state)`"))
    #expect(wire.seen.count { $0.isChange } == 0)
  }

  // MARK: Stores

  @Test func aBackupGoesWhereItIsTold() async throws {
    let two = #"{"uuid":"\#(Self.store2)","name":"b","type":"ImageStoreBackupStorage"}"#
    let off = #"{"uuid":"off","name":"c","type":"ImageStoreBackupStorage","state":"Disabled"}"#
    let ceph = #"{"uuid":"ceph","name":"d","type":"Ceph"}"#
    let one = #"{"uuid":"\#(Self.store)","name":"a","type":"ImageStoreBackupStorage"}"#
    func store(
      _ stores: [String], block: String? = nil, step: String? = nil
    ) async throws -> Value? {
      let wire = wire(result: #"{"inventories":[{"groupUuid":"\#(Self.backup)"}]}"#) { request in
        request.path.hasSuffix("/backup-storage")
          ? ScriptedSystem.reply(200, #"{"inventories":[\#(stores.joined(separator: ","))]}"#) : nil
      }
      let settings: [String: Value] = block.map { ["backup_storage": .string($0)] } ?? [:]
      try await ZStackFixture(wire, settings: settings)
        .run("backup.create", ["name": "new", "storage": step.map { .string($0) } ?? .null])
      return try JSONReader.read(sent(wire).body)["params"]?["backupStorageUuid"]
    }
    #expect(try await store([one, off, ceph]) == .string(Self.store))
    #expect(try await store([one, two], block: Self.store2) == .string(Self.store2))
    #expect(try await store([one, two], block: Self.store2, step: Self.store) == .string(Self.store))
    let many = await #expect(throws: StepFailure.self) { _ = try await store([one, two]) }
    #expect(many?.kind == .input)
    #expect(many?.message.contains(Self.store2) == true)
    let none = await #expect(throws: StepFailure.self) { _ = try await store([off, ceph]) }
    #expect(none?.kind == .conflict)
  }

  // MARK: Deleting

  @Test func aBackupIsDeletedFromAllStoresThatHaveIt() async throws {
    let refs = #","backupStorageRefs":[{"backupStorageUuid":"\#(Self.store)"},{"backupStorageUuid":"\#(Self.store2)"}]"#
    for (with, stores) in [([:], [Self.store, Self.store2]), (["storage": .string(Self.store2)], [Self.store2])]
      as [([String: Value], [String])]
    {
      let isGone = Mutex(false)
      let wire = wire { request in
        if request.isChange { isGone.withLock { $0 = true } }
        guard request.path.hasSuffix("/volume-backups") else { return nil }
        return isGone.withLock { $0 } ? ZStackWire.list() : ZStackWire.list(Self.backupJSON(1, Self.backup, more: refs))
      }
      try await ZStackFixture(wire).run("backup.delete", with.merging(["backup": .string(Self.backup)]) { a, _ in a })
      let request = try sent(wire)
      #expect(request.method == "DELETE")
      #expect(request.path == "/zstack/v1/vm-backups/\(Self.backup)")
      #expect(request.query.filter { $0.name == "backupStorageUuids" }.map { $0.value } == stores)
      #expect(request.query.contains { $0.name == "deleteMode" && $0.value == "Permissive" })
    }
  }

  @Test func aGroupThatWasDeletedInPartIsAFailure() async throws {
    let result = #"{"results":[{"volumeUuid":"v1","success":true},{"volumeUuid":"v2","success":false}]}"#
    let failure = try await ZStackFixture(wire(result: result)).failure(
      "snapshot.delete", ["snapshot": .string(Self.group)])
    #expect(failure.effect == .applied)
    #expect(failure.message.contains("volume v2: no reason given"))
  }

  @Test func whatIsGoneIsNotDeletedAgain() async throws {
    let wire = wire()
    for word in ["snapshot", "backup"] {
      try await ZStackFixture(wire).run("\(word).delete", [word: "0123456789"])
    }
    #expect(wire.seen.count { $0.isChange } == 1 || wire.seen.count { $0.isChange } == 0)
  }
}
