import ZomroCloud
import Runbook
import Simulator
import TestSupport
import Testing

/// Calls drawn from a seed, in any order and with any fields: the twin answers all of them, and what it tells stays
/// consistent.
@Suite struct ZomroTwinStormTests {
  static let seeds = Array(1...UInt64(Campaign.count(10, torture: 200)))
  static let server = ZomroTwinFixture.server

  static let functions = [
    "instances", "instances.edit", "instances.delete", "service.stop", "service.start", "service.reboot",
    "instances.fleio.rescue", "instances.fleio.unrescue", "instances.fleio.boot_from_iso", "instances.fleio.rebuild",
    "instances.fleio.changepassword", "instances.confirm.resize", "instances.fleio_bckps",
    "instances.fleio_bckps.edit", "instances.snapshots", "instances.snapshots.edit", "image", "image.edit",
    "image.copy", "image.delete", "instances.fleio_bckps.schedule", "instances.fleio_bckps.schedule.edit",
    "instances.fleio_bckps.schedule.delete", "instances.filter", "image.filter", "keepalive", "whoami", "sshkeys",
    "totp.confirm", "logon", "nonsense",
  ]
  static let values: [String: [String]] = [
    "elid": [server, server, "77", "5203980", "5203981", "5203982", "5203102", "-1"],
    "plid": [server, server, "77", ""], "name": ["a", "b", ""], "zone": ["pub", "own", "image", "shr"],
    "select_boot": [ZomroTwinFixture.ubuntu, "a9e7c223-5f11-4546-a298-6af546bebde6", "null"],
    "select_boot_from_iso": ["5eed1500-0000-4000-8000-000000000001"],
    "select_rebuild": [ZomroTwinFixture.backupUUID, ZomroTwinFixture.ubuntu], "enablessh": ["on", "off"],
    "ssh_keys": ["1"], "password": ["MyPassword1", "bad"], "sok": ["ok", "ok", "ok", ""],
    "select_resize": ["confirm", "rollback"], "image_name": ["c"], "protected": ["on", "off"],
    "region": ["Poland-1", "Netherlands-2"], "rotation_days": ["0,1,2,3,4,5,6", "3", "9"],
    "rotation_time": ["03:00", "23:59", "x"], "backup_rotation": ["1", "10", "0"], "servername": ["web"],
    "instance_status": ["active", ""], "p_num": ["1", "2", "x"], "p_cnt": ["1", "50"], "p_col": ["+id", "-name"],
  ]
  /// Everything a server may be, besides what `unknown_status` shows.
  static let statuses: Set<String> = [
    "active", "stopped", "rescued", "booted_from_iso", "error", "stopping", "starting", "rebooting", "rescuing",
    "unrescuing", "rebuilding", "booting_from_iso", "image_uploading", "quiescing",
  ]

  @Test(arguments: seeds)
  func everyCallIsAnsweredAndTheWorldStaysWhole(_ seed: UInt64) throws {
    let random = SeededRandom(seed: seed)
    func pick<Element>(_ elements: [Element]) -> Element { elements[Int(random.next() % UInt64(elements.count))] }
    let zomro = try ZomroTwinFixture(
      faults: ["unknown_status:3:#5", "fails:#9", "stuck:#30", "long_request:2:#20"], seed: seed, credentials: .any)
    for number in 0..<400 {
      var fields = ["out": "json", "auth": "s\(number)", "lang": "en", "func": pick(Self.functions)]
      for (name, values) in Self.values where random.next() % 4 != 0 { fields[name] = pick(values) }
      for id in [Self.server, "77"] {
        zomro.twin.ensureServer(id)
        // Somebody puts right what is stuck or failed.
        if number % 40 == 0 { zomro.twin.setStatus(ofServer: id, "active") }
      }
      let earlier = zomro.twin.ledger.count
      guard case .response(let response) = zomro.send(fields, pick([.urlencoded, .multipart])) else {
        throw StepFailure(.server, "no response")
      }
      #expect(response.status == 200)
      if response.header("content-type") == "application/json" {
        let doc = try #require(try JSONReader.read(response.body)["doc"])
        #expect(doc["error"] == nil || zomro.twin.ledger.count == earlier, "a refusal has no effect")
      }
      #expect(zomro.twin.ledger.count <= earlier + 1)
      zomro.clock.advance(by: .seconds(Int64(random.next() % 200)))
      for id in [Self.server, "77"] {
        if let status = zomro.twin.status(ofServer: id) { #expect(Self.statuses.contains(status)) }
      }
    }
    #expect(zomro.twin.ledger.count > 3)
    let times = zomro.twin.ledger.map { $0.at }
    #expect(times == times.sorted())
  }

  /// A good body with some bytes changed, left out or added.
  @Test(arguments: seeds, ZomroTwinFixture.Encoding.allCases)
  func aDamagedBodyIsAnswered(_ seed: UInt64, _ encoding: ZomroTwinFixture.Encoding) throws {
    let random = SeededRandom(seed: seed)
    let zomro = try ZomroTwinFixture()
    let (type, text) =
      encoding == .urlencoded
      ? (
        "application/x-www-form-urlencoded",
        "func=instances.fleio_bckps&auth=\(ZomroTwinFixture.session)&out=json&elid=%35"
      )
      : (
        "multipart/form-data; boundary=b",
        "--b\r\nContent-Disposition: form-data; name=\"func\"\r\n\r\ninstances\r\n--b\r\n"
          + "Content-Disposition: form-data; name=\"out\"\r\n\r\njson\r\n--b--\r\n"
      )
    for _ in 0..<300 {
      var body = Array(text.utf8)
      for _ in 0...(random.next() % 4) {
        guard !body.isEmpty else { break }
        let place = Int(random.next() % UInt64(body.count))
        switch random.next() % 4 {
        case 0: body[place] = UInt8(truncatingIfNeeded: random.next())
        case 1: body.remove(at: place)
        case 2: body.insert(UInt8(truncatingIfNeeded: random.next()), at: place)
        default: body.removeSubrange(place...)
        }
      }
      let request = SimulatedRequest(
        method: "POST", path: "/", headers: [(name: "content-type", value: type)], body: body)
      guard case .response(let response) = zomro.twin.answer(request) else {
        throw StepFailure(.server, "no response")
      }
      #expect(response.status == 200)
    }
    #expect(zomro.twin.ledger == [])
  }
}
