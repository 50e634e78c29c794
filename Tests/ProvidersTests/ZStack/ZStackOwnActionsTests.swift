import ZStackCloud
import Runbook
import Simulator
import Synchronization
import TestSupport
import Testing

/// What only ZStack has, what makes and deletes servers, the recipe of a rescue, raw calls, and the account.
struct ZStackOwnActionsTests {
  private typealias Items = ZStackItemsTests

  /// A world whose jobs end at once, and one special answer.
  private func wire(
    state: String = "Running", result: String = "{}", _ special: @escaping ZStackWire.Answer = { _ in nil }
  ) -> ZStackWire {
    let jobs = Mutex<Set<String>>([])
    return ZStackWire { request in
      if request.isChange, let job = request.header("x-job-uuid") { _ = jobs.withLock { $0.insert(job) } }
      if let reply = special(request) { return reply }
      if request.isChange { return ZStackWire.accepted() }
      guard request.isJob else { return Items.world(request, state: state) }
      let isKnown = jobs.withLock { $0.contains { request.path.hasSuffix($0) } }
      return isKnown ? ScriptedSystem.reply(200, result) : ZStackWire.gone
    }
  }

  private func changes(_ wire: ZStackWire) -> [String] {
    wire.seen.filter { $0.isChange }.map { "\($0.method) \($0.path.dropFirst("/zstack/v1".count)) \($0.text)" }
  }

  // MARK: Power

  @Test(arguments: [
    ("zstack.pause", "Paused", "pauseVmInstance"), ("zstack.resume", "Running", "resumeVmInstance"),
    ("zstack.recover", "Stopped", "recoverVmInstance"),
  ])
  func whatOnlyZStackHasIsAnActionOfTheMachine(action: String, state: String, name: String) async throws {
    let wire = wire(state: state)
    let fixture = try ZStackFixture(wire)
    let driver = try fixture.driver(action)
    let call = fixture.intended(driver, before: ["state": "unknown"])
    let result = try await driver.action.perform(call)
    #expect(try await driver.action.observe(call, after: result).verdict == .done)
    #expect(changes(wire) == [#"PUT /vm-instances/\#(ZStackWire.vm)/actions {"\#(name)":{}}"#])
    // One that is there already is asked for all the same: an earlier job may be about to take it away.
    try await fixture.run(action, key: "again")
    #expect(changes(wire).count == 2)
  }

  /// ZStack refuses to pause what is paused: that is as good as success, and of any other machine it is a refusal.
  @Test(arguments: [
    ("zstack.pause", "Paused", true), ("zstack.resume", "Running", true), ("zstack.recover", "Stopped", true),
    ("zstack.pause", "Stopped", false), ("zstack.resume", "Stopped", false),
  ])
  func aRefusalByAMachineThatIsThereIsSuccess(action: String, state: String, isThere: Bool) async throws {
    let wire = wire(state: state) { request in
      request.isJob ? ZStackWire.error("SYS.1006", "not allowed", cause: "VM.1010") : nil
    }
    let fixture = try ZStackFixture(wire)
    if isThere {
      #expect(try await fixture.run(action).result.outputs["state"] != nil)
    } else {
      let failure = try await fixture.failure(action, attempts: 1)
      #expect(failure.kind == .conflict)
      #expect(failure.effect == StepFailure.Effect.none)
    }
    #expect(changes(wire).count == 1)
  }

  @Test(arguments: [("hard", "cold"), ("clean", "grace"), ("clean_then_hard", "grace")])
  func theModeOfAStopIsSent(mode: String, type: String) async throws {
    let wire = wire(state: "Stopped")
    try await ZStackFixture(wire).run("server.stop", ["mode": .string(mode)])
    #expect(
      changes(wire) == [
        #"PUT /vm-instances/\#(ZStackWire.vm)/actions {"stopVmInstance":{"stopHA":"true","type":"\#(type)"}}"#
      ])
  }

  @Test func aGuestThatDoesNotStopInTimeIsCutOff() async throws {
    let isCut = Mutex(false)
    let wire = wire { request in
      if request.text.contains("cold") { isCut.withLock { $0 = true } }
      if request.isJob, !isCut.withLock({ $0 }) { return ZStackWire.running }
      return request.isMachine
        ? ZStackWire.list(ZStackWire.machine(isCut.withLock { $0 } ? "Stopped" : "Running")) : nil
    }
    let fixture = try ZStackFixture(wire)
    let with: [String: Value] = ["mode": "clean_then_hard", "grace": .duration(.seconds(60))]
    #expect(try await fixture.run("server.stop", with).result.outputs["state"] == "stopped")
    let stops = wire.seen.filter { $0.isChange }
    #expect(stops.count == 2)
    #expect(Set(stops.compactMap { $0.header("x-job-uuid") }).count == 2)
    #expect(fixture.clock.now - ZStackFixture.start >= .seconds(60))
  }

  @Test(arguments: ["Crashed", "Error"])
  func aDeadMachineEndsTheWaitAtOnce(state: String) async throws {
    let fixture = try ZStackFixture(wire(state: state))
    let failure = try await fixture.failure("server.start")
    #expect(failure.kind == .server)
    #expect(failure.message.contains("`\(state)`"))
    #expect(fixture.clock.now - ZStackFixture.start < .seconds(30))
  }

  @Test(arguments: [("Starting", true), ("Migrating", true), ("Paused", false)])
  func aRefusalForItsStateNamesIt(state: String, isRetryable: Bool) async throws {
    let wire = wire(state: state) { $0.isJob ? ZStackWire.error("VM.1003", "failed to reboot", cause: "VM.1010") : nil }
    let failure = try await ZStackFixture(wire).failure("server.reboot", attempts: 1)
    #expect(failure.kind == .conflict)
    #expect(failure.retryable == isRetryable)
    #expect(failure.message.hasPrefix("ZStack refused PUT /vm-instances/"))
    #expect(failure.message.contains("; server \(ZStackWire.vm) is ") && failure.message.contains("`\(state)`"))
  }

  @Test func onlyServersOfThisRunAreDeleted() async throws {
    let isGone = Mutex(false)
    let wire = wire { request in
      if request.isChange { isGone.withLock { $0 = true } }
      return request.isMachine && isGone.withLock { $0 } ? ZStackWire.list(ZStackWire.machine("Destroyed")) : nil
    }
    let fixture = try ZStackFixture(wire)
    let failure = try await fixture.failure("server.delete")
    #expect(failure.kind == .input)
    #expect(failure.message.contains("this run has created none"))
    #expect(wire.seen.isEmpty)
    let driver = try fixture.driver("server.delete")
    var call = fixture.intended(driver)
    call.createdServers = [ZStackWire.vm]
    let result = try await driver.action.perform(call)
    #expect(try await driver.action.observe(call, after: result).verdict == .done)
    let sent = try #require(wire.seen.first { $0.isChange })
    #expect(sent.method == "DELETE" && sent.query.contains { $0.name == "deleteMode" && $0.value == "Permissive" })
  }

  // MARK: Backups

  @Test func aNewServerIsMadeFromABackup() async throws {
    let made = "77777777777747778777777777777777"
    let more = #","cpuNum":2,"memorySize":4294967296,"defaultL3NetworkUuid":"l3","zoneUuid":"zone""#
    let wire = wire(result: #"{"inventory":{"uuid":"\#(made)"}}"#) { request in
      if request.isMachine { return ZStackWire.list(ZStackWire.machine(more: more)) }
      if request.path.hasSuffix("/vm-instances") { return ZStackWire.list(ZStackWire.machine()) }
      return request.path.hasSuffix("/vm-instances/\(made)") ? ZStackWire.list(ZStackWire.machine(id: made)) : nil
    }
    let fixture = try ZStackFixture(wire)
    let with: [String: Value] = ["backup": .string(Items.backup), "name": "drill", "options": ["cpuNum": 1]]
    let outputs = try await fixture.run("backup.restore_as", with).result.outputs
    #expect(outputs["id"] == .string(made))
    #expect(outputs["ip"] == "203.0.113.7")
    #expect(outputs["state"] == "running")
    let request = try #require(wire.seen.first { $0.isChange })
    #expect(request.path == "/zstack/v1/vm-instances/from/vm-backups/\(Items.backup)")
    let params = try JSONReader.read(request.body)["params"]?.map ?? [:]
    #expect(params["name"] == "drill" && params["strategy"] == "InstantStart" && params["cpuNum"] == 1)
    #expect(params["memorySize"] == 4_294_967_296 && params["l3NetworkUuids"] == ["l3"] && params["zoneUuid"] == "zone")
    #expect(params["resourceUuid"]?.string?.utf8.count == 32)
  }

  /// Its job is not known any more: the id we chose tells, or a name that was not there before.
  @Test func aNewServerIsFoundByItsIDOrItsName() async throws {
    for (known, isFound) in [([], true), ([Value.string(ZStackWire.vm)], false)] as [([Value], Bool)] {
      let wire = wire { $0.path.hasSuffix("/vm-instances") ? ZStackWire.list(ZStackWire.machine()) : nil }
      let fixture = try ZStackFixture(wire)
      let driver = try fixture.driver("backup.restore_as")
      var call = fixture.intended(driver, ["backup": "b", "name": "web"], before: ["matching": .list(known)])
      call.keySince = ZStackFixture.start - .seconds(11_000)
      let answer = try await driver.action.probe(call)
      #expect((answer == .notApplied) == !isFound)
    }
  }

  @Test func aBackupWhoseServerIsGoneNeedsItsSize() async throws {
    let wire = wire { $0.isMachine ? ZStackWire.list() : $0.path.hasSuffix("/vm-instances") ? ZStackWire.list() : nil }
    let failure = try await ZStackFixture(wire).failure(
      "backup.restore_as", ["backup": .string(Items.backup), "name": "drill"])
    #expect(failure.kind == .input)
    #expect(failure.message.contains("`memorySize`"))
    #expect(changes(wire) == [])
  }

  @Test func aStoreIsScanned() async throws {
    let wire = wire()
    try await ZStackFixture(wire).run("backup.sync")
    #expect(
      changes(wire) == [#"PUT /vm-backups/imageStore/\#(Items.store)/actions {"syncVmBackup":{}}"#])
  }

  @Test(arguments: [
    ("out", "syncVmBackupFromImageStoreBackupStorage"), ("back", "recoverVmBackupFromImageStoreBackupStorage"),
  ])
  func aBackupIsCopiedOnce(direction: String, name: String) async throws {
    let stores = Mutex([Items.store])
    let wire = wire { request in
      if request.isChange { stores.withLock { $0 = [Items.store, Items.store2] } }
      guard request.path.hasSuffix("/volume-backups") else { return nil }
      let refs = stores.withLock { $0 }.map { #"{"backupStorageUuid":"\#($0)"}"# }.joined(separator: ",")
      return ZStackWire.list(Items.backupJSON(1, Items.backup, more: #","backupStorageRefs":[\#(refs)]"#))
    }
    let fixture = try ZStackFixture(wire)
    let with: [String: Value] = [
      "backup": .string(Items.backup), "from": .string(Items.store), "to": .string(Items.store2),
      "direction": .string(direction),
    ]
    try await fixture.run("zstack.backup_copy", with)
    try await fixture.run("zstack.backup_copy", with, key: "again")
    #expect(
      changes(wire) == [
        #"PUT /vm-backups/\#(Items.backup)/actions {"\#(name)":{"dstBackupStorageUuid":"\#(Items.store2)","#
          + #""srcBackupStorageUuid":"\#(Items.store)"}}"#
      ])
    #expect(
      try await fixture.failure("zstack.backup_copy", with.merging(["to": .string(Items.store)]) { $1 }).kind == .input)
  }

  // MARK: Rescue

  private static let iso = "88888888888848888888888888888888"
  private func rescueWire(drive: Box<String?>, state: String = "Running") -> ZStackWire {
    wire(state: state) { request in
      if request.isChange, request.path.contains("/iso") {
        drive.value = request.method == "POST" ? Self.iso : nil
      }
      if request.path.hasSuffix("/images") {
        return ZStackWire.list(
          #"{"uuid":"\#(Self.iso)","name":"rescue","mediaType":"ISO","system":true}"#,
          #"{"uuid":"x","name":"root","mediaType":"RootVolumeTemplate"}"#)
      }
      guard request.isMachine else { return nil }
      let rom = drive.value.map { #","vmCdRoms":[{"isoUuid":"\#($0)"},{"isoUuid":null}]"# } ?? ""
      return ZStackWire.list(ZStackWire.machine(state, more: rom))
    }
  }

  @Test func aRescueIsARecipeThereAndBack() async throws {
    let drive = Box<String?>(nil)
    let wire = rescueWire(drive: drive)
    let fixture = try ZStackFixture(wire)
    let images = try await fixture.run("rescue.images").result.outputs["images"]
    #expect(images == [["id": .string(Self.iso), "name": "rescue", "scope": "system"]])
    #expect(try await fixture.run("rescue.enter", ["image": "rescue"], key: "in").result.outputs["state"] == "rescue")
    #expect(try await fixture.run("rescue.exit", key: "out").result.outputs["state"] == "running")
    let actions = "PUT /vm-instances/\(ZStackWire.vm)/actions"
    let order = { (devices: String) in
      #"\#(actions) {"setVmBootOrder":{"bootOrder":[\#(devices)],"uuid":"\#(ZStackWire.vm)"}}"#
    }
    #expect(
      changes(wire) == [
        #"POST /vm-instances/\#(ZStackWire.vm)/iso/\#(Self.iso) {"params":{},"systemTags":[],"userTags":[]}"#,
        order(#""CdRom","HardDisk""#), #"\#(actions) {"rebootVmInstance":{}}"#,
        "DELETE /vm-instances/\(ZStackWire.vm)/iso ", order(#""HardDisk""#), #"\#(actions) {"rebootVmInstance":{}}"#,
      ])
    #expect(wire.seen.first { $0.method == "DELETE" }?.query.first?.value == Self.iso)
  }

  @Test func aPasswordOrAnImageThatIsNotThereIsRefusedBeforeAnyChange() async throws {
    let wire = rescueWire(drive: Box(nil))
    let fixture = try ZStackFixture(wire)
    #expect(try await fixture.failure("rescue.enter", ["image": "rescue", "password": "x"]).kind == .input)
    #expect(try await fixture.failure("rescue.enter", ["image": "nothing"]).kind == .notFound)
    #expect(changes(wire) == [])
  }

  @Test func aRecipeThatFailsHalfwaySaysThatSomethingIsDone() async throws {
    let drive = Box<String?>(nil)
    let wire = rescueWire(drive: drive)
    let broken = ZStackWire { request in
      request.text.contains("setVmBootOrder") ? ScriptedSystem.reply(400, "no") : wire.answer(request)
    }
    let failure = try await ZStackFixture(broken).failure("rescue.enter", ["image": .string(Self.iso)])
    #expect(failure.kind == .input)
    #expect(failure.effect == .applied)
  }

  // MARK: Raw calls

  @Test func aRawChangeIsAwaited() async throws {
    let looks = Box(0)
    let wire = wire(result: #"{"inventory":{"uuid":"u"}}"#) { request in
      guard request.isJob else { return nil }
      looks.value += 1
      return looks.value < 20 ? ZStackWire.running : nil
    }
    let with: [String: Value] = [
      "method": "POST", "path": "/zones", "json": ["params": ["name": "z"]], "query": ["a": "b c"],
    ]
    let outputs = try await ZStackFixture(wire).run("zstack.request", with).result.outputs
    #expect(outputs["status"] == 200)
    #expect(outputs["json"]?["inventory"]?["uuid"] == "u")
    #expect(changes(wire) == [#"POST /zones {"params":{"name":"z"}}"#])
    #expect(wire.seen.first { $0.isChange }?.query.first?.value == "b c")
  }

  @Test(arguments: [("SYS.1006", StepFailure.Effect.unknown), ("SYS.1001", .unknown), ("SYS.1007", .none)])
  func aRawChangeThatFailsSaysWhatIsKnown(code: String, effect: StepFailure.Effect) async throws {
    let wire = wire { $0.isJob ? ZStackWire.error(code) : nil }
    let fixture = try ZStackFixture(wire)
    let driver = try fixture.driver("zstack.request")
    let failure = await #expect(throws: StepFailure.self) {
      try await driver.action.perform(fixture.intended(driver, ["method": "DELETE", "path": "/zones/z"]))
    }
    #expect(failure?.effect == effect)
    #expect(driver.action.declaration.effectClass == .opaque)
  }

  @Test func aRawChangeThatNeverEndsEndsWithTheStep() async throws {
    let wire = wire { $0.isJob ? ZStackWire.running : nil }
    let fixture = try ZStackFixture(wire)
    let driver = try fixture.driver("zstack.request")
    let failure = await #expect(throws: StepFailure.self) {
      try await driver.action.perform(fixture.intended(driver, ["method": "DELETE", "path": "/zones/z"]))
    }
    #expect(failure?.kind == .timeout)
    #expect(failure?.effect == .unknown)
  }

  @Test(arguments: ["", "/", "//a", "/a/../b", "/a?b", "/a#b", #"\a"#])
  func aRawPathThatIsNoneIsRefused(path: String) async throws {
    let wire = wire()
    #expect(try await ZStackFixture(wire).failure("zstack.request", ["path": .string(path)]).kind == .input)
    #expect(wire.seen.isEmpty)
  }

  // MARK: The account

  @Test func theReportTellsWhoWhatAndHowFull() async throws {
    let wire = ZStackWire { request in
      switch request.path.dropFirst("/zstack/v1".count) {
      case "/vm-instances":
        return .response(
          HTTPResponse(
            status: 200, headers: [(name: "date", value: "Thu, 16 Jan 2025 16:15:07 GMT")],
            body: Array(#"{"inventories":[]}"#.utf8)))
      case "/accounts/36c27e8ff05c4780bf6d2fa65700f22e":
        return ZStackWire.list(#"{"uuid":"36c27e8ff05c4780bf6d2fa65700f22e","type":"SystemAdmin"}"#)
      case "/backup-storage":
        return ZStackWire.list(
          #"{"uuid":"s1","name":"a","type":"ImageStoreBackupStorage","totalCapacity":1.073741824E11,"#
            + #""availableCapacity":1.073741824E10}"#,
          #"{"uuid":"s2","name":"b","type":"ImageStoreBackupStorage","state":"Disabled","totalCapacity":1,"#
            + #""availableCapacity":0}"#,
          #"{"uuid":"s3","name":"c","type":"Ceph"}"#)
      default: return nil
      }
    }
    let report = await (try ZStackFixture(wire, settings: ["backup_storage": "s9"])).provider.report()
    #expect(report.identity == "account `admin`")
    #expect(report.rights == ["SystemAdmin"])
    #expect(report.clockSkew == .seconds(7))
    #expect(report.quotas.first == AccountReport.Quota("backup storage s1 (a), GiB", used: 90, limit: 100))
    #expect(report.quotas.count == 2)
    #expect(report.notes.contains("the session ends in 2h and is prolonged"))
    #expect(report.notes.contains { $0.contains("`time_zone`") })
    #expect(
      report.problems == [
        "backup storage s2 is disabled: no backup can go there", "backup storage s2 is full",
        "`backup_storage` s9 is no image store of this ZStack",
      ])
  }

  @Test("a log-in that a proxy answers says what the answer is")
  func aLogInThatAProxyAnswersIsTold() async throws {
    let page = HTTPResponse(status: 200, headers: [("content-type", "text/html")], body: Array("<html>".utf8))
    let wire = ZStackWire(answersLogIns: true) { _ in .response(page) }
    let problems = await (try ZStackFixture(wire)).provider.report().problems
    #expect(problems.count == 1)
    #expect(problems.first?.hasSuffix("but not as it should: it is an HTML page") == true, "\(problems)")
  }

  @Test func aRefusedCredentialIsAProblem() async throws {
    let wire = ZStackWire(answersLogIns: true) { _ in ZStackWire.error("ID.1005", "change your password") }
    let provider = try ZStackFixture(wire).provider
    #expect(try await provider.liveCheck().count == 1)
    let report = await provider.report()
    #expect(report.problems.count == 1)
    #expect(report.problems.first?.contains("change your password (ID.1005)") == true)
  }
}
