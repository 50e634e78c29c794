import Runbook
import Testing

/// The same words do the same on every cloud, whichever way its twin is reached.
@Suite struct VocabularyTests {
  @Test(arguments: CloudUnderTest.all)
  func everyDeclaredActionIsBound(_ cloud: CloudUnderTest) throws {
    let world = try CloudWorld(cloud)
    let names = try cloud.kind.actions.map { $0.name }
    #expect(Set(names).count == names.count)
    for name in names { #expect(world.provider.action(name)?.declaration.name == name) }
    #expect(world.provider.action("server.explode") == nil)
  }

  @Test(arguments: CloudUnderTest.all, Way.allCases)
  func aServerIsFoundListedAndRead(_ cloud: CloudUnderTest, _ way: Way) async throws {
    let world = try CloudWorld(cloud, way)
    let status = try await world.run("server.status")
    #expect(status["id"] == .string(cloud.server))
    #expect(status["state"] == "running")
    #expect(status["native_state"]?.string?.isEmpty == false)
    let servers = try await world.run("server.list")["servers"]?.list ?? []
    #expect(servers.contains { $0["id"] == .string(cloud.server) })
    #expect(try await world.run("server.find", ["name": .string(cloud.name)])["id"] == .string(cloud.server))
    #expect(try await world.failure("server.find", ["name": "nobody"]).kind == .notFound)
    #expect(world.twin.ledger == [])
  }

  @Test(arguments: CloudUnderTest.all, Way.allCases)
  func powerGoesThereAndBackAndConverges(_ cloud: CloudUnderTest, _ way: Way) async throws {
    let world = try CloudWorld(cloud, way)
    #expect(try await world.run("server.stop")["state"] == "stopped")
    #expect(try await world.state == "stopped")
    #expect(try await world.run("server.stop", key: "again")["state"] == "stopped")
    #expect(try await world.run("server.start")["state"] == "running")
    #expect(try await world.run("server.start", key: "again")["state"] == "running")
    #expect(try await world.run("server.reboot")["state"] == "running")
    for effect in ["server.stop", "server.start", "server.reboot"] { #expect(world.effects(effect) == 1, "\(effect)") }
  }

  static let items = ["snapshot", "backup"]

  @Test(arguments: CloudUnderTest.all, Way.allCases)
  func whatIsCreatedIsReadyListedFoundAndDeleted(_ cloud: CloudUnderTest, _ way: Way) async throws {
    for word in Self.items where try cloud.offers("\(word).create") {
      let world = try CloudWorld(cloud, way)
      let made = try await world.run("\(word).create", ["name": "pre-1"])
      let id = try #require(made["id"]?.string)
      #expect(made["state"] == "ready")
      #expect(made["name"] == "pre-1")
      let list = try await world.run("\(word).list")["\(word)s"]?.list ?? []
      #expect(list.first?["id"] == .string(id), "the newest is not the first")
      #expect(try await world.run("\(word).find", ["name": "pre-1"])["id"] == .string(id))
      #expect(world.effects("\(word).create") == 1)
      try await world.run("\(word).delete", [word: .string(id)])
      #expect(try await world.failure("\(word).find", ["name": "pre-1"]).kind == .notFound)
      try await world.run("\(word).delete", [word: .string(id)], key: "again")
      #expect(world.effects("\(word).delete") == 1)
    }
  }

  /// A name that was taken before is somebody else's, unless the author says that it may be used again.
  @Test(arguments: CloudUnderTest.all)
  func aNameThatIsTakenIsAConflict(_ cloud: CloudUnderTest) async throws {
    for word in Self.items where try cloud.offers("\(word).create") {
      let world = try CloudWorld(cloud)
      let first = try await world.run("\(word).create", ["name": "pre-1"])
      #expect(try await world.failure("\(word).create", ["name": "pre-1"]).kind == .conflict)
      let reused = try await world.run("\(word).create", ["name": "pre-1", "if_exists": "reuse"], key: "other")
      #expect(reused["id"] == first["id"])
      #expect(world.effects("\(word).create") == 1)
    }
  }

  @Test(arguments: CloudUnderTest.all, Way.allCases)
  func aRestoreLeavesThePowerAsAsked(_ cloud: CloudUnderTest, _ way: Way) async throws {
    for word in Self.items where try cloud.offers("\(word).create") && cloud.offers("\(word).restore") {
      let world = try CloudWorld(cloud, way)
      let id = try #require(try await world.run("\(word).create", ["name": "pre-1"])["id"])
      for (number, power) in ["running", "stopped", "same"].enumerated() {
        try await world.run("\(word).restore", [word: id, "power": .string(power)], key: "restore-\(number)")
        #expect(try await world.state == (power == "same" ? "stopped" : power), "\(word), \(power)")
        #expect(world.effects("\(word).restore") == number + 1)
      }
    }
  }

  @Test(arguments: CloudUnderTest.all)
  func aPruneKeepsTheNewestAndEveryOtherName(_ cloud: CloudUnderTest) async throws {
    for word in Self.items where try cloud.offers("\(word).create") && cloud.offers("\(word).prune") {
      let world = try CloudWorld(cloud)
      for number in 1...3 {
        try await world.run("\(word).create", ["name": .string("nightly-\(number)")], key: "create-\(number)")
        // Some clouds tell only the day.
        await world.clock.sleep(for: .seconds(49 * 3600))
      }
      let deleted = try await world.run("\(word).prune", ["keep": 1, "prefix": "nightly-"])["deleted"]?.list
      #expect(deleted?.count == 2)
      let names = try await world.run("\(word).list")["\(word)s"]?.list?.compactMap { $0["name"]?.string } ?? []
      #expect(names.filter { $0.hasPrefix("nightly-") } == ["nightly-3"])
      #expect(world.effects("\(word).delete") == 2)
    }
  }

  @Test(arguments: CloudUnderTest.all, Way.allCases)
  func aServerGoesIntoRescueAndComesBackRunning(_ cloud: CloudUnderTest, _ way: Way) async throws {
    guard try cloud.offers("rescue.enter") else { return }
    let world = try CloudWorld(cloud, way)
    var with: [String: Value] = [:]
    if try cloud.offers("rescue.images") {
      let images = try await world.run("rescue.images")["images"]?.list ?? []
      let image = try #require(images.first?["id"]?.string, "\(cloud.type) offers no image to rescue with")
      with["image"] = .string(image)
    }
    #expect(try await world.run("rescue.enter", with)["state"] == "rescue")
    #expect(try await world.run("rescue.exit")["state"] == "running")
    #expect(try await world.state == "running")
  }
}
