import ZomroCloud
import Runbook
import Simulator
import Testing

@Suite struct ZomroTwinImagesTests {
  static let server = ZomroTwinFixture.server
  static let words = ["backup", "snapshot"]

  private func lines(_ zomro: ZomroTwinFixture, _ word: String) throws -> [Value] {
    try word == "backup" ? zomro.backups : zomro.snapshots
  }

  private func function(_ word: String) -> String {
    word == "backup" ? "instances.fleio_bckps" : "instances.snapshots"
  }

  @Test(arguments: words)
  func itIsSavingWithoutASizeUntilItIsActive(_ word: String) throws {
    let zomro = try ZomroTwinFixture(withExamples: false)
    try zomro.create(word)
    var line = try #require(try lines(zomro, word).first)
    var seconds = 0
    while line["fleio_status"]?.text == "Saving", seconds < 2000 {
      #expect(line["image_size"] == ["$": ""])
      zomro.clock.advance(by: .seconds(1))
      seconds += 1
      line = try #require(try lines(zomro, word).first)
    }
    #expect((60...900).contains(seconds))
    #expect(line["fleio_status"] == ["$": "Active"])
    #expect(line["image_size"]?.text?.isEmpty == false)
    #expect(line["item_real_status"] == ["$": "2"])
    #expect((line["backup_type"]?.text == "manual") == (word == "backup"))
    zomro.clock.advance(by: .seconds(10))
    #expect(try zomro.status == "active", "it is available again")
  }

  @Test func backupsAndSnapshotsAreListedApart() throws {
    let zomro = try ZomroTwinFixture(withExamples: false)
    try zomro.create("backup", "b")
    zomro.rest()
    try zomro.create("snapshot", "s")
    zomro.twin.ensureServer("77")
    #expect(try zomro.backups.compactMap { $0["name"]?.text } == ["b"])
    #expect(try zomro.snapshots.compactMap { $0["name"]?.text } == ["s"])
    #expect(try zomro.lines("instances.fleio_bckps", ["elid": "77"]) == [])
    #expect(try zomro.lines("image") == [])
    #expect(zomro.twin.ledger.map { "\($0.effect) \($0.detail)" } == ["backup.create b", "snapshot.create s"])
  }

  /// The same call again makes another one: nothing but its name tells them apart.
  @Test(arguments: words)
  func aRepeatedCreationMakesASecondImage(_ word: String) throws {
    let zomro = try ZomroTwinFixture(withExamples: false)
    for _ in 0..<2 {
      try zomro.create(word, "same")
      zomro.rest()
    }
    let lines = try lines(zomro, word)
    #expect(lines.count == 2)
    #expect(Set(lines.compactMap { $0["id"]?.text }).count == 2)
    #expect(Set(lines.compactMap { $0["fleio_id"]?.text }).count == 2)
    #expect(lines.allSatisfy { $0["name"]?.text == "same" })
  }

  @Test(arguments: words)
  func fiveADayAreAllowedDeletedOnesIncluded(_ word: String) throws {
    let zomro = try ZomroTwinFixture(withExamples: false)
    let function = function(word)
    for number in 1...5 {
      try zomro.create(word, "n\(number)")
      zomro.rest()
      let doc = try zomro.done(function, ["elid": Self.server])
      #expect(doc["manual_created_today"] == ["$": .string("\(number)")])
      #expect(doc["manual_created_total"] == ["$": .string("\(number)")])
      #expect(doc["cost"]?["stat_cost"]?["$"] != nil)
    }
    let last = try #require(try lines(zomro, word).last?["id"]?.text)
    try zomro.done("image.delete", ["elid": last, "plid": ZomroTwinFixture.server])
    zomro.rest()
    let doc = try zomro.done(function, ["elid": Self.server])
    #expect(doc["manual_created_today"] == ["$": "5"])
    #expect(doc["manual_created_total"] == ["$": "4"])
    let sixth = ["plid": Self.server, "name": "n6", "sok": "ok"]
    #expect(try zomro.refusal("\(function).edit", sixth) == "fleio_error/limit")
    // Another server, the other kind and the next day have their own count.
    zomro.twin.ensureServer("77")
    try zomro.done("\(function).edit", sixth.merging(["plid": "77"]) { $1 })
    try zomro.create(word == "backup" ? "snapshot" : "backup")
    zomro.clock.advance(by: .seconds(86_400))
    #expect(
      try zomro.call(function, ["elid": Self.server, "auth": "d3ec30e337e01078a1d185cc"])["manual_created_today"]
        == ["$": "0"])
    let doneAgain = try zomro.call("\(function).edit", sixth.merging(["auth": "d3ec30e337e01078a1d185cc"]) { $1 })
    #expect(doneAgain["error"] == nil)
  }

  @Test func aServerHasAHundredBackupsAtMost() throws {
    let zomro = try ZomroTwinFixture(credentials: .any, withExamples: false)
    for day in 0..<20 {
      for number in 0..<5 {
        let fields = ["plid": Self.server, "name": "n\(day)-\(number)", "sok": "ok", "auth": "day\(day)"]
        #expect(try zomro.call("instances.fleio_bckps.edit", fields)["error"] == nil)
        zomro.rest()
      }
      zomro.clock.advance(by: .seconds(86_400))
    }
    let fields = ["plid": Self.server, "name": "last", "sok": "ok", "auth": "later"]
    #expect(try zomro.refusal("instances.fleio_bckps.edit", fields) == "fleio_error/limit")
    #expect(try zomro.call("instances.snapshots.edit", fields)["error"] == nil)
  }

  @Test func namesAreAtMostAHundredCharactersLong() throws {
    let zomro = try ZomroTwinFixture(withExamples: false)
    let name = String(repeating: "ё", count: 100)
    try zomro.create("backup", name)
    #expect(try zomro.backups.first?["name"]?.text == name)
  }

  @Test(arguments: words)
  func aProtectedImageStaysUntilItIsFree(_ word: String) throws {
    let zomro = try ZomroTwinFixture(faults: ["protected_image:\(word).create"], withExamples: false)
    try zomro.create(word)
    zomro.rest()
    let line = try #require(try lines(zomro, word).first)
    #expect(line["protected"] == ["$": "on"])
    let id = try #require(line["id"]?.text)
    #expect(
      try zomro.refusal("image.delete", ["elid": id, "plid": ZomroTwinFixture.server]) == "fleio_error/protected")
    try zomro.done("image.edit", ["elid": id, "protected": "off", "sok": "ok", "clicked_button": "ok"])
    try zomro.done("image.delete", ["elid": id, "plid": ZomroTwinFixture.server])
    zomro.rest()
    #expect(try lines(zomro, word) == [])
    #expect(zomro.effects == ["\(word).create \(id)", "image.edit \(id)", "\(word).delete \(id)"])
  }

  @Test func theFormOfAnImageShowsIt() throws {
    let zomro = try ZomroTwinFixture()
    let id = ZomroTwinFixture.backup
    let form = try zomro.done("image.edit", ["elid": id])
    #expect(form["fleio_id"]?.text == ZomroTwinFixture.backupUUID)
    #expect(form["image_name"]?.text == "MyBackup")
    #expect(form["protected"]?.text == "off")
    #expect(form["min_disk"]?.text == "20")
    try zomro.done("image.edit", ["elid": id, "image_name": "renamed", "protected": "on", "sok": "ok"])
    #expect(try zomro.backups.first?["name"]?.text == "renamed")
    #expect(try zomro.backups.first?["protected"]?.text == "on")
    try zomro.create("snapshot")
    let saving = try #require(try zomro.snapshots.first?["id"]?.text)
    let edit = ["elid": saving, "image_name": "b", "sok": "ok"]
    #expect(try zomro.refusal("image.edit", edit) == "fleio_error/runningoperation")
  }

  /// One numbering for all: the same call deletes a backup, a snapshot and an image.
  @Test func allAreDeletedByTheSameCall() throws {
    let zomro = try ZomroTwinFixture()
    try zomro.create("snapshot")
    let snapshot = try #require(try zomro.snapshots.first?["id"]?.text)
    #expect(
      try zomro.refusal("image.delete", ["elid": snapshot, "plid": ZomroTwinFixture.server])
        == "fleio_error/runningoperation")
    zomro.rest()
    for id in [snapshot, ZomroTwinFixture.backup, "5203102"] {
      try zomro.done("image.delete", ["elid": id, "plid": ZomroTwinFixture.server])
    }
    #expect(
      try zomro.refusal("image.delete", ["elid": snapshot, "plid": ZomroTwinFixture.server]) == "missed/elid",
      "while it goes")
    zomro.clock.advance(by: .seconds(10))
    #expect(try zomro.snapshots + zomro.backups + zomro.lines("image") == [])
    #expect(
      try zomro.refusal("image.delete", ["elid": snapshot, "plid": ZomroTwinFixture.server]) == "missed/elid",
      "when it is gone")
    #expect(
      zomro.effects.dropFirst() == [
        "snapshot.delete \(snapshot)", "backup.delete 5203980", "image.delete 5203102",
      ])
  }

  @Test func aLineMayStayForSecondsAfterItsDeletion() throws {
    var sawOne = false
    for seed in 1...10 as ClosedRange<UInt64> {
      let zomro = try ZomroTwinFixture(seed: seed)
      try zomro.done("image.delete", ["elid": ZomroTwinFixture.backup, "plid": ZomroTwinFixture.server])
      sawOne = try zomro.backups.first?["fleio_status"]?.text == "Pending_delete" || sawOne
      zomro.clock.advance(by: .seconds(10))
      #expect(try zomro.backups == [])
    }
    #expect(sawOne)
  }

  @Test func aCopyIsAnImageOfTheAccount() throws {
    let zomro = try ZomroTwinFixture()
    let form = try zomro.done("image.copy", ["elid": ZomroTwinFixture.backup])
    let regions = try #require(form["slist"]?["val"]?.list?.compactMap { $0["$key"]?.string })
    #expect(regions.contains("Netherlands-2") && regions.count > 1)
    let copy = ["elid": ZomroTwinFixture.backup, "image_name": "copy", "region": "Netherlands-2", "sok": "ok"]
    try zomro.done("image.copy", copy)
    let saving = try #require(try zomro.lines("image").last)
    #expect(saving["fleio_status"]?.text == "Saving")
    #expect(saving["image_size"]?.text == "")
    #expect(saving["fleio_id"]?.text != ZomroTwinFixture.backupUUID)
    let id = try #require(saving["id"]?.text)
    #expect(
      try zomro.refusal("image.copy", copy.merging(["elid": id]) { $1 }) == "fleio_error/runningoperation")
    zomro.rest()
    let done = try #require(try zomro.lines("image").last)
    #expect(done["fleio_status"]?.text == "Active")
    #expect(done["image_size"]?.text == "3")
    #expect(done["backup_type"] == nil)
    // It can be written over a server, and booted for a rescue.
    try zomro.done(
      "instances.fleio.rebuild",
      ["elid": Self.server, "zone": "own", "select_rebuild": done["fleio_id"]?.text ?? "", "sok": "ok"])
    zomro.rest()
    try zomro.done(
      "instances.fleio.rescue",
      ["elid": Self.server, "zone": "own", "select_boot": done["fleio_id"]?.text ?? "", "sok": "ok"])
    #expect(zomro.effects == ["image.copy \(id)", "image.restore 5203773", "rescue.enter 5203773"])
  }

  @Test func anImageHasToFitTheDiskOfTheServer() throws {
    let zomro = try ZomroTwinFixture()
    zomro.twin.ensureServer("77")
    let restore = ["zone": "own", "enablessh": "off", "sok": "ok"]
    let small = restore.merging(["elid": "77", "select_rebuild": ZomroTwinFixture.backupUUID]) { $1 }
    try zomro.done("instances.fleio.rebuild", small)
    zomro.rest()
    try zomro.done("instances.snapshots.edit", ["plid": "77", "name": "large", "sok": "ok"])
    zomro.rest()
    let line = try #require(try zomro.lines("instances.snapshots", ["elid": "77"]).first)
    #expect(line["min_disk"]?.text == "40")
    let large = restore.merging(["elid": Self.server, "select_rebuild": line["fleio_id"]?.text ?? ""]) { $1 }
    #expect(try zomro.refusal("instances.fleio.rebuild", large).contains("needs 40 GB"))
    #expect(zomro.twin.status(ofServer: Self.server) == "active")
  }

  @Test func onlyAFinishedImageIsRestored() throws {
    let zomro = try ZomroTwinFixture(faults: ["fails:snapshot.create", "stuck:snapshot.create"], withExamples: false)
    func restore(_ line: Value?) throws -> String {
      try zomro.refusal(
        "instances.fleio.rebuild",
        ["elid": Self.server, "zone": "own", "select_rebuild": line?["fleio_id"]?.text ?? "", "sok": "ok"])
    }
    // Both faults strike the first creation: it never ends.
    try zomro.create("snapshot", "stuck")
    zomro.rest()
    #expect(try zomro.snapshots.first?["fleio_status"]?.text == "Saving")
    #expect(try zomro.status == "active", "the server is there again")
    #expect(try restore(zomro.snapshots.first) == "fleio_error/runningoperation")
    try zomro.twin.inject("fails:snapshot.create")
    try zomro.create("snapshot", "failed")
    zomro.rest()
    let failed = try #require(try zomro.snapshots.last)
    #expect(failed["fleio_status"]?.text == "Killed")
    #expect(failed["image_size"]?.text == "")
    #expect(try restore(failed) == "fleio_error/state")
    // What never ends can be deleted all the same.
    for line in try zomro.snapshots {
      try zomro.done("image.delete", ["elid": line["id"]?.text ?? "", "plid": ZomroTwinFixture.server])
    }
  }
}
