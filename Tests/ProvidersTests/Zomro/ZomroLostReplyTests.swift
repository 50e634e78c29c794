import ZomroCloud
import Runbook
import Simulator
import TestSupport
import Testing

/// Whatever becomes of a request or of its reply, each effect takes place once.
struct ZomroLostReplyTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var action: String
    var with: [String: Value] = [:]
    /// What faults strike and the ledger tells.
    var operation: String
    /// Done first: an action and its fields.
    var first: (action: String, with: [String: Value])?
    /// The id of what the first action made, or of the account's own image, goes here.
    var made: String?
    var testDescription: String { action }
  }

  private static let rescue: [String: Value] = ["image": "Debian 12", "password": "Rescue1word"]
  private static let iso: [String: Value] = ["image": "SystemRescue 11"]
  private static let nightly: [String: Value] = ["name": "nightly", "days": "1,3", "time": "03:30"]

  static let cases = [
    Case(action: "rescue.enter", with: rescue, operation: "rescue.enter"),
    Case(action: "rescue.exit", operation: "rescue.exit", first: ("rescue.enter", rescue)),
    Case(action: "zomro.boot_iso", with: iso, operation: "iso.mount"),
    Case(action: "zomro.eject_iso", operation: "iso.unmount", first: ("zomro.boot_iso", iso)),
    Case(
      action: "zomro.rebuild", with: ["image": "Debian 12", "password": "Rebuild1word", "power": "stopped"],
      operation: "server.rebuild"),
    Case(action: "zomro.image_edit", with: ["name": "bar"], operation: "image.edit", made: "image"),
    Case(action: "zomro.image_edit", with: ["protected": true], operation: "image.edit", made: "image"),
    Case(
      action: "zomro.image_copy", with: ["name": "copy-1", "region": "Poland-1"], operation: "image.copy",
      made: "image"),
    Case(action: "zomro.image_delete", operation: "image.delete", made: "image"),
    Case(action: "zomro.schedule_create", with: nightly, operation: "schedule.edit"),
    Case(
      action: "zomro.schedule_delete", operation: "schedule.delete", first: ("zomro.schedule_create", nightly),
      made: "schedule"),
    Case(
      action: "backup.prune", with: ["keep": 0, "prefix": "made-"], operation: "backup.delete",
      first: ("backup.create", ["name": "made-1"])),
    Case(
      action: "snapshot.prune", with: ["keep": 0, "prefix": "made-"], operation: "snapshot.delete",
      first: ("snapshot.create", ["name": "made-1"])),
  ]

  static let faults = [
    "request_lost", "request_late:30s", "reply_lost", "reply_late:2m", "reply_late:5s", "502", "502:2", "502_after",
    "504_after", "html_200", "html_after", "429", "429:2:20s", "503:1:30s", "running_operation", "long_request",
    "session_loss",
  ]

  private func world(_ item: Case) async throws -> (
    fixture: ZomroFixture, twin: SimulatedZomro, with: [String: Value]
  ) {
    let (fixture, twin) = try ZomroFixture.twin()
    var with = item.with
    if let first = item.first {
      let outputs = try await fixture.run(first.action, first.with, key: "first")
      if let made = item.made { with[made] = outputs["id"] }
    } else if let made = item.made {
      let images = try await fixture.run("zomro.images")["images"]?.list
      with[made] = try #require(images?.first?["id"])
    }
    return (fixture, twin, with)
  }

  @Test(arguments: cases, faults)
  func theEffectTakesPlaceOnce(_ item: Case, fault: String) async throws {
    let (fixture, twin, with) = try await world(item)
    let earlier = twin.effects(item.operation)
    let parts = fault.split(separator: ":", maxSplits: 1)
    let text = "\(parts[0]):\(item.operation)" + (parts.count > 1 ? ":\(parts[1])" : "")
    try twin.inject(text)
    do { try await fixture.run(item.action, with) } catch let failure as StepFailure {
      Issue.record("\(text): \(failure.kind) \(failure.message)")
    }
    #expect(twin.effects(item.operation) - earlier == 1, "\(text)")
    #expect(twin.unfiredFaults == [])
  }

  /// The look that follows a change tells nothing of the change: whatever becomes of it, there is one.
  @Test(arguments: ["502", "request_lost", "html_200", "429"], 1...6)
  func aLookThatFailsRepeatsNothing(fault: String, nth: Int) async throws {
    let looks =
      [
        ("backup.create", ["name": "a"], "backup.list"), ("snapshot.create", ["name": "a"], "snapshot.list"),
        ("zomro.schedule_create", Self.nightly, "schedule.list"), ("rescue.enter", Self.rescue, "server.list"),
        ("server.stop", [:], "server.list"),
      ] as [(String, [String: Value], String)]
    for (action, with, look) in looks {
      let (fixture, twin) = try ZomroFixture.twin(faults: ["\(fault):\(look):#\(nth)"])
      // A look before the change may end the step; nothing has happened then.
      do { try await fixture.run(action, with) } catch let failure as StepFailure {
        #expect(failure.effect == StepFailure.Effect.none, "\(action)")
        #expect(twin.ledger.isEmpty, "\(action)")
        continue
      }
      #expect(twin.ledger.count == 1, "\(action), \(twin.ledger.map { $0.effect })")
    }
  }

  /// As the one above, for the copy of an image.
  @Test(arguments: 1...6)
  func aLookForACopyThatFailsRepeatsNothing(nth: Int) async throws {
    let (fixture, twin, with) = try await world(Self.cases[7])
    try twin.inject("502:image.list:#\(nth)")
    do { try await fixture.run("zomro.image_copy", with) } catch let failure as StepFailure {
      #expect(failure.effect == StepFailure.Effect.none)
      #expect(twin.ledger.isEmpty)
      return
    }
    #expect(twin.effects("image.copy") == 1)
  }

  /// The answers to each fate of a request, looked at at once and later.
  @Test(arguments: cases.filter { !$0.action.hasSuffix("prune") && $0.action != "zomro.rebuild" })
  func theProbeTellsWhatTookPlace(_ item: Case) async throws {
    for (fault, isApplied) in [("reply_lost", true), ("request_lost", false)] {
      let (fixture, twin, with) = try await world(item)
      try twin.inject("\(fault):\(item.operation)")
      let driver = try fixture.driver(item.action)
      let before = try await driver.action.capture(fixture.intended(driver, with))
      let call = fixture.intended(driver, with, before: before)
      let failure = await #expect(throws: StepFailure.self) { try await driver.action.perform(call) }
      #expect(failure?.effect == .unknown)
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
    }
  }

  /// A restart leaves no trace: seen while it lasts, or a person is asked. Never sent twice.
  @Test(arguments: ["reply_lost", "request_lost", "502", "502_after", "html_after", "request_late:30s"])
  func aRestartIsNeverSentTwice(fault: String) async throws {
    let parts = fault.split(separator: ":", maxSplits: 1)
    let (fixture, twin) = try ZomroFixture.twin(faults: [
      "\(parts[0]):server.reboot" + (parts.count > 1 ? ":\(parts[1])" : "")
    ])
    do { try await fixture.run("server.reboot") } catch let failure as StepFailure {
      #expect(fault == "request_lost" || fault == "502")
      #expect(failure.effect == .unknown)
      #expect(failure.kind == .crashed)
    }
    #expect(twin.requests.count { $0 == "server.reboot" } == 1)
    #expect(twin.unfiredFaults == [])
    let (late, _) = try ZomroFixture.twin(faults: ["reply_lost:server.reboot"])
    let driver = try late.driver("server.reboot")
    let call = late.intended(driver)
    await #expect(throws: StepFailure.self) { try await driver.action.perform(call) }
    await late.clock.sleep(for: .seconds(120))
    #expect(try await driver.action.probe(call) == .unsure)
  }

  /// Nothing tells whether a password was set: it is set again, which is the same end.
  @Test(arguments: ["reply_lost", "request_lost", "502_after"])
  func aPasswordIsSetAgain(fault: String) async throws {
    let (fixture, twin) = try ZomroFixture.twin(faults: ["\(fault):server.password"])
    let driver = try fixture.driver("zomro.change_password")
    #expect(driver.action.declaration.effectClass == .convergent)
    let call = fixture.intended(driver, ["password": "Change1word"])
    let failure = await #expect(throws: StepFailure.self) { try await driver.action.perform(call) }
    #expect(failure?.effect == .unknown)
    #expect(try await driver.action.probe(call) == .unsure)
    _ = try await driver.action.perform(call)
    #expect(twin.effects("server.password") == (fault == "request_lost" ? 1 : 2))
  }

  /// A refusal whose reason cannot be looked up stays what it was.
  @Test func aLookAfterARefusalThatFailsChangesNothing() async throws {
    let wire = ZomroWire { function, _ in
      switch function {
      case "instances.fleio.changepassword": ZomroWire.error("fleio_error", "state", "not now")
      case "instances": ScriptedSystem.reply(502, "")
      default: nil
      }
    }
    let fixture = try ZomroFixture(wire)
    let driver = try fixture.driver("zomro.change_password")
    let failure = await #expect(throws: StepFailure.self) {
      try await driver.action.perform(fixture.intended(driver, ["password": "Change1word"]))
    }
    #expect(failure?.effect == .unknown)
    #expect(failure?.message.contains("not now") == true)
  }
}
