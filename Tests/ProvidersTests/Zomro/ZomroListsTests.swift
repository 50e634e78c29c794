import ZomroCloud
import Runbook
import Simulator
import TestSupport
import Testing

/// Lists: page by page, whole, and whatever filter somebody has set. Slow calls.
struct ZomroListsTests {
  /// Pages of `instances`, as many lines each as the page says.
  private static func pages(_ page: @escaping @Sendable (Int) -> SimulatedReply) -> ZomroWire {
    ZomroWire { function, form in
      function == "instances" ? page(form["p_num"].flatMap { Int($0) } ?? 0) : nil
    }
  }

  private static func lines(_ range: Range<Int>, more: String) -> SimulatedReply {
    ZomroWire.list(range.map { ZomroWire.server(id: String($0)) }, more: more)
  }

  private func count(_ wire: ZomroWire) async throws -> Int? {
    try await ZomroFixture(wire).run("server.list")["servers"]?.list?.count
  }

  @Test(arguments: [0, 1, 199, 200, 201, 400, 1000])
  func pagesAreFollowed(total: Int) async throws {
    let wire = Self.pages { page in
      Self.lines(
        (page - 1) * 200..<max((page - 1) * 200, min(page * 200, total)), more: #","p_elems":{"$":"\#(total)"}"#)
    }
    #expect(try await count(wire) == total)
    #expect(wire.count("instances") == max(1, (total + 199) / 200))
    #expect(wire.last("instances")?["p_cnt"] == "200")
  }

  /// The page size is what the reply tells, whatever was asked for.
  @Test(arguments: [true, false])
  func smallerPagesAreFollowed(tellsTotal: Bool) async throws {
    let wire = Self.pages { page in
      Self.lines(
        (page - 1) * 50..<max((page - 1) * 50, min(page * 50, 120)),
        more: #","p_cnt":{"$":"50"}"# + (tellsTotal ? #","p_elems":{"$":"120"}"# : ""))
    }
    #expect(try await count(wire) == 120)
  }

  @Test func aLineThatMovesToTheNextPageIsToldOnce() async throws {
    let wire = Self.pages { page in
      page == 1 ? Self.lines(0..<200, more: "") : Self.lines(199..<210, more: "")
    }
    #expect(try await count(wire) == 210)
  }

  @Test func aListThatDoesNotEndIsAFailure() async throws {
    let endless = Self.pages { page in Self.lines(page * 200..<page * 200 + 200, more: "") }
    let failure = try await ZomroFixture(endless).failure("server.list")
    #expect(failure.kind == .server)
    #expect(failure.message.contains("does not end"))
    #expect(endless.count("instances") <= 101)
    let repeating = Self.pages { _ in Self.lines(0..<200, more: #","p_elems":{"$":"900"}"#) }
    #expect(try await ZomroFixture(repeating).failure("server.list").message.contains("does not end"))
    #expect(repeating.count("instances") == 2)
  }

  @Test(arguments: ["-1", "9223372036854775808", "x", ""])
  func aTotalThatIsNoneIsIgnored(total: String) async throws {
    let wire = Self.pages { _ in Self.lines(0..<3, more: #","p_elems":{"$":"\#(total)"},"p_cnt":{"$":"\#(total)"}"#) }
    #expect(try await count(wire) == 3)
  }

  // MARK: Filters

  @Test func aFilteredServerIsFound() async throws {
    for wait in [0, 5, 59, 61, 3600] as [Int64] {
      let (fixture, twin) = try ZomroFixture.twin()
      try await fixture.run("server.list")
      await fixture.clock.sleep(for: .seconds(wait))
      twin.setFilter(of: "instances", "nothing")
      #expect(try await fixture.run("server.status")["state"] == "running")
      twin.setFilter(of: "instances", "nothing")
      #expect(try await fixture.run("server.list")["servers"]?.list?.isEmpty == false)
      twin.setFilter(of: "instances", "nothing")
      #expect(try await fixture.run("server.find", ["name": "web"])["id"] == .string(ZomroFixture.server))
    }
  }

  @Test(arguments: ["backup", "snapshot"])
  func aFilteredImageIsFound(word: String) async throws {
    let list = word == "backup" ? "instances.fleio_bckps" : "instances.snapshots"
    let (fixture, twin) = try ZomroFixture.twin()
    let id = try #require(try await fixture.run("\(word).create", ["name": "pre-1"])["id"])
    for (action, with) in [
      ("list", [:]), ("find", ["name": "pre-1"]), ("restore", [word: id, "power": "same"]),
    ] as [(String, [String: Value])] {
      twin.setFilter(of: list, "nothing")
      let outputs = try await fixture.run("\(word).\(action)", with, key: action)
      if action == "list" { #expect(outputs["\(word)s"]?.list?.contains { $0["id"] == id } == true) }
      if action == "find" { #expect(outputs["id"] == id) }
    }
    twin.setFilter(of: list, "nothing")
    try await fixture.run("\(word).delete", [word: id], key: "delete")
    #expect(twin.effects("\(word).delete") == 1)
  }

  /// What a filter hides is neither made twice nor taken for gone.
  @Test(arguments: ["backup", "snapshot"])
  func aFilterSetOnTheWayHidesNothing(word: String) async throws {
    let list = word == "backup" ? "instances.fleio_bckps" : "instances.snapshots"
    let (fixture, twin) = try ZomroFixture.twin(faults: ["reply_lost:\(word).create"])
    let driver = try fixture.driver("\(word).create")
    let before = try await driver.action.capture(fixture.intended(driver, ["name": "pre-1"]))
    let call = fixture.intended(driver, ["name": "pre-1"], before: before)
    await #expect(throws: StepFailure.self) { try await driver.action.perform(call) }
    twin.setFilter(of: list, "nothing")
    guard case .applied = try await driver.action.probe(call) else {
      Issue.record("the new one was not found")
      return
    }
    await fixture.clock.sleep(for: .seconds(2000))
    let prune = try fixture.driver("\(word).prune")
    let chosen = try await prune.action.capture(fixture.intended(prune, ["keep": 0, "prefix": "pre-"]))
    #expect(chosen["doomed"]?.list?.count == 1)
    twin.setFilter(of: list, "nothing")
    #expect(try await prune.action.probe(fixture.intended(prune, ["keep": 0], before: chosen)) == .notApplied)
  }

  // MARK: Slow calls

  @Test(arguments: ["server.list", "server.stop", "backup.create", "rescue.preview", "auth", "whoami"])
  func theLinkOfASlowCallIsFollowed(operation: String) async throws {
    let (fixture, twin) = try ZomroFixture.twin(faults: ["long_request:\(operation)"])
    let action = operation == "backup.create" ? operation : operation == "server.stop" ? operation : "rescue.enter"
    try await fixture.run(action, ["name": "a", "image": "Debian 12", "password": "Rescue1word"])
    #expect(twin.ledger.count == 1)
    #expect(twin.requests.count { $0 == "long_request.poll" } == 3)
    #expect(twin.unfiredFaults == [])
  }

  private static func slow(_ text: String, _ later: @escaping @Sendable (Int) -> SimulatedReply) -> ZomroWire {
    let polls = Box(0)
    return ZomroWire { function, _ in
      if function.hasPrefix("/") {
        polls.value += 1
        return later(polls.value)
      }
      return function == "instances" ? ScriptedSystem.reply(200, text) : nil
    }
  }

  @Test(arguments: [
    ("see /long/7/billmgr", "/long/7/billmgr"), ("long/7/billmgr", "/long/7/billmgr"),
    ("<a href='https://api.zomro.com/longtask.billmgr?x=1'>wait</a>", "/longtask.billmgr?x=1"),
    (#"<a href="/long-request/billmgr#top">wait</a>"#, "/long-request/billmgr"),
  ])
  func theLinkIsReadFromTheText(text: String, path: String) async throws {
    let wire = Self.slow(text) { count in
      count < 5 ? ScriptedSystem.reply(200, text) : ZomroWire.list(ZomroWire.server())
    }
    #expect(try await ZomroFixture(wire).run("server.status")["state"] == "running")
    let polls = wire.requests.filter { $0.hasPrefix("/") }
    #expect(polls.count == 5)
    #expect(Set(polls).count == 1)
    #expect(path.hasPrefix(polls.first ?? "?"), "\(polls.first ?? "")")
    #expect(wire.seen.filter { $0["func"]?.hasPrefix("/") == true }.allSatisfy { $0.count == 1 })
  }

  @Test(arguments: ["https://evil.example.com/long/7/billmgr", "//evil.example.com/long/7/billmgr"])
  func aLinkElsewhereIsNotFollowed(link: String) async throws {
    let wire = Self.slow(link) { _ in ZomroWire.list(ZomroWire.server()) }
    let failure = try await ZomroFixture(wire).failure("server.status")
    #expect(failure.kind == .server)
    #expect(failure.message.contains("another host"))
    #expect(!wire.requests.contains { $0.hasPrefix("/") })
  }

  @Test func aSlowCallThatNeverEndsDoes() async throws {
    let wire = Self.slow("/long/7/billmgr") { _ in ScriptedSystem.reply(200, "not yet") }
    let fixture = try ZomroFixture(wire)
    let failure = try await fixture.failure("server.status")
    #expect(failure.message.contains("did not come within"))
    #expect(fixture.clock.now - ZomroFixture.start <= .seconds(700))
    let lost = Self.slow("/long/7/billmgr") { count in count < 4 ? .lost : ZomroWire.list(ZomroWire.server()) }
    #expect(try await ZomroFixture(lost).run("server.status")["state"] == "running")
  }

  /// Nobody knows what a write did whose link is gone.
  @Test(arguments: [404, 502])
  func theEffectOfAWriteWhoseLinkIsGoneIsUnknown(status: Int) async throws {
    let wire = ZomroWire { function, _ in
      if function.hasPrefix("/") { return ScriptedSystem.reply(status, "gone") }
      return function == "instances.edit" ? ScriptedSystem.reply(200, "/long/7/billmgr") : nil
    }
    let failure = try await ZomroFixture(wire).failure("zomro.call", ["func": "instances.edit"], attempts: 1)
    #expect(failure.effect == .unknown)
  }
}
