import Runbook
import Testing

/// A simulation has what a drill needs: a backup of last night, by the run's own clock, of every server.
@Suite struct LastNightTests {
  static let clouds = CloudUnderTest.all.filter { (try? $0.offers("backup.find")) ?? false }

  @Test(arguments: clouds, [0, 5, 11, 17, 23])
  func aServerHasABackupOfLastNight(_ cloud: CloudUnderTest, hours: Int) async throws {
    // Zomro tells dates only: with a zone they are known to a day.
    let settings: [String: Value] = cloud.type == "zomro" ? ["time_zone": "UTC"] : [:]
    let world = try CloudWorld(cloud, settings: settings, startingIn: .seconds(Int64(hours) * 3600))
    for server in [cloud.server, cloud.other] {
      world.twin.ensureServer(server)
      let found = try await world.run(
        "backup.find", ["server": .string(server), "newest": true, "max_age": .duration(.seconds(26 * 3600))])
      #expect(found["state"] == "ready", "\(found)")
    }
  }
}
