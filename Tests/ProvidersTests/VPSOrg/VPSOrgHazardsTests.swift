import VPSOrgCloud
import Runbook
import Simulator
import TestSupport
import Testing

/// What VPS.org's documents leave open, and what may come instead.
@Suite(.serialized) struct VPSOrgHazardsTests {
  private static func item(_ id: Int, _ server: Int, _ more: String) -> String {
    #"{"id":\#(id),"server":{"id":\#(server)},"status":"completed","created_at":"2025-01-16T16:15:10Z",\#(more)}"#
  }

  // MARK: Another server's

  /// A filter that is ignored shows another server's snapshot of the same name, or a backup with the same mark: the
  /// name is free, and a lost creation is not found in it.
  @Test(arguments: ["snapshot", "backup"])
  func anotherServersItemOfTheSameNameIsNeitherInTheWayNorAdopted(word: String) async throws {
    let probe = try VPSOrgFixture().driver("\(word).create")
    let mark = #""name":"pre-1","backup_type":"manual","description":"pre-1 [runbook \#(probe.key)]""#
    let system = ScriptedSystem(200, #"{"results":[\#(Self.item(901, 77, mark))]}"#)
    let fixture = try VPSOrgFixture(system: system)
    let driver = try fixture.driver("\(word).create")
    let with: [String: Value] = ["server": "12345", "name": "pre-1"]
    let before = try await driver.action.capture(driver.call(with))
    #expect(before["matching"] == [])
    #expect(before["taken"] == .null)
    let call = driver.call(with, before: before, intendedAt: fixture.clock.now)
    #expect(try await driver.action.probe(call) == .notApplied)
    #expect(try await fixture.run("\(word).list").result.outputs["\(word)s"] == [])
    let mine = ScriptedSystem(200, #"{"results":[\#(Self.item(901, 77, mark)),\#(Self.item(902, 12345, mark))]}"#)
    let other = try VPSOrgFixture(system: mine).driver("\(word).create")
    guard case .applied(let found) = try await other.action.probe(call) else {
      Issue.record("its own was not found")
      return
    }
    #expect(found.outputs["id"] == "902")
  }

  /// Another run's backup carries another mark, and a person's none.
  @Test(arguments: ["pre-1", "pre-1 [runbook r9-other]", "[runbook ]", ""])
  func aBackupWithoutOurMarkIsNotAdopted(description: String) async throws {
    let text = #""backup_type":"manual","description":"\#(description)""#
    let system = ScriptedSystem(200, #"{"results":[\#(Self.item(901, 12345, text))]}"#)
    let driver = try VPSOrgFixture(system: system).driver("backup.create")
    let call = driver.call(["server": "12345", "name": "pre-1"], before: ["matching": [], "taken": nil])
    #expect(try await driver.action.probe(call) == .notApplied)
  }

  // MARK: Sizes

  @Test func textsOfAnyLengthDoNoHarm() async throws {
    let huge = String(repeating: "x", count: 10 << 20)
    let tooLong = ScriptedSystem(200, #"{"id":12345,"name":"\#(huge)","status":"active"}"#)
    let failure = try await VPSOrgFixture(system: tooLong).failure("server.status", attempts: 1)
    #expect(failure.kind == .server)
    #expect(!failure.retryable)
    #expect(failure.message.contains("longer than allowed"))
    let driver = try VPSOrgFixture(system: tooLong).driver("snapshot.create")
    let write = await #expect(throws: StepFailure.self) {
      try await driver.action.perform(driver.call(["server": "12345", "name": "a"]))
    }
    #expect(write?.effect == .unknown)
    let long = String(repeating: "y", count: 1 << 20)
    let wide = ScriptedSystem(200, #"{"id":12345,"name":"\#(long)","status":"\#(long)"}"#)
    let outputs = try await VPSOrgFixture(system: wide).run("server.status").result.outputs
    #expect(outputs["state"] == "changing")
    #expect((outputs["native_state"]?.string?.utf8.count ?? .max) <= 80)
    #expect((outputs["name"]?.string?.utf8.count ?? .max) <= 1040)
    let said = ScriptedSystem(400, #"{"detail":"\#(long)","\#(long)":["\#(long)"]}"#)
    let refused = try await VPSOrgFixture(system: said).failure("server.status", attempts: 1)
    #expect(refused.message.utf8.count < 1000)
    #expect((refused.detail["excerpt"]?.string?.utf8.count ?? .max) <= 1024)
  }

  // MARK: Refusals

  /// 400 has three causes and one undocumented text: the state of the server and the count of its snapshots tell.
  @Test func oneStatusForThreeCausesIsToldApart() async throws {
    let full = try VPSOrgFixture()
    for name in ["a", "b", "c"] { try await full.run("snapshot.create", ["name": .string(name)]) }
    #expect(try await full.failure("snapshot.create", ["name": "d"]).kind == .limit)
    let suspended = try VPSOrgFixture()
    suspended.twin.setStatus(ofServer: "12345", "suspended")
    #expect(try await suspended.failure("snapshot.restore", ["snapshot": "801"]).kind == .conflict)
    let server = #"{"id":12345,"name":"web","status":"active"}"#
    let bad = ScriptedSystem([
      ScriptedSystem.reply(200, #"{"results":[]}"#), ScriptedSystem.reply(400, #"{"name":["Enter a valid value."]}"#),
      ScriptedSystem.reply(200, #"{"results":[]}"#), ScriptedSystem.reply(200, server),
    ])
    let failure = try await VPSOrgFixture(system: bad).failure("snapshot.create", ["name": "d"], attempts: 1)
    #expect(failure.kind == .input)
    #expect(failure.effect == StepFailure.Effect.none)
    #expect(failure.message.contains("name: Enter a valid value."))
  }

  /// A second restore while the first goes on is refused for the server's state, worth a retry, and does nothing.
  @Test(arguments: ["snapshot", "backup"])
  func aRestoreDuringARestoreIsRefusedAndDoesNothing(word: String) async throws {
    let fixture = try VPSOrgFixture()
    let driver = try fixture.driver("\(word).restore")
    let with: [String: Value] = ["server": "12345", word: word == "snapshot" ? "801" : "501"]
    _ = try await driver.action.perform(driver.call(with))
    let failure = await #expect(throws: StepFailure.self) { try await driver.action.perform(driver.call(with)) }
    #expect(failure?.kind == .conflict)
    #expect(failure?.retryable == true)
    #expect(failure?.effect == StepFailure.Effect.none)
    #expect(failure?.message.contains("`restoring`") == true)
    #expect(fixture.effects == ["\(word).restore 12345"])
  }

  /// `status: success` in the reply is acceptance; the end is told by the server alone.
  @Test func theRepliesSuccessIsNotTheEndOfARestore() async throws {
    let fixture = try VPSOrgFixture()
    let driver = try fixture.driver("snapshot.restore")
    let with: [String: Value] = ["server": "12345", "snapshot": "801", "power": "same"]
    let before = try await driver.action.capture(driver.call(with))
    let call = driver.call(with, before: before, intendedAt: fixture.clock.now)
    let result = try await driver.action.perform(call)
    #expect(try await driver.action.observe(call, after: result).verdict == .pending)
    await fixture.clock.sleep(for: .seconds(299))
    #expect(try await driver.action.observe(call, after: result).verdict == .pending)
  }

  // MARK: The other dialect

  /// Found again in the vendor's own dialect as well.
  @Test(arguments: ["request_lost", "reply_lost", "request_late:30s", "reply_late:2m", "502_after", "html_after"])
  func inTheOtherDialectTheEffectTakesPlaceOnce(fault: String) async throws {
    for action in ["server.stop", "server.reboot", "snapshot.create", "backup.create"] {
      let fixture = try VPSOrgFixture(settings: ["api": "d2"], withExamples: false, usesUUIDs: true)
      let parts = fault.split(separator: ":", maxSplits: 1)
      let text = "\(parts[0]):\(action)" + (parts.count > 1 ? ":\(parts[1])" : "")
      try fixture.twin.inject(text)
      do { try await fixture.run(action, ["name": "a"]) } catch {
        // That dialect sends no description with a backup: there is nothing to find it by.
        if action != "backup.create" { Issue.record("\(text): \(error)") }
      }
      #expect(fixture.twin.ledger.count { $0.effect == action } <= 1, "\(text)")
      if action != "backup.create" { #expect(fixture.twin.ledger.count == 1, "\(text)") }
    }
  }

  @Test func anEmptyLinkEndsAList() async throws {
    let system = ScriptedSystem(200, #"{"count":0,"results":[],"next":""}"#)
    let fixture = try VPSOrgFixture(system: system)
    #expect(try await fixture.run("snapshot.list").result.outputs["snapshots"] == .list([]))
    #expect(system.requests.count == 1)
  }

  /// The server that it was made of is gone, and its number may be given to another one.
  @Test(arguments: ["snapshot", "backup"], [#""server":null,"#, #""server":{"id":null,"name":"web"},"#, ""])
  func anItemThatNamesNoServerIsNobodys(_ word: String, _ server: String) async throws {
    let item =
      #"{"id":7,\#(server)"name":"pre-1","backup_type":"manual","description":"pre-1","status":"completed","#
      + #""size_mb":1,"created_at":"2025-01-01T00:00:00Z"}"#
    let system = ScriptedSystem(200, #"{"results":[\#(item)],"status":"active","id":12345}"#)
    let fixture = try VPSOrgFixture(system: system)
    #expect(try await fixture.run("\(word).list").result.outputs["\(word)s"] == .list([]))
    #expect(try await fixture.failure("\(word).find", ["newest": true]).kind == .notFound)
    #expect(try await fixture.failure("\(word).restore", [word: "7"]).kind == .notFound)
    #expect(try await fixture.run("\(word).prune", ["keep": 0]).result.outputs["deleted"] == .list([]))
    #expect(try await fixture.failure("\(word).delete", [word: "7"]).kind == .conflict)
    let whole = try await fixture.driver("\(word).list").run([:]).result.outputs["\(word)s"]?.list
    #expect(whole?.count == 1)
    #expect(system.seen.allSatisfy { $0.method == "GET" })
  }
}
