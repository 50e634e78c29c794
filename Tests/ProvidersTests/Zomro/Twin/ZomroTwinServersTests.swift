import ZomroCloud
import Runbook
import Simulator
import Testing

@Suite struct ZomroTwinServersTests {
  static let server = ZomroTwinFixture.server

  /// A call that changes the server, and the states it is allowed in.
  struct Change: Sendable, CustomTestStringConvertible {
    var function: String
    var fields: [String: String] = [:]
    var allowed: Set<String>
    var word: String
    /// Status while it is under way; nil: it is over at once.
    var meanwhile: String?
    /// What an active server, or the first of the allowed, is afterwards.
    var after: String
    /// In seconds; of images until the server is there again.
    var seconds: ClosedRange<Int64> = 0...0
    var testDescription: String { word }
  }

  static let atRest = ["active", "stopped"]
  static let changes = [
    Change(
      function: "service.stop", allowed: ["active"], word: "server.stop", meanwhile: "stopping", after: "stopped",
      seconds: 5...70),
    Change(
      function: "service.start", allowed: ["stopped"], word: "server.start", meanwhile: "starting", after: "active",
      seconds: 10...60),
    Change(
      function: "service.reboot", allowed: ["active"], word: "server.reboot", meanwhile: "rebooting", after: "active",
      seconds: 10...60),
    Change(
      function: "instances.fleio_bckps.edit", fields: ["plid": server, "name": "a", "sok": "ok"],
      allowed: ["active", "stopped"], word: "backup.create", meanwhile: "image_uploading", after: "same",
      seconds: 60...910),
    Change(
      function: "instances.snapshots.edit", fields: ["plid": server, "name": "a", "sok": "ok"],
      allowed: ["active", "stopped"], word: "snapshot.create", meanwhile: "image_uploading", after: "same",
      seconds: 60...910),
    Change(
      function: "instances.fleio.rebuild",
      fields: ["zone": "own", "select_rebuild": ZomroTwinFixture.backupUUID, "enablessh": "off", "sok": "ok"],
      allowed: ["active", "stopped"], word: "backup.restore", meanwhile: "rebuilding", after: "same",
      seconds: 60...600),
    Change(
      function: "instances.fleio.rebuild",
      fields: [
        "zone": "image", "select_rebuild": ZomroTwinFixture.ubuntu, "enablessh": "off", "password": "MyPassword1",
        "sok": "ok",
      ], allowed: ["active", "stopped"], word: "server.rebuild", meanwhile: "rebuilding", after: "same",
      seconds: 60...600),
    Change(
      function: "instances.fleio.rescue",
      fields: ["select_boot": ZomroTwinFixture.ubuntu, "zone": "pub", "password": "MyPassword1", "sok": "ok"],
      allowed: ["active", "stopped"], word: "rescue.enter", meanwhile: "rescuing", after: "rescued", seconds: 20...120),
    Change(
      function: "instances.fleio.unrescue", allowed: ["rescued", "booted_from_iso"], word: "rescue.exit",
      meanwhile: "unrescuing", after: "active", seconds: 20...120),
    Change(
      function: "instances.fleio.boot_from_iso",
      fields: ["select_boot_from_iso": "5eed1500-0000-4000-8000-000000000001", "zone": "pub", "sok": "ok"],
      allowed: ["active", "stopped"], word: "iso.mount", meanwhile: "booting_from_iso", after: "booted_from_iso",
      seconds: 20...120),
    Change(
      function: "instances.fleio.changepassword", fields: ["password": "MyPassword1", "sok": "ok"],
      allowed: ["active"], word: "server.password", meanwhile: nil, after: "active"),
    Change(
      function: "instances.edit", fields: ["servername": "db", "sok": "ok"], allowed: ["active", "stopped"],
      word: "server.edit", meanwhile: nil, after: "same"),
    Change(
      function: "instances.confirm.resize", fields: ["select_resize": "confirm", "sok": "ok"], allowed: ["resized"],
      word: "server.confirm_resize", meanwhile: "resizing", after: "active", seconds: 10...60),
  ]
  static let stable = ["active", "stopped", "rescued", "booted_from_iso", "resized", "suspended", "error"]
  static let transitional = [
    "stopping", "starting", "rebooting", "rescuing", "unrescuing", "rebuilding", "building", "creating", "resizing",
    "suspending", "processing", "booting_from_iso", "image_uploading",
  ]

  private func fields(_ change: Change) -> [String: String] {
    change.fields["plid"] == nil ? change.fields.merging(["elid": Self.server]) { $1 } : change.fields
  }

  @Test(arguments: changes, stable)
  func aChangeIsAllowedInSomeStatesAndRefusedInTheOthers(_ change: Change, _ status: String) throws {
    let zomro = try ZomroTwinFixture()
    try zomro.bring(to: status)
    let earlier = zomro.twin.ledger.count
    let result = try zomro.refusal(change.function, fields(change))
    if change.allowed.contains(status) {
      #expect(result == "")
      let word = status == "booted_from_iso" ? "iso.unmount" : change.word
      #expect(zomro.twin.ledger.dropFirst(earlier).map { $0.effect } == [word])
      #expect(zomro.twin.requests.last == word)
      #expect(zomro.twin.status(ofServer: Self.server) == change.meanwhile ?? status)
      zomro.rest()
      #expect(try zomro.status == (change.after == "same" ? status : change.after))
    } else {
      #expect(result == "fleio_error/state")
      #expect(zomro.twin.ledger.count == earlier)
      #expect(zomro.twin.status(ofServer: Self.server) == status)
    }
  }

  @Test(arguments: changes, transitional)
  func nothingBeginsWhileSomethingIsUnderWay(_ change: Change, _ status: String) throws {
    let zomro = try ZomroTwinFixture()
    zomro.twin.setStatus(ofServer: Self.server, status)
    #expect(try zomro.refusal(change.function, fields(change)).hasSuffix("/runningoperation"))
    #expect(zomro.twin.ledger == [])
  }

  @Test(arguments: changes.filter { $0.meanwhile != nil })
  func aChangeTakesItsTimeAndNoLonger(_ change: Change) throws {
    var lengths: Set<Int64> = []
    for seed in 1...20 as ClosedRange<UInt64> {
      let zomro = try ZomroTwinFixture(seed: seed)
      try zomro.bring(to: change.allowed.sorted()[0])
      try zomro.done(change.function, fields(change))
      var length: Int64 = 0
      while zomro.twin.status(ofServer: Self.server) == change.meanwhile, length < 2000 {
        #expect(try zomro.refusal(change.function, fields(change)).hasSuffix("/runningoperation"))
        zomro.clock.advance(by: .seconds(1))
        length += 1
      }
      #expect(change.seconds.contains(length))
      lengths.insert(length)
    }
    #expect(lengths.count > 3, "the seed draws it")
  }

  @Test func theSameSeedTellsTheSameStory() throws {
    func story(_ seed: UInt64) throws -> [String] {
      let zomro = try ZomroTwinFixture(seed: seed)
      try zomro.create("backup")
      zomro.rest()
      try zomro.done("service.stop", ["elid": Self.server])
      var seconds = 0
      while zomro.twin.status(ofServer: Self.server) == "stopping" {
        zomro.clock.advance(by: .seconds(1))
        seconds += 1
      }
      return try zomro.backups.map { JSONWriter.text($0) } + ["\(seconds)"]
    }
    #expect(try story(3) == story(3))
    #expect(try story(3) != story(4))
  }

  /// Leaving rescue makes an active server even of one that was stopped; a restore keeps the power state.
  @Test func aStoppedServerComesOutOfRescueActive() throws {
    let zomro = try ZomroTwinFixture()
    try zomro.bring(to: "stopped")
    try zomro.bring(to: "rescued")
    #expect(try zomro.status == "rescued")
    try zomro.done("instances.fleio.unrescue", ["elid": Self.server])
    zomro.rest()
    #expect(try zomro.status == "active")
  }

  @Test(arguments: ["backup", "snapshot"])
  func aServerInRescueHasToLeaveItBeforeARestore(_ word: String) throws {
    let zomro = try ZomroTwinFixture(withExamples: false)
    try zomro.create(word)
    zomro.rest()
    let image = try #require(try (word == "backup" ? zomro.backups : zomro.snapshots).first)
    let restore = [
      "elid": Self.server, "zone": "own", "select_rebuild": image["fleio_id"]?.text ?? "", "enablessh": "off",
      "sok": "ok",
    ]
    try zomro.bring(to: "rescued")
    #expect(try zomro.refusal("instances.fleio.rebuild", restore) == "fleio_error/state")
    try zomro.done("instances.fleio.unrescue", ["elid": Self.server])
    zomro.rest()
    try zomro.done("instances.fleio.rebuild", restore)
    #expect(try zomro.status == "rebuilding")
    let id = try #require(image["id"]?.text)
    #expect(zomro.twin.ledger.last.map { [$0.effect, $0.subject, $0.detail] } == ["\(word).restore", Self.server, id])
  }

  /// The billing view shows a stopped server as suspended.
  @Test func thePowerStateIsNotInTheBillingView() throws {
    let zomro = try ZomroTwinFixture()
    try zomro.bring(to: "stopped")
    let line = try #require(try zomro.lines("instances").first)
    #expect(line["instance_status"] == ["$": "stopped"])
    #expect(line["item_status"]?["$orig"] == "3_employeesuspend")
    #expect(line["status"] == ["$": "3"])
  }

  @Test func aDeletedServerIsClosedAndThenGone() throws {
    let zomro = try ZomroTwinFixture()
    try zomro.done("instances.delete", ["elid": Self.server])
    let line = try #require(try zomro.lines("instances").first)
    #expect(line["item_status"]?["$orig"] == "5_close")
    #expect(try zomro.refusal("service.stop", ["elid": Self.server]).hasSuffix("/runningoperation"))
    zomro.rest()
    #expect(try zomro.lines("instances") == [])
    #expect(try zomro.refusal("service.stop", ["elid": Self.server]) == "missed/elid")
    #expect(zomro.effects == ["server.delete 5203773"])
    #expect(zomro.twin.status(ofServer: Self.server) == nil)
  }

  @Test func theFormOfAServerShowsItAndAnEditChangesIt() throws {
    let zomro = try ZomroTwinFixture()
    let edit = ["elid": Self.server, "clicked_button": "ok"]
    let form = try zomro.done("instances.edit", edit.merging(["servername": "ignored"]) { $1 })
    for field in ["createdate", "fotbo_id", "ip", "ip_v6", "rdns_record", "backup_rotation"] {
      #expect(form[field]?["$"] != nil, "\(field)")
    }
    #expect(form["servername"]?.text == "web")
    let change = ["sok": "ok", "servername": "db", "rdns_record": "db.example.com", "backup_rotation": "3"]
    try zomro.done("instances.edit", edit.merging(change) { $1 })
    let changed = try zomro.done("instances.edit", edit)
    #expect(changed["servername"]?.text == "db")
    #expect(changed["rdns_record"]?.text == "db.example.com")
    #expect(changed["backup_rotation"]?.text == "3")
    #expect(try zomro.lines("instances").first?["servername"]?.text == "db")
    for wrong in ["0", "11", "x", "99999999999999999999"] {
      let fields = edit.merging(["sok": "ok", "backup_rotation": wrong]) { $1 }
      #expect(try zomro.refusal("instances.edit", fields) == "value/backup_rotation")
    }
  }

  @Test func anyServerCanBeMadeKnown() throws {
    let zomro = try ZomroTwinFixture()
    for id in ["5203981", "my-server", "5203981", ""] { zomro.twin.ensureServer(id) }
    #expect(try zomro.lines("instances").compactMap { $0["id"]?.text } == ["5203773", "5203981", "my-server"])
    #expect(zomro.twin.status(ofServer: "my-server") == "active")
    try zomro.done("service.stop", ["elid": "my-server"])
    try zomro.create("backup")
    #expect(try zomro.backups.last?["id"]?.text == "5203982", "numbers of servers are not given twice")
  }

  /// Without `sok` there are choices and no effect, whatever else is sent.
  @Test func previewsShowChoicesAndDoNothing() throws {
    let zomro = try ZomroTwinFixture()
    let fields = ["elid": Self.server, "zone": "pub", "select_boot": ZomroTwinFixture.ubuntu]
    for (function, name, zones) in [
      ("instances.fleio.rescue", "select_boot", ["pub", "own"]),
      ("instances.fleio.boot_from_iso", "select_boot_from_iso", ["pub", "own"]),
      ("instances.fleio.rebuild", "select_rebuild", ["image", "own"]),
    ] {
      let choices = try #require(try zomro.done(function, fields)["slist"]?.list)
      let keys = choices.first { $0["$name"] == "zone" }?["val"]?.list?.compactMap { $0["$key"]?.string }
      #expect(keys == zones)
      #expect(choices.contains { $0["$name"]?.string == name && $0["val"] != nil })
    }
    try zomro.done("instances.fleio_bckps.edit", ["plid": Self.server, "name": "a"])
    try zomro.done("instances.snapshots.edit", ["plid": Self.server, "name": "a"])
    try zomro.done("instances.fleio.changepassword", ["elid": Self.server, "password": "MyPassword1"])
    try zomro.done("image.edit", ["elid": ZomroTwinFixture.backup, "protected": "on"])
    try zomro.done("image.copy", ["elid": ZomroTwinFixture.backup, "image_name": "b", "region": "Poland-1"])
    #expect(zomro.twin.ledger == [])
    #expect(try zomro.status == "active")
    #expect(!zomro.twin.requests.contains { $0.hasSuffix(".create") || $0 == "rescue.enter" })
  }

  /// Backups and snapshots can be restored, but a rescue boots only images; ISO images are for booting from them.
  @Test func eachPreviewOffersItsOwnImages() throws {
    let zomro = try ZomroTwinFixture()
    func own(_ function: String, _ name: String) throws -> [String] {
      let choices = try zomro.done(function, ["elid": Self.server])["slist"]?.list
      let values = choices?.first { $0["$name"]?.string == name }?["val"]
      return (values?.list ?? values.map { [$0] } ?? []).filter { $0["$depend"] == "own" }
        .compactMap { $0["$name"]?.string ?? $0["$key"]?.string }
    }
    #expect(try own("instances.fleio.rescue", "select_boot") == ["foo"])
    #expect(try own("instances.fleio.rebuild", "select_rebuild") == ["MyBackup", "foo"])
    #expect(try own("instances.fleio.boot_from_iso", "select_boot_from_iso") == ["null"])
    try zomro.create("snapshot", "later")
    #expect(try own("instances.fleio.rebuild", "select_rebuild") == ["MyBackup", "foo"], "it is still being saved")
    zomro.rest()
    #expect(try own("instances.fleio.rebuild", "select_rebuild") == ["MyBackup", "foo", "later"])
    let bare = try ZomroTwinFixture(withExamples: false)
    let text = JSONWriter.text(try bare.done("instances.fleio.rescue", ["elid": Self.server]))
    #expect(text.contains(#""$depend":"own","$key":"null""#))
  }
}
