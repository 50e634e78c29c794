import Runbook
import Simulator
import TestSupport
import Testing

/// What a twin knows of its backups is what the cloud's own client reads over the wire.
@Suite struct TwinBackupsTests {
  @Test(arguments: LastNightTests.clouds)
  func theTwinsBackupsAreThoseOfTheWire(_ cloud: CloudUnderTest) async throws {
    let settings: [String: Value] = cloud.type == "zomro" ? ["time_zone": "UTC"] : [:]
    let world = try CloudWorld(cloud, settings: settings)
    world.twin.ensureServer(cloud.other)
    for server in [cloud.server, cloud.other] {
      let known = world.twin.backups(of: server)
      let listed = try await world.run("backup.list", ["server": .string(server)])["backups"]?.list ?? []
      #expect(Set(listed.compactMap { $0["id"]?.string }) == Set(known.map(\.subject)), "\(server): \(known)")
      for backup in listed {
        let truth = try #require(known.first { $0.subject == backup["id"]?.string })
        guard case .timestamp(let told)? = backup["created_at"] else {
          Issue.record("\(backup) has no time")
          continue
        }
        // The earliest that it can be: a date is not known better than to a day.
        let slack = cloud.type == "zomro" ? Duration.seconds(86_400) : .seconds(1)
        #expect(truth.at >= told && truth.at - told < slack, "\(truth), told as \(told)")
      }
      #expect(known.map(\.at) == known.map(\.at).sorted())
    }
    #expect(world.twin.backups(of: "nobody").isEmpty)
  }

  /// One that a run makes is among them, with the instant at which it was asked for.
  @Test(arguments: LastNightTests.clouds.filter { (try? $0.offers("backup.create")) ?? false })
  func aBackupThatIsMadeIsAmongThem(_ cloud: CloudUnderTest) async throws {
    let world = try CloudWorld(cloud)
    let before = world.twin.backups(of: cloud.server)
    let made = try await world.run("backup.create", ["name": "mine"])
    let after = world.twin.backups(of: cloud.server)
    #expect(after.count == before.count + 1)
    #expect(after.contains { $0.subject == made["id"]?.string })
  }
}
