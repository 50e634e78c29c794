import Runbook
import TestSupport
import Testing
import Transport

/// The transport that reaches the real world asks at the last moment whether the run is still ours.
@Suite struct FencedTransportTests {
  /// Another process has taken the run over.
  private struct LostTenure: Tenure {
    let asked = Counter()
    func begin() -> Bool {
      asked.next()
      return false
    }
    func end() {}
    var standing: TenureStanding { .lost }
    var until: BootTime { BootTime(id: "", elapsed: .zero) }
  }

  @Test func noRequestOfARunThatWasTakenOverLeaves() async throws {
    let heard = Counter()
    let server = RawServer { connection, _ in
      if !connection.receiveHead().isEmpty { heard.next() }
      connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    }
    defer { server.stop() }
    var request = HTTPRequest("POST", server.url)
    let tenure = LostTenure()
    request.tenure = tenure
    let failure = await #expect(throws: HTTPFailure.self) { _ = try await LibcurlTransport().send(request) }
    #expect(failure?.beforeFirstByte == true)
    #expect(tenure.asked.value == 1)
    #expect(heard.value == 0)
  }
}
