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

  @Test func noMailOfARunThatWasTakenOverLeaves() async throws {
    let server = try SMTPServer()
    var mail = MailRequest(
      host: "127.0.0.1", port: server.port, security: .none, sender: "runbook@example.com",
      recipients: ["ops@example.com"], message: Array("Subject: x\r\n\r\nx\r\n".utf8))
    let tenure = LostTenure()
    mail.tenure = tenure
    let refusal = await #expect(throws: MailRefusal.self) { _ = try await LibcurlMail().send(mail) }
    #expect(refusal?.kind == .held && refusal?.mayHaveArrived == false)
    #expect(tenure.asked.value == 1)
    #expect(server.mails.isEmpty)
  }
}
