import Runbook
import Simulator
import TestSupport
import Testing

extension EveryActionTests {
  /// Another server has a snapshot, or a backup, of the same name.
  @Suite struct OtherServersTests {
    static let items = ["snapshot", "backup"]

    private func world(_ cloud: CloudUnderTest) throws -> (world: CloudWorld, other: Value) {
      let world = try CloudWorld(cloud)
      let other = String(cloud.server.dropLast(2)) + (cloud.server.hasSuffix("71") ? "72" : "71")
      world.twin.ensureServer(other)
      return (world, .string(other))
    }

    @Test(arguments: CloudUnderTest.all, items)
    func anotherServersNameIsNotTaken(_ cloud: CloudUnderTest, word: String) async throws {
      guard try cloud.offers("\(word).create") else { return }
      let (world, other) = try world(cloud)
      let theirs = try await world.run("\(word).create", ["name": "twin-1", "server": other], key: "theirs")
      #expect(try await world.failure("\(word).find", ["name": "twin-1"]).kind == .notFound)
      let mine = try await world.run("\(word).create", ["name": "twin-1"], key: "mine")
      #expect(mine["id"] != theirs["id"])
      #expect(try await world.run("\(word).find", ["name": "twin-1"])["id"] == mine["id"])
      #expect(try await world.run("\(word).find", ["name": "twin-1", "server": other])["id"] == theirs["id"])
      let names = try await world.run("\(word).list")["\(word)s"]?.list ?? []
      #expect(names.count { $0["name"] == "twin-1" } == 1)
      #expect(world.effects("\(word).create") == 2)
    }

    /// A lost creation is not found in what somebody makes on another server meanwhile.
    @Test(arguments: CloudUnderTest.all, items)
    func aLostCreationIsNotFoundOnAnotherServer(_ cloud: CloudUnderTest, word: String) async throws {
      guard try cloud.offers("\(word).create") else { return }
      let (world, other) = try world(cloud)
      let driver = try world.driver("\(word).create")
      let with = try world.fields("\(word).create", ["name": "twin-1"])
      let before = try await driver.action.capture(driver.call(with))
      try world.twin.inject("request_lost:\(word).create")
      let call = driver.call(with, before: before, intendedAt: world.clock.now)
      await #expect(throws: StepFailure.self) { try await driver.action.perform(call) }
      try await world.run("\(word).create", ["name": "twin-1", "server": other], key: "theirs")
      #expect(try await driver.action.probe(call) == .notApplied)
      // Also when nothing but the list can tell any more.
      await world.clock.sleep(for: .seconds(5 * 3600))
      #expect(try await driver.action.probe(call) == .notApplied)
    }

    @Test(arguments: CloudUnderTest.all, items)
    func anotherServersIDIsNeitherRestoredNorDeleted(_ cloud: CloudUnderTest, word: String) async throws {
      guard try cloud.offers("\(word).create") else { return }
      let (world, other) = try world(cloud)
      let theirs = try #require(
        try await world.run("\(word).create", ["name": "twin-1", "server": other], key: "theirs")["id"])
      let failure = try await world.failure("\(word).restore", [word: theirs])
      #expect(failure.kind == .notFound, "\(failure.message)")
      #expect(failure.effect == .none)
      #expect(world.effects("\(word).restore") == 0)
      let driver = try world.driver("\(word).restore")
      let with = try world.fields("\(word).restore", [word: theirs])
      #expect(try await driver.action.liveCheck(driver.call(with)).count == 1)
      // Refused where the account can be listed; else it is not this server's, and counts as gone.
      do { try await world.run("\(word).delete", [word: theirs], key: "delete") } catch let refused as StepFailure {
        #expect(refused.kind == .conflict, "\(refused.message)")
        #expect(refused.effect == .none)
      }
      try await world.run("\(word).prune", ["keep": 0, "prefix": "twin-"], key: "prune")
      #expect(world.effects("\(word).delete") == 0)
    }
  }
}
