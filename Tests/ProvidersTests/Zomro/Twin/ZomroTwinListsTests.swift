import ZomroCloud
import Runbook
import Simulator
import Testing

@Suite struct ZomroTwinListsTests {
  private func many(_ count: Int) throws -> ZomroTwinFixture {
    let zomro = try ZomroTwinFixture()
    for number in 1..<count { zomro.twin.ensureServer("\(number)") }
    return zomro
  }

  private func ids(_ doc: Value) -> [String] {
    let elements = doc["elem"]
    return (elements?.list ?? elements.map { [$0] } ?? []).compactMap { $0["id"]?.text }
  }

  /// Fifty lines unless asked otherwise, whatever the total is.
  @Test func listsComeInPages() throws {
    let zomro = try many(120)
    let first = try zomro.done("instances")
    #expect(ids(first).count == 50)
    #expect(first["p_elems"] == ["$": "120"])
    #expect(first["p_cnt"] == ["$": "50"])
    var all: [String] = []
    for page in 1...3 { all += ids(try zomro.done("instances", ["p_num": "\(page)"])) }
    #expect(all.count == 120 && Set(all).count == 120)
    #expect(ids(try zomro.done("instances", ["p_cnt": "500"])).count == 120)
    #expect(ids(try zomro.done("instances", ["p_cnt": "7", "p_num": "18"])).count == 1)
    for beyond in ["4", "9223372036854775807", "99999999999999999999"] {
      let doc = try zomro.done("instances", ["p_num": beyond, "p_cnt": "500"])
      #expect(ids(doc).count == (beyond.utf8.count > 19 ? 120 : 0), "what is no number counts as none")
      #expect(doc["p_elems"] == ["$": "120"])
    }
    for odd in ["0", "-1", "x", ""] { #expect(ids(try zomro.done("instances", ["p_cnt": odd])).count == 50) }
  }

  @Test func aColumnSortsByTextOrNumber() throws {
    let zomro = try many(12)
    #expect(ids(try zomro.done("instances", ["p_col": "+id"])).first == "1")
    #expect(ids(try zomro.done("instances", ["p_col": "+id"]))[9...10] == ["10", "11"])
    #expect(ids(try zomro.done("instances", ["p_col": "-id"])).first == ZomroTwinFixture.server)
    #expect(ids(try zomro.done("instances", ["p_col": "+servername"])).last == ZomroTwinFixture.server)
    #expect(ids(try zomro.done("instances", ["p_col": "nonsense"])).count == 12)
  }

  @Test(arguments: [true, false])
  func aListOfOneIsTheObjectItselfUnlessSwitchedOff(_ isObject: Bool) throws {
    let zomro = try ZomroTwinFixture(singlesAsObjects: isObject)
    let one = try zomro.done("instances")["elem"]
    #expect((one?.map != nil) == isObject)
    #expect((one?.list != nil) == !isObject)
    let page = try zomro.done("image.copy", ["elid": ZomroTwinFixture.backup])["slist"]
    #expect((page?.map != nil) == isObject)
    zomro.twin.ensureServer("77")
    #expect(try zomro.done("instances")["elem"]?.list?.count == 2)
  }

  @Test func anEmptyListHasNoLines() throws {
    let zomro = try ZomroTwinFixture()
    for function in ["instances.snapshots", "instances.fleio_bckps.schedule"] {
      let doc = try zomro.done(function, ["elid": ZomroTwinFixture.server])
      #expect(doc.map?.keys.contains("elem") == false)
      #expect(doc["p_elems"] == ["$": "0"])
    }
  }

  /// A filter stays: it shapes what others see as well, until somebody takes it away.
  @Test(arguments: [
    ("instances", "instance_status", "stopped"), ("instances.fleio_bckps", "name", "other"),
    ("instances.snapshots", "name", "other"), ("image", "name", "other"),
  ])
  func aStoredFilterShapesLaterLists(_ list: String, _ field: String, _ value: String) throws {
    let zomro = try ZomroTwinFixture()
    try zomro.create("snapshot")
    let fields = ["elid": ZomroTwinFixture.server]
    #expect(try zomro.lines(list, fields).count == 1)
    #expect(try zomro.done("\(list).filter", [field: value])["ok"] == nil)
    #expect(try zomro.lines(list, fields).count == 1, "it was only looked at")
    #expect(try zomro.done("\(list).filter", [field: value, "sok": "ok"])["ok"] == [:])
    #expect(try zomro.lines(list, fields) == [])
    #expect(try zomro.lines(list, fields.merging(["auth": "d3ec30e337e01078a1d185cc"]) { $1 }) == [])
    #expect(try zomro.done("\(list).filter")[field] == ["$": .string(value)])
    try zomro.done("\(list).filter", ["sok": "ok"])
    #expect(try zomro.lines(list, fields).count == 1)
    #expect(try zomro.done("\(list).filter")[field] == ["$": ""])
    #expect(!zomro.twin.ledger.contains { $0.effect == "list.filter" })
  }

  @Test func aServerIsFoundByItsNumber() throws {
    let zomro = try many(60)
    try zomro.done("instances.filter", ["id": "5", "sok": "ok"])
    #expect(ids(try zomro.done("instances")) == ["5"], "the number itself, not what contains it")
    try zomro.done("instances.filter", ["servername": "SERVER-5", "sok": "ok"])
    #expect(ids(try zomro.done("instances")) == ["5"] + (50...59).map { "\($0)" })
  }

  /// A code keeps its word in `$orig` when its text is translated.
  @Test func translatedWordsKeepTheirCode() throws {
    let zomro = try ZomroTwinFixture(language: "ru")
    let fields = ["func": "instances.fleio_bckps", "out": "json", "auth": ZomroTwinFixture.session]
    let doc = try zomro.doc(zomro.send(fields.merging(["elid": ZomroTwinFixture.server]) { $1 }))
    #expect(doc["elem"]?["protected"] == ["$orig": "off", "$": "Нет"])
    #expect(doc["elem"]?["fleio_status"] == ["$": "Active"])
    let servers = try zomro.doc(zomro.send(fields.merging(["func": "instances"]) { $1 }))
    #expect(servers["elem"]?["instance_status"] == ["$": "активен"])
    #expect(servers["elem"]?["item_status"] == ["$orig": "2", "$": "Активна"])
    #expect(try zomro.backups.first?["protected"] == ["$": "off"], "with `lang=en`")
  }

  /// Images with an odd number tell their date twice.
  @Test func aDateMayComeAsAList() throws {
    let zomro = try ZomroTwinFixture(withExamples: false)
    for number in 1...2 {
      try zomro.create("backup", "b\(number)")
      zomro.rest()
    }
    let dates = try zomro.backups.map { $0["createdate"] }
    #expect(dates == [.list([["$": "2025-01-16"], ["$": "2025-01-16"]]), ["$": "2025-01-16"]])
  }

  @Test func theAccountsKeysAreListed() throws {
    let zomro = try ZomroTwinFixture()
    let key = try #require(try zomro.lines("sshkeys").first?["fleio_key_uuid"]?.text)
    let form = try zomro.done("instances.fleio.rebuild", ["elid": ZomroTwinFixture.server])
    #expect(JSONWriter.text(form).contains(key))
    try zomro.done(
      "instances.fleio.rebuild",
      [
        "elid": ZomroTwinFixture.server, "zone": "own", "select_rebuild": ZomroTwinFixture.backupUUID,
        "enablessh": "on", "ssh_keys": key, "sok": "ok",
      ])
  }
}
