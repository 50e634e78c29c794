import Runbook
import Simulator
import TestSupport
import Testing

struct LoopbackHostTests {
  private func ask(_ host: LoopbackHost, _ request: String) throws -> String {
    let connection = try #require(RawConnection(port: host.port))
    connection.send(request)
    let head = connection.receiveHead()
    let body = connection.receive(until: "}")
    return head + body
  }

  @Test func aSystemIsAskedAsInMemory() throws {
    let system = ScriptedSystem(201, #"{"id":7}"#, headers: [(name: "x-limit", value: "5")])
    let host = try LoopbackHost(system)
    defer { host.stop() }
    #expect(host.url == "http://127.0.0.1:\(host.port)")
    let reply = try ask(
      host, "POST /v1/servers/a%20b?x=%26 HTTP/1.1\r\nHost: h\r\nX-Key: K\r\nContent-Length: 2\r\n\r\nhi")
    #expect(reply.hasPrefix("HTTP/1.1 201 "))
    #expect(reply.lowercased().contains("x-limit: 5\r\n"))
    #expect(reply.hasSuffix(#"{"id":7}"#))
    let request = try #require(system.seen.first)
    #expect(request.method == "POST")
    #expect(request.path == "/v1/servers/a b")
    #expect(request.query.map { "\($0.name)=\($0.value)" } == ["x=&"])
    #expect(request.header("x-key") == "K")
    #expect(request.body == Array("hi".utf8))
  }

  @Test func aLostReplyBreaksTheConnectionAfterTheEffect() throws {
    let system = ScriptedSystem([.lost])
    let host = try LoopbackHost(system)
    defer { host.stop() }
    #expect(try ask(host, "DELETE / HTTP/1.1\r\nHost: h\r\n\r\n") == "")
    #expect(system.seen.count == 1)
  }

  @Test func aDelayPassesOnTheSystemsClock() throws {
    let system = ScriptedSystem([.delayed(.seconds(86_400), ScriptedSystem.reply(200, "{}"))])
    let host = try LoopbackHost(system) { $0 / 10_000_000 }
    defer { host.stop() }
    #expect(try ask(host, "GET / HTTP/1.1\r\nHost: h\r\n\r\n").hasPrefix("HTTP/1.1 200 "))
  }

  @Test func aPortInUseIsSaid() throws {
    let host = try LoopbackHost(ScriptedSystem([]))
    defer { host.stop() }
    let failure = #expect(throws: StepFailure.self) { _ = try LoopbackHost(ScriptedSystem([]), port: host.port) }
    #expect(failure?.message.contains("the port is in use") == true)
  }
}
