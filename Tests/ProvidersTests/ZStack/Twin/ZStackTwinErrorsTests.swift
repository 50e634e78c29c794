import Providers
import Runbook
import Simulator
import Testing

/// Refusals before there is a job are plain text; those of a job are error objects.
@Suite struct ZStackTwinErrorsTests {
  private typealias Fixture = SimulatedZStackFixture
  private static let id = "0123456789ab4def8123456789abcdef"
  private let stop = "vm-instances/\(SimulatedZStackFixture.machine)/actions"

  @Test func plainRefusals() throws {
    let zstack = try Fixture()
    #expect(try zstack.text(zstack.send("GET", "nothing")).status == 404)
    #expect(try zstack.text(zstack.send("POST", "api-jobs/\(Self.id)")).status == 405)
    #expect(try zstack.text(zstack.send("PUT", stop, #"{"flyVmInstance":{}}"#)).status == 400)
    #expect(try zstack.text(zstack.send("GET", "vm-instances", headers: [])).status == 400)
    let unknown = try zstack.text(zstack.send("GET", "api-jobs/\(Self.id)"))
    #expect(unknown.status == 404)
    #expect(unknown.text == "the job has been expired")
  }

  @Test func anIDOfAJobServesOnce() throws {
    let zstack = try Fixture()
    let session = (name: "authorization", value: "OAuth \(Fixture.session)")
    func send(_ id: String) -> SimulatedReply {
      zstack.send("PUT", stop, #"{"stopVmInstance":{}}"#, headers: [session, (name: "x-job-uuid", value: id)])
    }
    #expect(try zstack.json(send(Self.id)).status == 202)
    let again = try zstack.text(send(Self.id))
    #expect(again.status == 400)
    #expect(again.text == "Duplicate job uuid[\(Self.id)]")
    #expect(try zstack.text(send("short")).status == 400)
    zstack.rest()
    #expect(zstack.effects == ["server.stop \(Fixture.machine)"])
  }

  @Test func aClockThatIsOffIsRefused() throws {
    let zstack = try Fixture()
    func send(_ date: String?) -> SimulatedReply {
      zstack.send(
        "GET", "vm-instances",
        headers: [(name: "authorization", value: "ZStack LTAIzstackexample:c2lnbmF0dXJl")]
          + (date.map { [(name: "date", value: $0)] } ?? []))
    }
    let skewed = try zstack.text(send("Thu, 16 Jan 2025 12:15:01 GMT"))
    #expect(skewed.status == 403)
    #expect(skewed.text.contains("requestTimeTooSkewed"))
    #expect(try zstack.text(send("yesterday")).status == 400)
    #expect(try zstack.text(send(nil)).status == 400)
    // Inside of 15 minutes the signature decides.
    #expect(try zstack.json(send("Thu, 16 Jan 2025 12:14:59 GMT")).body["error"]?["code"] == "ID.1001")
  }

  /// There is no 401: a read gets the error object, a change a job that has failed.
  @Test func anInvalidSession() throws {
    let zstack = try Fixture()
    let headers = [(name: "authorization", value: "OAuth gone")]
    let read = try zstack.json(zstack.send("GET", "vm-instances", headers: headers))
    #expect(read.status == 503)
    #expect(read.body["error"]?["code"] == "ID.1001")
    let change = try zstack.json(zstack.send("PUT", stop, #"{"stopVmInstance":{}}"#, headers: headers))
    #expect(change.status == 202)
    let job = try zstack.job(String(try #require(change.body["location"]?.string?.split(separator: "/").last)))
    #expect(job.status == 503)
    #expect(job.body["error"]?["code"] == "ID.1001")
    #expect(zstack.effects == [])
  }

  @Test func jobsArePurgedAfterThreeHours() throws {
    let zstack = try Fixture()
    let id = try zstack.start("PUT", stop, #"{"stopVmInstance":{}}"#)
    #expect(try zstack.job(id).status == 202)
    zstack.rest()
    #expect(try zstack.job(id).status == 200)
    zstack.clock.advance(by: .seconds(4 * 3600))
    #expect(try zstack.text(zstack.send("GET", "api-jobs/\(id)")).status == 404)
  }
}
