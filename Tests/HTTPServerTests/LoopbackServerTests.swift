import Glibc
import HTTPServer
import TestSupport
import Testing

struct LoopbackServerTests {
  private let echo: LoopbackServer.Handler = { request in
    let query = request.query.map { "\($0.name)=\($0.value)" }.joined(separator: ";")
    let text = "\(request.method) \(request.path) [\(query)] \(request.header("x-mark") ?? "-") \(request.body.count)"
    return .response(status: 200, headers: [("X-Reply", "yes")], body: Array(text.utf8))
  }

  private func connect(_ server: LoopbackServer) throws -> RawConnection {
    try #require(RawConnection(port: server.port))
  }

  @Test func pathQueryHeadersAndBodyArriveDecoded() throws {
    let server = try LoopbackServer(handler: echo)
    defer { server.stop() }
    let client = try connect(server)
    client.send("POST /a%20b/c?x=1%262&y=%C3%A4&z HTTP/1.1\r\nHost: h\r\nX-Mark: m\r\nContent-Length: 4\r\n\r\nbody")
    let head = client.receiveHead()
    #expect(head.hasPrefix("HTTP/1.1 200 "))
    #expect(head.contains("X-Reply: yes\r\n"))
    let expected = "POST /a b/c [x=1&2;y=ä;z=] m 4"
    #expect(String(decoding: client.receiveExactly(expected.utf8.count), as: UTF8.self) == expected)
  }

  @Test func aConnectionServesSeveralRequests() throws {
    let server = try LoopbackServer { _ in .response(status: 204) }
    defer { server.stop() }
    let client = try connect(server)
    for _ in 0..<3 {
      client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
      #expect(client.receiveHead().hasPrefix("HTTP/1.1 204 "))
    }
  }

  @Test func aLostReplyIsAClosedConnection() throws {
    let handled = Counter()
    let server = try LoopbackServer { _ in
      handled.next()
      return .lost
    }
    defer { server.stop() }
    let client = try connect(server)
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n")
    #expect(client.receive().isEmpty)
    #expect(handled.value == 1)
  }

  @Test func aDelayedReplyComesAndHoldsUpNobodyElse() throws {
    let server = try LoopbackServer { request in
      request.path == "/slow"
        ? .delayed(.milliseconds(20), .delayed(.milliseconds(1), .response(status: 201))) : .response(status: 200)
    }
    defer { server.stop() }
    let slow = try connect(server)
    let quick = try connect(server)
    slow.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n")
    quick.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    #expect(quick.receiveHead().hasPrefix("HTTP/1.1 200 "))
    #expect(slow.receiveHead().hasPrefix("HTTP/1.1 201 "))
  }

  @Test func stoppingBreaksOffADelayedReply() throws {
    let begun = Counter()
    let server = try LoopbackServer { _ in
      begun.next()
      return .delayed(.seconds(3600), .response(status: 200))
    }
    defer { server.stop() }
    let client = try connect(server)
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    while begun.value == 0 { sched_yield() }
    server.stop()
    server.stop()
    #expect(client.receive().isEmpty)
    #expect(begun.value == 1)
    #expect(RawConnection(port: server.port) == nil)
  }

  @Test func aBodyBeyondTheLimitIsRefused() throws {
    let server = try LoopbackServer(bodyLimit: 10, handler: echo)
    defer { server.stop() }
    let client = try connect(server)
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n12345678901")
    #expect(client.receiveHead().hasPrefix("HTTP/1.1 413 "))
  }

  @Test func aPortInUseIsSaid() throws {
    let server = try LoopbackServer(handler: echo)
    defer { server.stop() }
    let failure = #expect(throws: ServerFailure.self) { _ = try LoopbackServer(port: server.port, handler: echo) }
    #expect(failure?.message == "cannot listen on 127.0.0.1:\(server.port): the port is in use")
  }

  @Test func nobodyElseThanLoopbackCanConnect() throws {
    let server = try LoopbackServer(handler: echo)
    defer { server.stop() }
    // Bound to 127.0.0.1 alone: another address of loopback is already another address.
    #expect(RawConnection(port: server.port, host: 0x7f00_0002) == nil)
  }
}
