import ZStackCloud
import Runbook
import Simulator
import TestSupport
import Testing

/// Calls drawn from a seed, in any order, with any ids and parameters: the twin answers all of them, each job ends, and
/// what it tells stays consistent.
@Suite struct ZStackTwinStormTests {
  private typealias Fixture = SimulatedZStackFixture
  static let seeds = Array(1...UInt64(Campaign.count(10, torture: 200)))

  /// `M`, `V`, `S`, `G`, `B`, `C` and `T` stand for ids of machines, volumes, snapshots, groups, backups, volume
  /// backups and stores that there are.
  static let calls: [(method: String, path: String, body: String)] =
    ["stop", "start", "reboot", "pause", "resume", "recover", "expunge"].map {
      ("PUT", "vm-instances/M/actions", #"{"\#($0)VmInstance":{}}"#)
    } + [
      ("PUT", "vm-instances/M/actions", #"{"stopVmInstance":{"type":"cold"}}"#),
      ("PUT", "vm-instances/M/actions", #"{"startVmInstance":{}}"#),
      ("PUT", "vm-instances/M/actions", #"{"setVmBootOrder":{"bootOrder":["CdRom"]}}"#),
      ("DELETE", "vm-instances/M", ""),
      ("POST", "vm-instances/M/iso/\(SimulatedZStackFixture.iso)", ""), ("DELETE", "vm-instances/M/iso", ""),
      ("POST", "volumes/V/volume-snapshots", #"{"params":{"name":"s"},"systemTags":["a::b"]}"#),
      ("PUT", "volume-snapshots/S/actions", #"{"revertVolumeFromSnapshot":{}}"#),
      ("DELETE", "volume-snapshots/S", ""),
      ("PUT", "volume-snapshots/batch-delete", #"{"batchDeleteVolumeSnapshot":{"uuids":["S","S"]}}"#),
      ("POST", "volume-snapshots/group", #"{"params":{"rootVolumeUuid":"V","name":"g"},"userTags":["u"]}"#),
      ("PUT", "volume-snapshots/group/G/actions", #"{"revertVmFromSnapshotGroup":{}}"#),
      ("DELETE", "volume-snapshots/group/G", ""), ("DELETE", "volume-snapshots/ungroup/G", ""),
      ("POST", "volumes/V/vm-backups", #"{"params":{"backupStorageUuid":"T","name":"b"}}"#),
      ("POST", "volumes/V/volume-backups", #"{"params":{"backupStorageUuid":"T","name":"v"}}"#),
      ("PUT", "vm-backups/B/actions", #"{"revertVmFromVmBackup":{"strategy":"InstantStart"}}"#),
      ("PUT", "volume-backups/C/actions", #"{"revertVolumeFromVolumeBackup":{}}"#),
      (
        "POST", "vm-instances/from/vm-backups/B",
        #"{"params":{"name":"c","cpuNum":1,"memorySize":1,"zoneUuid":"z","strategy":"CreateStopped"}}"#
      ),
      (
        "PUT", "vm-backups/B/actions",
        #"{"syncVmBackupFromImageStoreBackupStorage":{"srcBackupStorageUuid":"T","dstBackupStorageUuid":"T"}}"#
      ),
      ("DELETE", "vm-backups/B", ""), ("PUT", "vm-backups/imageStore/T/actions", #"{"syncVmBackup":{}}"#),
    ]

  /// Where ids of each letter are found.
  static let places: [(letter: Character, list: String, field: String)] = [
    ("M", "vm-instances", "uuid"), ("S", "volume-snapshots", "uuid"), ("G", "volume-snapshots/group", "uuid"),
    ("B", "volume-backups", "groupUuid"), ("C", "volume-backups", "uuid"), ("T", "backup-storage", "uuid"),
  ]
  /// Everything a server may be, besides what `unknown_status` shows.
  static let states: Set<String> = [
    "Running", "Stopped", "Paused", "Destroyed", "Unknown", "Starting", "Stopping", "Rebooting", "Pausing", "Resuming",
    "Destroying", "Expunging", "VolumeRecovering", "Quiescing",
  ]

  @Test(arguments: seeds)
  func everyCallIsAnsweredAndTheWorldStaysWhole(_ seed: UInt64) throws {
    let random = SeededRandom(seed: seed)
    func pick<Element>(_ elements: [Element]) -> Element? {
      elements.isEmpty ? nil : elements[Int(random.next() % UInt64(elements.count))]
    }
    let zstack = try Fixture(
      faults: ["unknown_status:3:#5", "fails:3:#9", "sys1001_done:#20", "sys1001_not_done:#25", "job_never_ends:#30"],
      seed: seed)
    for id in ["11111111111141118111111111111111", "22222222222242228222222222222222"] { zstack.twin.ensureServer(id) }
    var jobs: [String] = []
    for _ in 0..<100 {
      guard let call = pick(Self.calls) else { return }
      var ids = try Self.places.map { place in
        (place.letter, try zstack.list(place.list).compactMap { $0[place.field]?.string })
      }
      let volumes = try zstack.list("vm-instances").flatMap { $0["allVolumes"]?.list ?? [] }
      ids.append(("V", volumes.compactMap { $0["uuid"]?.string }))
      func named(_ text: String) -> String {
        var words = text.split(separator: "/", omittingEmptySubsequences: false).map { String($0) }
        for index in words.indices {
          for (letter, known) in ids {
            let id = random.next() % 8 == 0 ? Fixture.nothing : pick(known) ?? Fixture.nothing
            if words[index] == String(letter) { words[index] = id }
            words[index] = words[index].replacing("\"\(letter)\"", with: "\"\(id)\"")
          }
        }
        return words.joined(separator: "/")
      }
      jobs.append(try zstack.start(call.method, named(call.path), named(call.body)))
      zstack.clock.advance(by: .seconds(Int64(random.next() % 300)))
      for machine in try zstack.list("vm-instances") {
        #expect(Self.states.contains(machine["state"]?.string ?? ""))
        #expect(machine["allVolumes"]?.list?.count { $0["type"] == "Root" } == 1)
        // Somebody puts right what lost its host or was deleted.
        if random.next() % 20 == 0, let id = machine["uuid"]?.string { zstack.twin.setState(ofServer: id, "Running") }
      }
      guard let last = jobs.last else { return }
      #expect([200, 202, 503].contains(try zstack.job(last).status))
    }
    zstack.clock.advance(by: .seconds(7 * 86_400))
    // Only the one whose management node died is still there: the others are over, and purged.
    let left = jobs.filter { zstack.isKnown(job: $0) }
    #expect(left.count == zstack.twin.firedFaults.count { $0.hasPrefix("job_never_ends") })
    let unfinished: [Value?] = ["Creating", "Deleting"]
    for list in ["volume-snapshots", "volume-backups"] {
      #expect(try zstack.list(list).allSatisfy { !unfinished.contains($0["status"]) }, "nothing is left unfinished")
    }
    #expect(zstack.twin.ledger.count > 10)
    let times = zstack.twin.ledger.map { $0.at }
    #expect(times == times.sorted())
  }

  /// A good body with some bytes changed, left out or added.
  @Test(arguments: seeds)
  func aDamagedBodyIsAnswered(_ seed: UInt64) throws {
    let random = SeededRandom(seed: seed)
    let zstack = try Fixture()
    let text =
      #"{"params":{"backupStorageUuid":"\#(Fixture.store)","name":"b","resourceUuid":null},"systemTags":["a::b"]}"#
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
      let headers = [(name: "authorization", value: "OAuth \(Fixture.session)")]
      let reply = zstack.twin.answer(
        SimulatedRequest(
          method: "POST", path: "/zstack/v1/volumes/\(Fixture.otherRoot)/vm-backups", headers: headers, body: body))
      guard case .response(let response) = reply else { throw StepFailure(.server, "no response") }
      #expect(response.status == 202 || response.status == 400)
    }
  }
}

extension SimulatedZStackFixture {
  fileprivate func isKnown(job id: String) -> Bool {
    guard case .response(let response) = send("GET", "api-jobs/\(id)") else { return false }
    return response.status != 404
  }
}
