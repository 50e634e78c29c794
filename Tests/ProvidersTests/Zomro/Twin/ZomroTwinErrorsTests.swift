import ZomroCloud
import Runbook
import Simulator
import Testing

/// What is refused, and the shape it is refused in.
@Suite struct ZomroTwinErrorsTests {
  static let server = ZomroTwinFixture.server

  struct Refusal: Sendable, CustomTestStringConvertible {
    var function: String
    var fields: [String: String] = [:]
    var error: String
    var testDescription: String { "\(function) \(fields.sorted { $0.key < $1.key }) \(error)" }
    init(_ function: String, _ fields: [String: String], _ error: String) {
      self.function = function
      self.fields = fields
      self.error = error
    }
  }

  static let rescue = ["elid": server, "sok": "ok", "select_boot": ZomroTwinFixture.ubuntu, "zone": "pub"]
  static let restore = [
    "elid": server, "sok": "ok", "zone": "own", "select_rebuild": ZomroTwinFixture.backupUUID, "enablessh": "off",
  ]
  static let schedule = [
    "plid": server, "sok": "ok", "name": "nightly", "rotation_days": "0,3", "rotation_time": "03:00",
  ]

  static func with(_ base: [String: String], _ changes: [String: String?]) -> [String: String] {
    var fields = base
    for (name, value) in changes { fields[name] = value }
    return fields
  }

  static let refusals = [
    Refusal("", [:], "missed/func"), Refusal("instances.stop", ["elid": server], "missed/func"),
    Refusal("\"service.stop\"", ["elid": server], "missed/func"),
    Refusal("service.stop", [:], "missed/elid"), Refusal("service.stop", ["elid": "1"], "missed/elid"),
    Refusal("service.start", ["elid": server], "fleio_error/state"),
    // The document's table says `plid`; its sample, and the server, `elid`.
    Refusal("instances.fleio_bckps", ["plid": server], "missed/elid"),
    Refusal("instances.fleio_bckps", ["elid": "1"], "missed/elid"),
    Refusal("instances.snapshots", [:], "missed/elid"),
    Refusal("instances.fleio_bckps.edit", ["elid": server, "name": "a", "sok": "ok"], "missed/plid"),
    Refusal("instances.fleio_bckps.edit", ["plid": server, "sok": "ok"], "missed/name"),
    Refusal("instances.fleio_bckps.edit", ["plid": server, "name": "", "sok": "ok"], "missed/name"),
    Refusal(
      "instances.fleio_bckps.edit", ["plid": server, "sok": "ok", "name": String(repeating: "ä", count: 101)],
      "value/name"),
    Refusal("instances.snapshots.edit", ["plid": "1", "name": "a", "sok": "ok"], "missed/plid"),
    Refusal("image.delete", ["sok": "ok"], "missed/elid"), Refusal("image.delete", ["elid": "1"], "missed/elid"),
    Refusal("image.delete", ["elid": ZomroTwinFixture.backup, "plid": "77"], "missed/elid"),
    Refusal("image.delete", ["elid": ZomroTwinFixture.backup], "missed/plid"),
    // Half of the document says `select_boot_from_iso`; that is another function's field.
    Refusal(
      "instances.fleio.rescue", with(rescue, ["select_boot": nil, "select_boot_from_iso": ZomroTwinFixture.ubuntu]),
      "missed/select_boot"),
    Refusal("instances.fleio.rescue", with(rescue, ["zone": nil]), "missed/zone"),
    Refusal("instances.fleio.rescue", with(rescue, ["zone": "image"]), "value/zone"),
    Refusal("instances.fleio.rescue", with(rescue, ["zone": "own"]), "value/select_boot"),
    Refusal("instances.fleio.rescue", with(rescue, ["select_boot": "null", "zone": "own"]), "value/select_boot"),
    Refusal("instances.fleio.rescue", with(rescue, ["password": "short1A"]), "value/password"),
    Refusal("instances.fleio.rescue", with(rescue, ["password": "nouppercase1"]), "value/password"),
    Refusal("instances.fleio.rescue", with(rescue, ["password": "NOLOWERCASE1"]), "value/password"),
    Refusal("instances.fleio.rescue", with(rescue, ["password": "NoDigitsHere"]), "value/password"),
    Refusal("instances.fleio.rescue", with(rescue, ["password": "With space1"]), "value/password"),
    Refusal("instances.fleio.rescue", with(rescue, ["password": "Forbidden#1"]), "value/password"),
    Refusal(
      "instances.fleio.rescue", with(rescue, ["password": "Aa1" + String(repeating: "x", count: 46)]),
      "value/password"),
    Refusal(
      "instances.fleio.boot_from_iso", ["elid": server, "sok": "ok", "select_boot": ZomroTwinFixture.ubuntu],
      "missed/select_boot_from_iso"),
    Refusal(
      "instances.fleio.boot_from_iso",
      ["elid": server, "sok": "ok", "select_boot_from_iso": ZomroTwinFixture.ubuntu, "zone": "pub"],
      "value/select_boot_from_iso"),
    Refusal("instances.fleio.rebuild", with(restore, ["zone": nil]), "missed/zone"),
    // Public images have the zone `image` here, `pub` elsewhere.
    Refusal("instances.fleio.rebuild", with(restore, ["zone": "pub"]), "value/zone"),
    Refusal("instances.fleio.rebuild", with(restore, ["select_rebuild": nil]), "missed/select_rebuild"),
    Refusal(
      "instances.fleio.rebuild", with(restore, ["select_rebuild": ZomroTwinFixture.backup]), "value/select_rebuild"),
    Refusal("instances.fleio.rebuild", with(restore, ["enablessh": "yes"]), "value/enablessh"),
    Refusal("instances.fleio.rebuild", with(restore, ["enablessh": "on"]), "missed/ssh_keys"),
    Refusal("instances.fleio.rebuild", with(restore, ["enablessh": "on", "ssh_keys": "77"]), "value/ssh_keys"),
    Refusal("instances.fleio.rebuild", with(restore, ["password": "short"]), "value/password"),
    Refusal(
      "instances.fleio.rebuild", with(restore, ["zone": "image", "select_rebuild": ZomroTwinFixture.ubuntu]),
      "missed/password"),
    Refusal("instances.fleio.changepassword", ["elid": server, "sok": "ok"], "missed/password"),
    Refusal("instances.confirm.resize", ["elid": server, "sok": "ok"], "missed/select_resize"),
    Refusal("instances.confirm.resize", ["elid": server, "select_resize": "x"], "value/select_resize"),
    Refusal("image.edit", ["elid": "1"], "missed/elid"),
    Refusal("image.edit", ["elid": ZomroTwinFixture.backup, "sok": "ok", "protected": "yes"], "value/protected"),
    Refusal("image.copy", ["elid": ZomroTwinFixture.backup, "sok": "ok", "region": "Poland-1"], "missed/image_name"),
    Refusal("image.copy", ["elid": ZomroTwinFixture.backup, "sok": "ok", "image_name": "b"], "missed/region"),
    Refusal(
      "image.copy", ["elid": ZomroTwinFixture.backup, "sok": "ok", "image_name": "b", "region": "Mars"],
      "value/region"),
    Refusal("instances.fleio_bckps.schedule.edit", with(schedule, ["plid": nil]), "missed/plid"),
    Refusal("instances.fleio_bckps.schedule.edit", with(schedule, ["name": nil]), "missed/name"),
    Refusal("instances.fleio_bckps.schedule.edit", with(schedule, ["rotation_days": nil]), "missed/rotation_days"),
    Refusal("instances.fleio_bckps.schedule.edit", with(schedule, ["rotation_days": "7"]), "value/rotation_days"),
    Refusal("instances.fleio_bckps.schedule.edit", with(schedule, ["rotation_days": "1,,2"]), "value/rotation_days"),
    Refusal("instances.fleio_bckps.schedule.edit", with(schedule, ["rotation_time": "24:00"]), "value/rotation_time"),
    Refusal("instances.fleio_bckps.schedule.edit", with(schedule, ["rotation_time": "3:00"]), "value/rotation_time"),
    Refusal("instances.fleio_bckps.schedule.edit", with(schedule, ["elid": "1"]), "missed/elid"),
    Refusal("instances.fleio_bckps.schedule.delete", ["elid": "1"], "missed/elid"),
  ]

  @Test(arguments: refusals)
  func aCallThatCannotBeIsRefused(_ refusal: Refusal) throws {
    let zomro = try ZomroTwinFixture()
    #expect(try zomro.refusal(refusal.function, refusal.fields) == refusal.error)
    #expect(zomro.twin.ledger == [])
  }

  /// What costs money is not simulated, and says so.
  @Test(arguments: [
    "service.changepricelist", "service.changepricelist.getmoney", "v2.instances.order.pricelist",
    "v2.instances.order.param", "v2.image.order.pricelist", "v2.image.order.param", "basket", "sshkeys.edit",
    "sshkeys.delete",
  ])
  func nothingSpendsMoney(_ function: String) throws {
    let zomro = try ZomroTwinFixture()
    let fields = ["elid": Self.server, "pricelist": "1", "sok": "ok"]
    #expect(try zomro.refusal(function, fields) == "notsimulated/\(function)")
    #expect(zomro.twin.ledger == [])
  }

  @Test func anErrorHasTheRecordedShape() throws {
    let zomro = try ZomroTwinFixture()
    let error = try #require(try zomro.call("service.stop", ["elid": "77"])["error"]?.map)
    #expect(error["$type"] == "missed")
    #expect(error["$lang"] == "en")
    #expect(error["msg"]?["$"]?.string?.isEmpty == false)
    #expect(error["detail"]?["$"]?.string?.isEmpty == false)
    let parameters = try #require(error["param"]?.list)
    #expect(parameters == [["$name": "object", "$type": "msg", "$": "elid"], ["$name": "value", "$": "77"]])
  }

  /// Fleio's own words come as JSON text: in `$object`, or in `msg`.
  @Test func theWordsOfFleioArePassedThrough() throws {
    let zomro = try ZomroTwinFixture()
    try zomro.done(
      "image.copy", ["elid": ZomroTwinFixture.backup, "sok": "ok", "image_name": "far", "region": "Poland-1"])
    zomro.rest()
    let far = try #require(try zomro.lines("image").first { $0["name"]?.text == "far" })
    let fields = Self.with(Self.restore, ["select_rebuild": far["fleio_id"]?.text])
    let error = try #require(try zomro.call("instances.fleio.rebuild", fields)["error"])
    let object = try JSONReader.read(try #require(error["$object"]?.string))
    #expect(object["image"]?.list?.count == 1)
    for number in 1...5 {
      try zomro.create("snapshot", "s\(number)")
      zomro.rest()
    }
    let limit = try zomro.call("instances.snapshots.edit", ["plid": Self.server, "name": "s6", "sok": "ok"])["error"]
    let message = try JSONReader.read(try #require(limit?["msg"]?["$"]?.string))
    #expect(message["non_field_errors"]?.list?.count == 1)
  }

  @Test func whoDoesNotAskForEnglishIsToldInRussian() throws {
    for language in ["ru", "xx"] {
      let zomro = try ZomroTwinFixture()
      let error = try zomro.call("service.stop", ["elid": "77", "lang": language])["error"]
      #expect(error?["$lang"] == "ru")
      #expect(error?["$type"] == "missed")
      #expect(error?["msg"]?["$"]?.string?.contains("отсутствует") == true)
    }
  }
}
