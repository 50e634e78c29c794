import ZomroCloud
import Runbook
import Simulator
import Testing

/// The examples of the published documents, replayed against the twin: the same call gives the reply they show.
@Suite struct ZomroTwinDocumentsTests {
  typealias Encoding = ZomroTwinFixture.Encoding

  /// As the document prints it, without its dots and trailing commas.
  static let backupList = """
    {"elem":[{"architecture":{"$":"x86_64"},"backup_type":{"$":"manual"},"createdate":{"$":"2024-07-23"},
    "disk_format":{"$":"qcow2"},"fleio_id":{"$":"b26c0f34-48b2-4cb2-b4eb-388eac959df6"},"fleio_status":{"$":"Active"},
    "hypervisor_type":{"$":"any_hypervisor"},"id":{"$":"5203980"},"image_size":{"$":"3"},"item_real_status":{"$":"2"},
    "min_disk":{"$":"20"},"min_ram":{"$":"0"},"name":{"$":"MyBackup"},"os_distro":{"$":"Ubuntu"},
    "os_version":{"$":"22.04 x64"},"protected":{"$":"off"},"region":{"$":"Netherlands-2"},
    "visibility":{"$":"private"}}]}
    """

  static let rescueChoices = """
    [{"$name":"zone","val":[{"$key":"pub","$":"pub"},{"$key":"own","$":"own"}]},{"$name":"select_boot","val":[
    {"$depend":"pub","$key":"f8f2573f-56c4-44c5-8469-84eee4aa64e7","$":"Ubuntu 22.04"},
    {"$depend":"pub","$key":"0bf4deb2-855c-4863-8518-6006d804adbb","$":"Debian 10"},
    {"$depend":"pub","$key":"18d0ee2e-4d57-4f40-9b56-03c1773b5831","$":"AlmaLinux 8"},
    {"$depend":"pub","$key":"1d9dda4c-34b0-4304-a90a-8f3018722fa2","$":"Rocky-Linux-8"},
    {"$depend":"pub","$key":"2af0af94-0e6e-4ef3-8837-d41fdbfa3564","$":"Windows Server 2016"},
    {"$depend":"pub","$key":"3010ae60-0185-4021-98da-f50013147ebd","$":"Debian 11"},
    {"$depend":"pub","$key":"479c96f1-ccc6-47a2-952c-c9e3bbdc8d07","$":"Ubuntu 20.04"},
    {"$depend":"pub","$key":"5da4ad83-45f6-4c0e-9a7e-7a7c18b2be6c","$":"AlmaLinux 9"},
    {"$depend":"pub","$key":"7d7911e3-7178-4f36-a308-d841db5fe654","$":"CentOS Stream 9"},
    {"$depend":"pub","$key":"92fabac2-69cc-46ad-8439-c377e0c90632","$":"Ubuntu 23.04"},
    {"$depend":"pub","$key":"93878ba5-6b9e-4924-a4be-34edb623f808","$":"Debian 12"},
    {"$depend":"pub","$key":"a8b7bcb3-6698-4264-b413-f2b866a46a70","$":"Rocky-Linux-9"},
    {"$depend":"pub","$key":"b10434c0-d839-428f-a919-cac733fd6552","$":"Windows Server 2019"},
    {"$depend":"pub","$key":"bda2467e-e192-4e4e-becc-cda2e71b9767","$":"Windows Server 2022"},
    {"$depend":"own","$name":"foo","$key":"a9e7c223-5f11-4546-a298-6af546bebde6","$":"Centos 9 x64"}]}]
    """

  /// `instances.fleio_bckps`; the document leaves the other fields of `doc` out.
  @Test(arguments: Encoding.allCases)
  func theListOfBackupsIsTheDocuments(_ encoding: Encoding) throws {
    let zomro = try ZomroTwinFixture(singlesAsObjects: false)
    let doc = try zomro.doc(
      zomro.send(
        [
          "func": "instances.fleio_bckps", "auth": "8409b4eea786e3cad35eacf7", "out": "json",
          "elid": ZomroTwinFixture.server,
        ], encoding))
    #expect(doc["elem"] == (try JSONReader.read(Self.backupList))["elem"])
  }

  @Test(arguments: Encoding.allCases)
  func aBackupIsMadeAsInTheDocument(_ encoding: Encoding) throws {
    let zomro = try ZomroTwinFixture(withExamples: false)
    let doc = try zomro.doc(
      zomro.send(
        [
          "func": "instances.fleio_bckps.edit", "auth": "d3ec30e337e01078a1d185cc", "out": "json", "sok": "ok",
          "plid": ZomroTwinFixture.server, "name": "MyBackup",
        ], encoding))
    #expect(doc["error"] == nil)
    #expect(
      doc
        == (try JSONReader.read(
          """
          {"ok":{},"tparams":{"func":{"$":"instances.fleio_bckps.edit"},"plid":{"$":"5203773"},"out":{"$":"json"}}}
          """)))
    let saving = try #require(try zomro.backups.first)
    #expect(saving["fleio_status"]?.text == "Saving")
    #expect(saving["image_size"] == ["$": ""])
    #expect(try zomro.status == "image_uploading")
    zomro.rest()
    let ready = try #require(try zomro.backups.first)
    #expect(ready["fleio_status"]?.text == "Active")
    #expect(Int(ready["image_size"]?.text ?? "") ?? 0 > 0)
    #expect(try zomro.status == "active")
    let documented = try #require(try JSONReader.read(Self.backupList)["elem"]?.list?.first?.map)
    #expect(Set(try #require(ready.map).keys) == Set(documented.keys))
    #expect(zomro.twin.ledger.map { "\($0.effect) \($0.detail)" } == ["backup.create MyBackup"])
  }

  @Test(arguments: Encoding.allCases)
  func aBackupIsDeletedAsInTheDocument(_ encoding: Encoding) throws {
    let zomro = try ZomroTwinFixture()
    let doc = try zomro.doc(
      zomro.send(
        [
          "func": "image.delete", "auth": "72307c8cfc94e631d835438f", "out": "json", "sok": "ok",
          "plid": ZomroTwinFixture.server, "elname": "5203980", "elid": "5203980",
        ], encoding))
    #expect(doc["ok"] == [:])
    zomro.rest()
    #expect(try zomro.backups == [])
    #expect(try zomro.done("instances.fleio_bckps", ["elid": ZomroTwinFixture.server])["elem"] == nil)
    #expect(zomro.effects == ["backup.delete 5203980"])
  }

  @Test(arguments: Encoding.allCases)
  func theChoicesOfARescueAreTheDocuments(_ encoding: Encoding) throws {
    let zomro = try ZomroTwinFixture()
    let doc = try zomro.doc(
      zomro.send(
        [
          "func": "instances.fleio.rescue", "auth": "43137b5f35a6ba4ee01f4a4e", "out": "json",
          "elid": ZomroTwinFixture.server,
        ], encoding))
    #expect(doc["slist"] == (try JSONReader.read(Self.rescueChoices)))
    #expect(zomro.twin.ledger == [])
    #expect(zomro.twin.requests == ["rescue.preview"])
  }

  @Test(arguments: Encoding.allCases)
  func aServerGoesIntoRescueAndOutAsInTheDocument(_ encoding: Encoding) throws {
    let zomro = try ZomroTwinFixture()
    let entered = try zomro.doc(
      zomro.send(
        [
          "func": "instances.fleio.rescue", "auth": "43137b5f35a6ba4ee01f4a4e", "out": "json",
          "elid": ZomroTwinFixture.server, "sok": "ok", "select_boot": ZomroTwinFixture.ubuntu,
          "password": "MyPassword1", "zone": "pub",
        ], encoding))
    #expect(entered["ok"] == [:])
    #expect(try zomro.status == "rescuing")
    zomro.rest()
    #expect(try zomro.status == "rescued")
    let left = try zomro.doc(
      zomro.send(
        [
          "func": "instances.fleio.unrescue", "auth": "0b31d69ab7b7b4839dfd6506", "out": "json",
          "elid": ZomroTwinFixture.server,
        ], encoding))
    #expect(left["ok"] == [:])
    #expect(try zomro.status == "unrescuing")
    zomro.rest()
    #expect(try zomro.status == "active")
    #expect(
      zomro.twin.ledger.map { "\($0.effect) \($0.subject) \($0.detail)" } == [
        "rescue.enter 5203773 \(ZomroTwinFixture.ubuntu)", "rescue.exit 5203773 ",
      ])
  }

  /// The reply to a log-in and the recorded error, letter by letter.
  @Test func aLogInIsAnsweredAsRecorded() throws {
    let zomro = try ZomroTwinFixture(credentials: .exactly(username: "ops", password: "Right1word"))
    let good = try zomro.doc(
      zomro.send(["func": "auth", "username": "ops", "password": "Right1word", "out": "json", "sok": "ok"]))
    let id = try #require(good["auth"]?["$id"]?.string)
    #expect(good == ["auth": ["$id": .string(id), "$level": "16", "$": .string(id)]])
    #expect(id.utf8.count == 24)
    let bad = try zomro.doc(
      zomro.send(["func": "auth", "username": "ops", "password": "Wrong1word", "out": "json", "sok": "ok"]))
    #expect(
      bad
        == (try JSONReader.read(
          """
          {"error":{"$type":"auth","$object":"badpassword","$lang":"en",
          "msg":{"$":"Invalid username or password "},"detail":{"$":"Invalid username or password "},
          "param":[{"$name":"object","$type":"msg","$":"badpassword"},
          {"$name":"value","$":"remote_addr: [203.0.113.9]"}]}}
          """)))
  }

  @Test func aLineOfTheListOfServersHasTheFieldsThatAreRead() throws {
    let zomro = try ZomroTwinFixture()
    let doc = try zomro.done("instances")
    let server = try #require(doc["elem"]?.map)
    let read = [
      "id", "servername", "name", "ip", "instance_status", "item_status", "status", "createdate", "pricelist", "cost",
      "datacentername", "instances_os", "change_pricelist",
    ]
    #expect(Set(server.keys) == Set(read))
    #expect(server["item_status"] == ["$orig": "2", "$": "Active"])
    #expect(server["servername"] == ["$": "web"])
    #expect(doc["p_num"] == ["$": "1"])
    #expect(doc["p_cnt"] == ["$": "50"])
    #expect(doc["p_elems"] == ["$": "1"])
  }
}
