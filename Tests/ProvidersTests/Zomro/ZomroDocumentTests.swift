import ZomroCloud
import Runbook
import Simulator
import TestSupport
import Testing

/// What the documents of Zomro ask for, and a client may get wrong.
@Suite struct ZomroDocumentTests {
  /// `protected` `on` means that it cannot be deleted.
  @Test(arguments: [[:], ["server": .string(ZomroFixture.server)]] as [[String: Value]])
  func aProtectedBackupIsRefusedBeforeItsDeletionIsSent(_ more: [String: Value]) async throws {
    let (fixture, twin) = try ZomroFixture.twin(faults: ["protected_image"])
    let id = try #require(try await fixture.run("backup.create", ["name": "kept"])["id"])
    let driver = try fixture.driver("backup.delete")
    let failure = await #expect(throws: StepFailure.self) {
      try await driver.run(["backup": id].merging(more) { _, more in more })
    }
    #expect(failure?.kind == .conflict && failure?.message.contains("protected") == true)
    #expect(!twin.requests.contains("backup.delete"))
    let listed = try await fixture.run("backup.list")["backups"]?.list?.first { $0["id"] == id }
    #expect(listed?["protected"] == true)
  }

  /// The document wants `plid` with every deletion: where the step names no server, it is looked for.
  @Test(arguments: ["backup", "snapshot"])
  func aDeletionWithoutAServerFindsItOut(_ word: String) async throws {
    let (fixture, twin) = try ZomroFixture.twin()
    twin.ensureServer("777")
    let made = try await fixture.run("\(word).create", ["name": "mine", "server": "777"])
    let id = try #require(made["id"])
    _ = try await fixture.driver("\(word).delete").run([word: id])
    let entry = try #require(twin.ledger.last { $0.effect == "\(word).delete" })
    #expect(entry.parameters["plid"] == "777" && entry.parameters["elid"] == id && entry.parameters["elname"] == id)
  }

  @Test func aBackupThatNoServerListsIsNotDeletedWithoutOne() async throws {
    let wire = ZomroWire { function, _ in
      switch function {
      case "instances": ZomroWire.list(ZomroWire.server())
      case "image.edit": ZomroWire.doc(#""elid":{"$":"9"},"image_name":{"$":"lost"},"fleio_status":{"$":"Active"}"#)
      case "instances.fleio_bckps": ZomroWire.list()
      default: nil
      }
    }
    let driver = try ZomroFixture(wire).driver("backup.delete")
    let failure = await #expect(throws: StepFailure.self) { try await driver.run(["backup": "9"]) }
    #expect(
      failure?.kind == .input && failure?.message.contains("give `server`") == true, "\(String(describing: failure))")
    #expect(wire.count("image.delete") == 0)
  }

  /// That the server is missing says nothing about the image.
  @Test func aRefusalThatMissesTheServerIsNotTakenForADeletedImage() async throws {
    let wire = ZomroWire { function, _ in
      switch function {
      case "instances": ZomroWire.list(ZomroWire.server())
      case "instances.fleio_bckps": ZomroWire.list(ZomroWire.image("9"))
      case "image.delete": ZomroWire.error("missed", "plid")
      default: nil
      }
    }
    let failure = try await ZomroFixture(wire).failure("backup.delete", ["backup": "9"])
    #expect(failure.kind == .notFound)
  }

  /// An image of one's own is found by its name, by the name of its system, and only in the zone that is asked for.
  @Test func anImageOfOnesOwnIsFoundByTheNameOfItsSystem() async throws {
    for image in ["foo", "Centos 9 x64", "a9e7c223-5f11-4546-a298-6af546bebde6"] {
      let (fixture, twin) = try ZomroFixture.twin()
      #expect(try await fixture.problems("rescue.enter", ["image": .string(image)]) == [])
      try await fixture.run("rescue.enter", ["image": .string(image)])
      #expect(twin.ledger.last { $0.effect == "rescue.enter" }?.parameters["zone"] == "own")
    }
    let (fixture, _) = try ZomroFixture.twin()
    let problems = try await fixture.problems("rescue.enter", ["image": "Centos 9 x64", "zone": "pub"])
    #expect(problems.first?.contains("zone `pub`") == true, "\(problems)")
    let zones = try await fixture.problems("rescue.enter", ["image": "foo", "zone": "shr"])
    #expect(zones == ["`zone` cannot be `shr`: Zomro offers `pub`, `own`"])
  }
}
