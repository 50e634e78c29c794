import ZomroCloud
import Runbook
import Simulator
import Testing

@Suite struct ZomroTwinFaultsTests {
  static let server = ZomroTwinFixture.server
  static let stop = [
    "func": "service.stop", "out": "json", "auth": ZomroTwinFixture.session, "lang": "en", "elid": server,
  ]

  private func response(_ reply: SimulatedReply) throws -> HTTPResponse {
    guard case .response(let response) = reply else { throw StepFailure(.server, "no response: \(reply)") }
    return response
  }

  private func isLost(_ reply: SimulatedReply) -> Bool { if case .lost = reply { true } else { false } }

  @Test func aRequestIsLost() throws {
    let zomro = try ZomroTwinFixture(faults: ["request_lost:server.stop"])
    #expect(isLost(zomro.send(Self.stop)))
    #expect(zomro.twin.ledger == [])
    #expect(zomro.twin.requests == ["server.stop"])
    #expect(zomro.twin.firedFaults == ["request_lost:server.stop"])
    try zomro.done("service.stop", ["elid": Self.server])
  }

  @Test func aRequestComesLate() throws {
    let zomro = try ZomroTwinFixture(faults: ["request_late:server.stop:20s"])
    #expect(isLost(zomro.send(Self.stop)))
    zomro.clock.advance(by: .seconds(19))
    #expect(try zomro.status == "active")
    zomro.clock.advance(by: .seconds(1))
    #expect(try zomro.status == "stopping")
    #expect(zomro.effects == ["server.stop 5203773"])
  }

  @Test func aReplyIsLostOrLate() throws {
    let zomro = try ZomroTwinFixture(faults: ["reply_lost:server.stop", "reply_late:server.start:40s"])
    #expect(isLost(zomro.send(Self.stop)))
    #expect(try zomro.status == "stopping")
    zomro.rest()
    let reply = zomro.send(Self.stop.merging(["func": "service.start"]) { $1 })
    guard case .delayed(let delay, let later) = reply else { throw StepFailure(.server, "not delayed") }
    #expect(delay == .seconds(40))
    #expect(try response(later).status == 200)
    #expect(zomro.effects == ["server.stop 5203773", "server.start 5203773"])
  }

  @Test(arguments: [403, 429, 460, 500, 502, 503])
  func aStatusIsAnsweredBeforeOrAfterTheEffect(_ status: Int) throws {
    let before = try ZomroTwinFixture(faults: ["\(status):server.stop:7s"])
    let refused = try response(before.send(Self.stop))
    #expect(refused.status == status)
    #expect(refused.header("content-type")?.hasPrefix("text/html") == true)
    #expect(refused.header("retry-after") == (status == 429 || status == 503 ? "7" : nil))
    #expect(before.twin.ledger == [])
    let after = try ZomroTwinFixture(faults: ["\(status)_after:server.stop"])
    let done = try response(after.send(Self.stop))
    #expect(done.status == status)
    #expect(done.header("content-type")?.hasPrefix("text/html") == true)
    #expect(after.effects == ["server.stop 5203773"])
  }

  @Test func aPageComesBeforeOrAfterTheEffect() throws {
    for (fault, count) in [("html_200", 0), ("html_after", 1)] {
      let zomro = try ZomroTwinFixture(faults: ["\(fault):server.stop"])
      let page = try response(zomro.send(Self.stop))
      #expect(page.status == 200)
      #expect(page.header("content-type")?.hasPrefix("text/html") == true)
      #expect(zomro.twin.ledger.count == count)
    }
  }

  @Test func aChangeNeverEndsFailsOrShowsAnUnknownWord() throws {
    let zomro = try ZomroTwinFixture(faults: ["unknown_status:server.stop:pausing", "fails:server.start"])
    try zomro.done("service.stop", ["elid": Self.server])
    #expect(try zomro.status == "pausing")
    #expect(try zomro.refusal("service.stop", ["elid": Self.server]).hasSuffix("/runningoperation"))
    zomro.rest()
    #expect(try zomro.status == "stopped")
    try zomro.done("service.start", ["elid": Self.server])
    zomro.rest()
    #expect(try zomro.status == "error")
    let stuck = try ZomroTwinFixture(faults: ["stuck:rescue.enter"])
    try stuck.bring(to: "rescued")
    stuck.rest()
    #expect(try stuck.status == "rescuing")
    let saving = try ZomroTwinFixture(faults: ["unknown_status:backup.create"], withExamples: false)
    try saving.create("backup")
    #expect(try saving.backups.first?["fleio_status"]?.text == "quiescing")
  }

  /// A call that takes long: a link first, its own "not yet" twice, then the answer; the effect is there at once.
  @Test func aLongRequestIsAnsweredUnderItsLink() throws {
    let zomro = try ZomroTwinFixture(faults: ["long_request:backup.create"])
    let fields = Self.stop.merging(["func": "instances.fleio_bckps.edit", "name": "slow", "sok": "ok"]) { $1 }
    let first = try response(zomro.send(fields.merging(["plid": Self.server]) { $1 }))
    #expect(first.status == 200)
    #expect(zomro.twin.ledger.count == 1)
    var text = String(decoding: first.body, as: UTF8.self)
    for _ in 0..<2 {
      #expect((try? JSONReader.read(text)) == nil)
      let link = try #require(text.firstMatch(of: /long.+billmgr/)).0
      let poll = SimulatedRequest(method: "GET", path: "/\(link)")
      text = String(decoding: try response(zomro.twin.answer(poll)).body, as: UTF8.self)
    }
    let link = try #require(text.firstMatch(of: /long.+billmgr/)).0
    let poll = SimulatedRequest(method: "GET", path: "/\(link)")
    for _ in 0..<2 {
      let doc = try zomro.doc(zomro.twin.answer(poll))
      #expect(doc["ok"] == [:])
      #expect(doc["tparams"]?["func"]?.text == "instances.fleio_bckps.edit")
    }
    #expect(zomro.twin.requests.filter { $0 == "long_request.poll" }.count == 4)
    #expect(zomro.twin.ledger.count == 1)
    #expect(try response(zomro.twin.answer(SimulatedRequest(method: "GET", path: "/long/9/billmgr"))).status == 404)
  }

  /// The list says it is at rest, and yet the call is refused: Fleio knows of a task that the list does not show.
  @Test func somethingUnseenMayBeUnderWay() throws {
    let zomro = try ZomroTwinFixture(faults: ["running_operation:server.stop:2"])
    for _ in 0..<2 {
      #expect(try zomro.status == "active")
      #expect(try zomro.refusal("service.stop", ["elid": Self.server]) == "fleio_error/runningoperation")
    }
    try zomro.done("service.stop", ["elid": Self.server])
  }

  /// Faults of an effect are not used up by what is refused.
  @Test(arguments: ["stuck", "fails", "unknown_status", "reply_lost", "502_after", "html_after", "long_request"])
  func aRefusedCallUsesUpNoFault(_ kind: String) throws {
    let fault = "\(kind):server.start"
    let zomro = try ZomroTwinFixture(faults: [fault])
    #expect(try zomro.refusal("service.start", ["elid": Self.server]) == "fleio_error/state")
    #expect(zomro.twin.unfiredFaults == [fault])
    try zomro.bring(to: "stopped")
    _ = zomro.send(Self.stop.merging(["func": "service.start"]) { $1 })
    #expect(zomro.twin.firedFaults == [fault])
    #expect(zomro.effects == ["server.stop 5203773", "server.start 5203773"])
  }

  @Test func aFaultCountsAndBeginsWhereItSays() throws {
    let zomro = try ZomroTwinFixture(faults: ["503:2:#2:server.list"])
    let fields = Self.stop.merging(["func": "instances"]) { $1 }
    #expect(try (0..<5).map { _ in try response(zomro.send(fields)).status } == [200, 503, 503, 200, 200])
  }

  @Test(arguments: [
    "nonsense", "503:server.fly", "stuck:", "partial_revert", "long_request:#0", "reply_late:later", "200", "",
  ])
  func aFaultThatIsNotKnownIsRefusedWithTheKnownOnes(_ text: String) throws {
    let zomro = try ZomroTwinFixture()
    do throws(ExpressionFailure) {
      try zomro.twin.inject(text)
      #expect(text == "long_request:#0", "a special fault takes any word")
    } catch {
      for known in ["session_loss", "long_request", "rescue.enter", "backup.create"] {
        #expect(error.message.contains(known))
      }
    }
  }
}
