import Runbook
import Simulator
import TestSupport
import Testing

/// What an open undo step of the run would put back is not deleted by the run itself.
@Suite struct NeededItemsTests {
  static let items = ["snapshot", "backup"]

  private func made(_ world: CloudWorld, _ word: String, _ count: Int) async throws -> [String] {
    var ids: [String] = []
    for number in 1...count {
      let item = try await world.run("\(word).create", ["name": .string("mine-\(number)")], key: "create-\(number)")
      ids.append(try #require(item["id"]?.string))
      // Some clouds tell only the day.
      await world.clock.sleep(for: .seconds(49 * 3600))
    }
    return ids
  }

  @Test(arguments: CloudUnderTest.all, items)
  func aPruneLeavesWhatAnUndoNeedsAndTellsIt(_ cloud: CloudUnderTest, _ word: String) async throws {
    guard try cloud.offers("\(word).create"), try cloud.offers("\(word).prune") else { return }
    let world = try CloudWorld(cloud)
    let ids = try await made(world, word, 3)
    var driver = try world.driver("\(word).prune")
    driver.neededIDs = [ids[0]]
    let with = try world.fields("\(word).prune", ["keep": 1, "prefix": "mine-"])
    let outputs = try await driver.run(with).result.outputs
    #expect(outputs["kept"] == .list([.string(ids[0])]))
    #expect(outputs["deleted"] == .list([.string(ids[1])]))
    let left = try await world.run("\(word).list")["\(word)s"]?.list?.compactMap { $0["id"]?.string } ?? []
    #expect(Set(left).intersection(ids) == [ids[0], ids[2]])
    #expect(driver.reports.contains { $0.contains(ids[0]) && $0.contains("an undo step of this run needs it") })
    // What is needed is not counted: the newest of the rest stays.
    driver.neededIDs = [ids[2]]
    driver.key = "second"
    #expect(try await driver.run(with).result.outputs["deleted"] == .list([]))
    // With the undo closed it is an item like any other.
    let later = try await world.run("\(word).prune", ["keep": 1, "prefix": "mine-"], key: "later")
    #expect(later["deleted"] == .list([.string(ids[0])]))
    #expect(later["kept"] == .list([]))
  }

  @Test(arguments: CloudUnderTest.all, items)
  func aDeletionOfWhatAnUndoNeedsIsRefused(_ cloud: CloudUnderTest, _ word: String) async throws {
    guard try cloud.offers("\(word).create"), try cloud.offers("\(word).delete") else { return }
    let world = try CloudWorld(cloud)
    let id = try #require(try await made(world, word, 1).first)
    var driver = try world.driver("\(word).delete")
    driver.neededIDs = [id]
    let with = try world.fields("\(word).delete", [word: .string(id)])
    let failure = await #expect(throws: StepFailure.self) { try await driver.run(with) }
    #expect(failure?.kind == .conflict)
    #expect(failure?.effect == StepFailure.Effect.none)
    #expect(failure?.message.contains("an open undo step of this run needs it") == true)
    #expect(world.effects("\(word).delete") == 0)
  }

  @Test(arguments: CloudUnderTest.all)
  func aDeletionOfAServerThatAnUndoNeedsIsRefused(_ cloud: CloudUnderTest) async throws {
    guard try cloud.offers("server.delete") else { return }
    let world = try CloudWorld(cloud)
    var driver = try world.driver("server.delete")
    driver.createdServers = [cloud.server]
    driver.neededIDs = [cloud.server]
    let with = try world.fields("server.delete", [:])
    let failure = await #expect(throws: StepFailure.self) { try await driver.run(with) }
    #expect(failure?.kind == .conflict)
    #expect(failure?.effect == StepFailure.Effect.none)
    #expect(world.effects("server.delete") == 0)
  }

  /// A field that names a snapshot or a backup says to the engine what the action does with it.
  @Test(arguments: CloudUnderTest.all)
  func anActionOnAnItemEitherNeedsItOrDeletesIt(_ cloud: CloudUnderTest) throws {
    for action in try cloud.kind.actions {
      let named = Set(action.fields.map { $0.name }).intersection(Self.items)
      let deletes = if case .frees = action.room { true } else { false }
      #expect(deletes ? action.neededItems.isEmpty : action.neededItems == named, "\(action.name)")
    }
  }
}
