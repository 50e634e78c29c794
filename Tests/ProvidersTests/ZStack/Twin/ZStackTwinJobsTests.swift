import ZStackCloud
import Runbook
import Simulator
import Testing

/// Every change is a job: accepted with its address, asked for until it is over, forgotten after some hours.
@Suite struct ZStackTwinJobsTests {
  private typealias Fixture = SimulatedZStackFixture
  private static let id = "0123456789ab4def8123456789abcdef"
  private let actions = "vm-instances/\(SimulatedZStackFixture.machine)/actions"
  private let stop = #"{"stopVmInstance":{}}"#

  private func send(_ zstack: Fixture, _ body: String, job: String) -> SimulatedReply {
    zstack.send(
      "PUT", actions, body,
      headers: [
        (name: "authorization", value: "OAuth \(Fixture.session)"), (name: "x-job-uuid", value: job),
      ])
  }

  @Test func aJobIsAcceptedFollowedAndOver() throws {
    let zstack = try Fixture()
    let accepted = try zstack.json(send(zstack, stop, job: Self.id))
    #expect(accepted.status == 202)
    let sample = #"{"location":"http://10.0.0.1:8080/zstack/v1/api-jobs/x","apiTimeout":1800000}"#
    #expect(ZStackTwinShape(accepted.body) == (try ZStackTwinShape.of(sample)))
    #expect(accepted.body["location"]?.string?.hasSuffix("/zstack/v1/api-jobs/\(Self.id)") == true)
    #expect(accepted.body["apiTimeout"] == 1_800_000)
    let running = try zstack.job(Self.id)
    #expect(running.status == 202)
    #expect(running.body == [:])
    #expect(zstack.twin.state(ofServer: Fixture.machine) == "Stopping")
    zstack.rest()
    let over = try zstack.job(Self.id)
    #expect(over.status == 200)
    #expect(over.body["inventory"]?["state"] == "Stopped")
    #expect(try zstack.job(Self.id).body == over.body, "a result is told as often as it is asked for")
  }

  /// The defaults of ZStack, in milliseconds, or what the caller names in seconds.
  @Test(arguments: [
    ("PUT", "vm-instances/\(SimulatedZStackFixture.machine)/actions", #"{"stopVmInstance":{}}"#, 0.5),
    ("POST", "volume-snapshots/group", #"{"params":{}}"#, 3), ("DELETE", "volume-snapshots/group/x", "", 6),
    ("PUT", "volume-snapshots/group/x/actions", #"{"revertVmFromSnapshotGroup":{}}"#, 24),
    ("PUT", "vm-backups/x/actions", #"{"revertVmFromVmBackup":{}}"#, 72),
    ("POST", "vm-instances/from/vm-backups/x", #"{"params":{}}"#, 12),
    ("POST", "volumes/x/vm-backups", #"{"params":{}}"#, 0.5),
  ])
  func aJobHasATimeout(method: String, path: String, body: String, hours: Double) throws {
    let zstack = try Fixture()
    let session = (name: "authorization", value: "OAuth \(Fixture.session)")
    func timeout(_ header: String?) -> SimulatedReply {
      zstack.send(method, path, body, headers: [session] + (header.map { [(name: "x-api-timeout", value: $0)] } ?? []))
    }
    #expect(try zstack.json(timeout(nil)).body["apiTimeout"] == .int(Int64(hours * 3_600_000)))
    #expect(try zstack.json(timeout("60")).body["apiTimeout"] == 60_000)
    for bad in ["", "0", "-1", "soon", "9223372036854775807"] {
      #expect(try zstack.text(timeout(bad)).status == 400)
    }
  }

  @Test func aJobWithoutAnIDGetsOne() throws {
    let zstack = try Fixture()
    let id = try zstack.start("PUT", actions, stop)
    #expect(id.utf8.count == 32)
    #expect(try zstack.job(id).status == 202)
  }

  /// The job is asked for without a session, as ZStack allows.
  @Test func aJobIsToldToAnybody() throws {
    let zstack = try Fixture()
    let id = try zstack.start("PUT", actions, stop)
    zstack.rest()
    #expect(try zstack.json(zstack.send("GET", "api-jobs/\(id)", headers: [])).status == 200)
  }

  @Test func aFailureIsTheEndOfAJob() throws {
    let zstack = try Fixture(faults: ["fails:server.stop"])
    let reply = try zstack.run("PUT", actions, stop)
    #expect(reply.status == 503)
    let sample = """
      {"error":{"code":"c","description":"d","details":"d","elaboration":null,"opaque":null,
      "cause":{"code":"c","description":"d","details":"d"}}}
      """
    #expect(ZStackTwinShape(reply.body) == (try ZStackTwinShape.of(sample)))
    #expect(zstack.twin.state(ofServer: Fixture.machine) == "Running")
  }

  /// Whatever has become of the first one, and whatever the second one asks for.
  @Test(arguments: [false, true])
  func anIDOfAJobServesOnce(isOver: Bool) throws {
    let zstack = try Fixture()
    #expect(try zstack.json(send(zstack, stop, job: Self.id)).status == 202)
    if isOver { zstack.rest() }
    for body in [stop, #"{"startVmInstance":{}}"#] {
      let again = try zstack.text(send(zstack, body, job: Self.id))
      #expect(again.status == 400)
      #expect(again.text == "Duplicate job uuid[\(Self.id)]")
    }
    zstack.rest()
    #expect(zstack.effects == ["server.stop \(Fixture.machine)"])
  }

  /// A UUID of any of the versions 1 to 5, without its dashes.
  @Test(arguments: [
    "short", "", "0123456789ab4def8123456789abcdef0", "0123456789AB4DEF8123456789ABCDEF",
    "0123456789ab0def8123456789abcdef", "0123456789ab6def8123456789abcdef", "0123456789ab4def7123456789abcdef",
    "0123456789ab4def-123456789abcdef", "01234567-89ab-4def-8123-456789abcdef", "äöüäöüäöüäöüäöüä",
  ])
  func anIDThatIsNoneIsRefused(id: String) throws {
    let zstack = try Fixture()
    #expect(try zstack.text(send(zstack, stop, job: id)).status == 400)
    #expect(zstack.effects == [])
  }

  @Test func anUnknownJobIsExpired() throws {
    let zstack = try Fixture()
    let unknown = try zstack.text(zstack.send("GET", "api-jobs/\(Self.id)"))
    #expect(unknown.status == 404)
    #expect(unknown.text == "the job has been expired")
    for method in ["POST", "PUT", "DELETE"] {
      #expect(try zstack.text(zstack.send(method, "api-jobs/\(Self.id)")).status == 405)
    }
  }

  /// The fixture begins at noon; every full hour the jobs that were made three hours ago or earlier go.
  @Test func jobsArePurgedThreeHoursAfterTheirBeginning() throws {
    let zstack = try Fixture()
    zstack.clock.advance(by: .seconds(60))
    #expect(try zstack.json(send(zstack, stop, job: Self.id)).status == 202)
    zstack.clock.advance(by: .seconds(4 * 3600 - 61))
    #expect(try zstack.job(Self.id).status == 200)
    zstack.clock.advance(by: .seconds(1))
    #expect(try zstack.text(zstack.send("GET", "api-jobs/\(Self.id)")).status == 404)
    // After that the id is as good as new.
    #expect(try zstack.json(send(zstack, #"{"startVmInstance":{}}"#, job: Self.id)).status == 202)
    zstack.rest()
    #expect(zstack.effects == ["server.stop \(Fixture.machine)", "server.start \(Fixture.machine)"])
  }

  /// A job that is under way is never purged.
  @Test func aJobUnderWayIsKept() throws {
    let zstack = try Fixture(faults: ["stuck:server.stop"])
    let id = try zstack.start("PUT", actions, stop)
    zstack.clock.advance(by: .seconds(48 * 3600))
    #expect(try zstack.job(id).status == 202)
  }

  /// Jobs of one machine wait for one another; those of others do not.
  @Test func jobsOfAMachineComeOneAfterAnother() throws {
    let zstack = try Fixture()
    let first = try zstack.start("PUT", actions, stop)
    let second = try zstack.start("PUT", actions, #"{"startVmInstance":{}}"#)
    let third = try zstack.start("PUT", actions, stop)
    let other = try zstack.start("PUT", "vm-instances/\(Fixture.other)/actions", stop)
    #expect(zstack.effects == ["server.stop \(Fixture.machine)", "server.stop \(Fixture.other)"])
    zstack.rest()
    for id in [first, second, third, other] { #expect(try zstack.job(id).status == 200) }
    let own = zstack.twin.ledger.filter { $0.subject == Fixture.machine }
    #expect(own.map { $0.effect } == ["server.stop", "server.start", "server.stop"])
    #expect(own.map { $0.at } == own.map { $0.at }.sorted())
    #expect(zstack.twin.state(ofServer: Fixture.machine) == "Stopped")
  }

  /// The second stop waits for the first and then has nothing to do.
  @Test func aSecondStopDoesNothing() throws {
    let zstack = try Fixture()
    let first = try zstack.start("PUT", actions, stop)
    let second = try zstack.start("PUT", actions, stop)
    zstack.rest()
    for id in [first, second] { #expect(try zstack.job(id).body["inventory"]?["state"] == "Stopped") }
    #expect(zstack.effects == ["server.stop \(Fixture.machine)"])
  }
}
