import ZomroCloud
import Runbook
import Simulator
import TestSupport
import Testing

/// Backups, snapshots and images of the account: names, limits, protection, age.
struct ZomroItemsTests {
  static let words = ["backup", "snapshot"]

  @Test(arguments: words)
  func aProtectedOneIsNeitherPrunedNorDeleted(word: String) async throws {
    let (fixture, twin) = try ZomroFixture.twin(faults: ["protected_image:\(word).create"])
    let kept = try #require(try await fixture.run("\(word).create", ["name": "pre-1"], key: "a")["id"])
    let gone = try #require(try await fixture.run("\(word).create", ["name": "pre-2"], key: "b")["id"])
    let outputs = try await fixture.run("\(word).prune", ["keep": 0, "prefix": "pre-"])
    #expect(outputs["deleted"] == .list([gone]))
    let failure = try await fixture.failure("\(word).delete", [word: kept])
    #expect(failure.kind == .conflict)
    #expect(failure.effect == StepFailure.Effect.none)
    #expect(failure.message.contains("protected"))
    #expect(try await fixture.failure("zomro.image_delete", ["image": kept]).message.contains("protected"))
    #expect(twin.effects("\(word).delete") == 1)
    try await fixture.run("zomro.image_edit", ["image": kept, "protected": false])
    try await fixture.run("\(word).delete", [word: kept], key: "c")
    #expect(twin.effects("\(word).delete") == 2)
  }

  /// Protected after the look: Zomro's own refusal.
  @Test func aProtectionThatComesLaterIsARefusal() async throws {
    let (fixture, twin) = try ZomroFixture.twin()
    let id = try #require(try await fixture.run("backup.create", ["name": "a"])["id"])
    let driver = try fixture.driver("backup.delete")
    let before = try await driver.action.capture(fixture.intended(driver, ["backup": id]))
    try await fixture.run("zomro.image_edit", ["image": id, "protected": true])
    let failure = await #expect(throws: StepFailure.self) {
      try await driver.action.perform(fixture.intended(driver, ["backup": id], before: before))
    }
    #expect(failure?.kind == .input)
    #expect(failure?.retryable == false)
    #expect(twin.effects("backup.delete") == 0)
  }

  @Test(arguments: words)
  func theDaysLimitIsALimit(word: String) async throws {
    let (fixture, twin) = try ZomroFixture.twin()
    for number in 1...5 {
      #expect(try await fixture.problems("\(word).create", ["name": "new"]) == [])
      try await fixture.run("\(word).create", ["name": .string("pre-\(number)")], key: "k\(number)")
    }
    let problems = try await fixture.problems("\(word).create", ["name": "new"])
    #expect(problems.count == 1)
    #expect(problems.first?.contains("5 of 5") == true)
    let failure = try await fixture.failure("\(word).create", ["name": "new"], attempts: 3)
    #expect(failure.kind == .limit)
    #expect(failure.effect == StepFailure.Effect.none)
    #expect(!failure.retryable)
    #expect(failure.message.contains("tomorrow"))
    #expect(twin.effects("\(word).create") == 5)
    // One that is deleted counts on, until the next day.
    try await fixture.run("\(word).prune", ["keep": 0, "prefix": "pre-"])
    #expect(try await fixture.failure("\(word).create", ["name": "new"]).kind == .limit)
    await fixture.clock.sleep(for: .seconds(86_400))
    #expect(try await fixture.problems("\(word).create", ["name": "new"]) == [])
    try await fixture.run("\(word).create", ["name": "new"])
  }

  @Test func aHundredBackupsAreALimit() async throws {
    let lines = (1...100).map { ZomroWire.image(String($0), "b-\($0)") }
    let wire = ZomroWire { function, _ in
      switch function {
      case "instances": ZomroWire.list(ZomroWire.server())
      case "instances.fleio_bckps": ZomroWire.list(lines)
      case "instances.fleio_bckps.edit": ZomroWire.error("fleio_error", "limit", "no more")
      default: nil
      }
    }
    let failure = try await ZomroFixture(wire).failure("backup.create", ["name": "new"])
    #expect(failure.kind == .limit)
    #expect(failure.message.contains("100 of 100"))
    #expect(failure.effect == StepFailure.Effect.none)
  }

  @Test(arguments: words)
  func aFailedOneEndsTheWait(word: String) async throws {
    let (fixture, twin) = try ZomroFixture.twin(faults: ["fails:\(word).create"])
    let start = fixture.clock.now
    let failure = try await fixture.failure("\(word).create", ["name": "a"], attempts: 3)
    #expect(failure.kind == .server)
    #expect(failure.effect == .applied)
    #expect(failure.message.contains("`Killed`"))
    #expect(fixture.clock.now - start < .seconds(1000))
    #expect(twin.effects("\(word).create") == 1)
    // It takes no name. The server is busy for a moment more.
    await fixture.clock.sleep(for: .seconds(60))
    try await fixture.run("\(word).create", ["name": "a"], key: "again")
  }

  @Test(arguments: words)
  func anUnknownWordIsStillBeingMade(word: String) async throws {
    let (fixture, _) = try ZomroFixture.twin(faults: ["unknown_status:\(word).create:quiescing"])
    let outcome = try await fixture.driver("\(word).create").run(ZomroFixture.fields(["name": "a"]))
    #expect(outcome.nativeStates.contains("quiescing"))
    #expect(outcome.result.outputs["state"] == "ready")
  }

  @Test func anUnknownWordOfAServerIsAChange() async throws {
    let (fixture, _) = try ZomroFixture.twin(faults: ["unknown_status:server.stop:quiescing"])
    let outcome = try await fixture.driver("server.stop").run(ZomroFixture.fields([:]))
    #expect(outcome.nativeStates == ["quiescing", "stopped"])
  }

  @Test func namesHaveAHundredCharacters() async throws {
    let (fixture, twin) = try ZomroFixture.twin()
    for name in [String(repeating: "ä", count: 101), "a\u{7}b"] {
      let failure = try await fixture.failure("backup.create", ["name": .string(name)])
      #expect(failure.kind == .input)
    }
    #expect(twin.requests.contains("backup.create") == false)
    let longest = Value.string(String(repeating: "ä", count: 100))
    #expect(try await fixture.run("backup.create", ["name": longest])["name"] == longest)
    let own = try await fixture.run("backup.create", key: "key-1")
    #expect(own["name"] == "runbook-key-1")
  }

  @Test(arguments: words)
  func aNameThatIsTakenIsAConflict(word: String) async throws {
    let (fixture, twin) = try ZomroFixture.twin()
    let id = try await fixture.run("\(word).create", ["name": "a"], key: "a")["id"]
    let failure = try await fixture.failure("\(word).create", ["name": "a"])
    #expect(failure.kind == .conflict)
    #expect(try await fixture.problems("\(word).create", ["name": "a"]).count == 1)
    #expect(try await fixture.run("\(word).create", ["name": "a", "if_exists": "reuse"])["id"] == id)
    #expect(twin.effects("\(word).create") == 1)
  }

  // MARK: Age

  /// Dates are days: the age is counted from the earliest instant it can be.
  @Test(
    arguments: [
      ("UTC", 12, true), ("UTC", 11, false), ("+03:00", 15, true), ("+03:00", 14, false), ("-05:00", 7, true),
      ("-05:00", 6, false), (nil, 26, true), (nil, 25, false),
    ] as [(String?, Int64, Bool)])
  func findHeedsTheGreatestAge(zone: String?, hours: Int64, isFound: Bool) async throws {
    let wire = ZomroWire { function, _ in
      switch function {
      case "instances": ZomroWire.list(ZomroWire.server())
      case "instances.fleio_bckps": ZomroWire.list(ZomroWire.image("9", date: "2025-01-16"))
      default: nil
      }
    }
    let settings: [String: Value] = zone.map { ["time_zone": .string($0)] } ?? [:]
    let fixture = try ZomroFixture(wire, settings: settings)
    let with: [String: Value] = ["max_age": .duration(.seconds(hours * 3600))]
    if isFound {
      let outputs = try await fixture.run("backup.find", with)
      #expect(outputs["id"] == "9")
      #expect(outputs["created_at_error"] == .duration(.seconds((zone == nil ? 50 : 24) * 3600)))
    } else {
      #expect(try await fixture.failure("backup.find", with).kind == .notFound)
    }
  }

  /// What may be younger is kept.
  @Test(arguments: [(nil, 40, 1), (nil, 30, 0), ("UTC", 40, 1), ("UTC", 12, 0)] as [(String?, Int64, Int)])
  func pruneHeedsTheLeastAge(zone: String?, hours: Int64, kept: Int) async throws {
    // From the 14th at noon there are 48 h until now; its day may have ended 36 h ago, and without a zone 12 h later.
    let wire = ZomroWire { function, _ in
      switch function {
      case "instances": ZomroWire.list(ZomroWire.server())
      case "instances.fleio_bckps":
        ZomroWire.list(ZomroWire.image("9", date: zone == nil ? "2025-01-13" : "2025-01-14"))
      default: nil
      }
    }
    let fixture = try ZomroFixture(wire, settings: zone.map { ["time_zone": .string($0)] } ?? [:])
    let driver = try fixture.driver("backup.prune")
    let age = hours + (zone == nil ? 10 : 0)
    let chosen = try await driver.action.capture(
      fixture.intended(driver, ["older_than": .duration(.seconds(age * 3600))]))
    #expect(chosen["doomed"]?.list?.count == 1 - kept)
  }

  @Test func onlyOneTypeIsListedWhereAsked() async throws {
    let wire = ZomroWire { function, _ in
      switch function {
      case "instances": ZomroWire.list(ZomroWire.server())
      case "instances.fleio_bckps":
        ZomroWire.list(
          ZomroWire.image("1"), #"{"id":{"$":"2"},"backup_type":{"$":"auto"},"fleio_status":{"$":"Active"}}"#)
      default: nil
      }
    }
    let fixture = try ZomroFixture(wire)
    for (type, ids) in [("manual", ["1"]), ("automatic", ["2"])] {
      let list = try await fixture.run("backup.list", ["type": .string(type)])["backups"]?.list
      #expect(list?.compactMap { $0["id"]?.string } == ids)
    }
  }

  // MARK: Images of the account

  @Test func anImageIsCopiedToARegionThatIsOffered() async throws {
    let (fixture, twin) = try ZomroFixture.twin()
    let id = try #require(try await fixture.run("zomro.images")["images"]?.list?.first?["id"])
    let failure = try await fixture.failure("zomro.image_copy", ["image": id, "name": "c", "region": "Mars-1"])
    #expect(failure.kind == .input)
    #expect(failure.message.contains("Poland-1"))
    let copy = try await fixture.run("zomro.image_copy", ["image": id, "name": "c", "region": "Poland-1"])
    #expect(copy["state"] == "ready")
    #expect(copy["id"] != id)
    // One of the same name that was there before is not ours.
    let other = try await fixture.run("zomro.image_copy", ["image": id, "name": "c", "region": "Poland-1"], key: "2")
    #expect(other["id"] != copy["id"])
    #expect(twin.effects("image.copy") == 2)
    try twin.inject("fails:image.copy")
    let killed = try await fixture.failure("zomro.image_copy", ["image": id, "name": "d", "region": "Poland-1"])
    #expect(killed.effect == .applied)
    #expect(killed.message.contains("`Killed`"))
  }

  @Test func anImageThatIsNotThereIsNotFoundOrGone() async throws {
    let (fixture, _) = try ZomroFixture.twin()
    for (action, with) in [
      ("zomro.image_edit", ["name": "a"]), ("zomro.image_copy", ["name": "a", "region": "Poland-1"]),
    ] as [(String, [String: Value])] {
      let all = with.merging(["image": "99999"]) { given, _ in given }
      #expect(try await fixture.failure(action, all).kind == .notFound)
    }
    try await fixture.run("zomro.image_delete", ["image": "99999"])
    try await fixture.run("backup.delete", ["backup": "99999"])
    try await fixture.run("zomro.schedule_delete", ["schedule": "99999"])
    for id in ["..", "", String(repeating: "1", count: 200)] {
      #expect(try await fixture.failure("zomro.image_edit", ["image": .string(id), "name": "a"]).kind == .input)
    }
  }

  @Test func aScheduleHasANameOfItsOwn() async throws {
    let (fixture, twin) = try ZomroFixture.twin()
    let with: [String: Value] = ["name": "nightly", "days": "1,3", "time": "03:30"]
    let made = try await fixture.run("zomro.schedule_create", with)
    #expect(made["days"] == "1,3")
    #expect(made["time"] == "03:30")
    let failure = try await fixture.failure("zomro.schedule_create", with)
    #expect(failure.kind == .conflict)
    #expect(failure.effect == StepFailure.Effect.none)
    #expect(try await fixture.run("zomro.schedule_list")["schedules"]?.list?.count == 1)
    let id = try #require(made["id"])
    try await fixture.run("zomro.schedule_delete", ["schedule": id])
    #expect(try await fixture.run("zomro.schedule_list")["schedules"]?.list?.isEmpty == true)
    #expect(twin.effects("schedule.edit") == 1)
  }
}
