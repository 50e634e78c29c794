import ZomroCloud
import Runbook
import Simulator
import Testing

@Suite struct ZomroTwinSchedulesTests {
  static let server = ZomroTwinFixture.server
  /// The fixture's clock begins on a Thursday at 12:00 UTC, 15:00 in the schedule's zone.
  static let nightly = [
    "plid": server, "name": "nightly", "rotation_days": "0,1,2,3,4,5,6", "rotation_time": "03:00", "sok": "ok",
  ]

  private func zomro(_ schedule: [String: String] = nightly) throws -> ZomroTwinFixture {
    let zomro = try ZomroTwinFixture(credentials: .any, withExamples: false)
    try zomro.done("instances.fleio_bckps.schedule.edit", schedule)
    return zomro
  }

  /// As of now, with a session that has not expired.
  private func backups(_ zomro: ZomroTwinFixture) throws -> [Value] {
    try zomro.lines("instances.fleio_bckps", ["elid": Self.server, "auth": "at \(zomro.clock.now)"])
  }

  @Test func aScheduleIsMadeShownChangedAndDeleted() throws {
    let zomro = try zomro()
    let list = ["elid": Self.server]
    let line = try #require(try zomro.lines("instances.fleio_bckps.schedule", list).first)
    #expect(line["name"]?.text == "nightly")
    #expect(line["rotation_days"]?.text == "0,1,2,3,4,5,6")
    #expect(line["rotation_time"]?.text == "03:00")
    #expect(try zomro.done("instances.fleio_bckps.schedule", list)["backup_rotation"] == ["$": "5"])
    let id = try #require(line["id"]?.text)
    let form = try zomro.done("instances.fleio_bckps.schedule.edit", ["plid": Self.server, "elid": id])
    #expect(form["rotation_time"]?.text == "03:00")
    let change = Self.nightly.merging(["elid": id, "rotation_time": "04:30", "rotation_days": "3"]) { $1 }
    try zomro.done("instances.fleio_bckps.schedule.edit", change)
    let changed = try zomro.lines("instances.fleio_bckps.schedule", list)
    #expect(changed.compactMap { $0["rotation_time"]?.text } == ["04:30"])
    #expect(changed.compactMap { $0["rotation_days"]?.text } == ["3"])
    #expect(
      try zomro.refusal("instances.fleio_bckps.schedule.edit", Self.nightly) == "exists/name", "one of this name")
    try zomro.done("instances.fleio_bckps.schedule.delete", ["elid": id])
    #expect(try zomro.lines("instances.fleio_bckps.schedule", list) == [])
    #expect(zomro.effects == ["schedule.edit \(id)", "schedule.edit \(id)", "schedule.delete \(id)"])
  }

  /// One table of the document names the function of backups for a schedule: that makes a backup, at once.
  @Test func theFunctionOfBackupsMakesNoSchedule() throws {
    let zomro = try ZomroTwinFixture(withExamples: false)
    try zomro.done("instances.fleio_bckps.edit", Self.nightly)
    #expect(try zomro.lines("instances.fleio_bckps.schedule", ["elid": Self.server]) == [])
    #expect(try zomro.backups.compactMap { $0["backup_type"]?.text } == ["manual"])
  }

  @Test func aBackupIsMadeWhenItIsDue() throws {
    let zomro = try zomro()
    zomro.clock.advance(by: .seconds(12 * 3600 - 1))
    #expect(try backups(zomro) == [])
    zomro.clock.advance(by: .seconds(1))
    let line = try #require(try backups(zomro).first)
    #expect(line["fleio_status"]?.text == "Saving")
    #expect(line["backup_type"]?.text == "auto")
    #expect(line["name"]?.text == "nightly")
    #expect(zomro.twin.status(ofServer: Self.server) == "image_uploading")
    zomro.rest()
    #expect(try backups(zomro).first?["fleio_status"]?.text == "Active")
    let counted = try zomro.done("instances.fleio_bckps", ["elid": Self.server, "auth": "later"])
    #expect(counted["manual_created_today"] == ["$": "0"], "the limit is for those made by hand")
    #expect(zomro.twin.ledger.map { $0.effect } == ["schedule.edit", "backup.auto"])
    #expect(zomro.twin.ledger.last?.at == Timestamp("2025-01-17T00:00:00Z"))
  }

  @Test func onlyTheNamedDaysCount() throws {
    // Sunday and Wednesday.
    let zomro = try zomro(Self.nightly.merging(["rotation_days": "3,0", "rotation_time": "14:00"]) { $1 })
    zomro.clock.advance(by: .seconds(14 * 86_400))
    #expect(
      zomro.twin.ledger.dropFirst().map { "\($0.at)" } == [
        "2025-01-19T11:00:00Z", "2025-01-22T11:00:00Z", "2025-01-26T11:00:00Z", "2025-01-29T11:00:00Z",
      ])
  }

  /// The oldest give way, but never one that is protected or made by hand.
  @Test func theOldestIsOverwritten() throws {
    let zomro = try zomro()
    try zomro.create("backup", "by-hand")
    zomro.clock.advance(by: .seconds(86_400))
    let first = try #require(try backups(zomro).last)
    #expect(first["name"]?.text == "nightly")
    let fields = ["elid": first["id"]?.text ?? "", "protected": "on", "sok": "ok", "auth": "b"]
    try zomro.done("image.edit", fields)
    zomro.clock.advance(by: .seconds(9 * 86_400))
    let kept = try backups(zomro)
    #expect(kept.count == 6)
    #expect(kept.first?["name"]?.text == "by-hand")
    #expect(kept.dropFirst().first?["id"]?.text == first["id"]?.text)
    #expect(zomro.twin.ledger.count { $0.effect == "backup.auto" } == 10)
    #expect(zomro.twin.ledger.count { $0.effect == "backup.rotate" } == 5)
  }

  @Test func aBusyServerMissesItsBackup() throws {
    let zomro = try zomro()
    zomro.twin.setStatus(ofServer: Self.server, "rescued")
    zomro.clock.advance(by: .seconds(86_400))
    #expect(try backups(zomro) == [])
    zomro.twin.setStatus(ofServer: Self.server, "stopped")
    zomro.clock.advance(by: .seconds(86_400))
    #expect(try backups(zomro).count == 1)
  }

  @Test func yearsPassInOneStep() throws {
    let zomro = try zomro()
    zomro.clock.advance(by: .seconds(86_400 * 365 * 5000))
    #expect(try backups(zomro).count == 5)
    zomro.clock.stepWallClock(by: .seconds(-86_400 * 365 * 4000))
    #expect(try backups(zomro).count == 5)
  }
}
