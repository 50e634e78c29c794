import HTTPClient
import HTTPServer
import Synchronization
import TestSupport
import Testing

struct LibcurlClientTests {
  private let client = LibcurlClient()

  @Test(arguments: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
  func everyMethodArrivesWithHeadersAndBody(_ method: String) async throws {
    let server = try LoopbackServer { request in
      .response(
        status: 200, headers: [("X-Method", request.method), ("X-Mark", request.header("x-mark") ?? "")],
        body: request.body)
    }
    defer { server.stop() }
    let body: [UInt8]? = ["POST", "PUT", "PATCH", "DELETE"].contains(method) ? Array("hello".utf8) : nil
    let answer = try await client.send(
      ClientRequest(method, "http://127.0.0.1:\(server.port)/a?b=c", headers: [("X-Mark", "m")], body: body))
    #expect(answer.status == 200)
    #expect(answer.header("x-method") == method)
    #expect(answer.header("x-mark") == "m")
    #expect(answer.text == (body == nil ? "" : "hello"))
  }

  @Test func aPostWithoutBodySaysSo() async throws {
    let server = RawServer { connection, _ in
      let head = connection.receiveHead()
      connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(head.utf8.count)\r\n\r\n\(head)")
    }
    defer { server.stop() }
    let head = try await client.send(ClientRequest("POST", server.url + "/")).text
    #expect(head.contains("\r\nContent-Length: 0\r\n"))
    #expect(head.contains("\r\nUser-Agent: runbook\r\n"))
    #expect(!head.contains("Content-Type"))
  }

  @Test func headersComeInOrderWithLowerCaseNames() async throws {
    let reply =
      "HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n"
      + "HTTP/1.1 418 I'm a teapot\r\nB: 1 \r\nA:2\r\nb: three\r\nContent-Length: 0\r\n\r\n"
    let server = rawServer(replying: reply)
    defer { server.stop() }
    let answer = try await client.send(ClientRequest("GET", server.url + "/"))
    #expect(answer.status == 418)
    #expect(answer.headers.map { "\($0.name)=\($0.value)" } == ["b=1", "a=2", "b=three", "content-length=0"])
  }

  @Test func aConnectionIsKept() async throws {
    let server = RawServer { connection, index in
      while !connection.receiveHead().isEmpty {
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n\(index)")
      }
    }
    defer { server.stop() }
    for _ in 0..<5 { #expect(try await client.send(ClientRequest("GET", server.url + "/")).text == "0") }
    #expect(server.connections == 1)
  }

  @Test func aLongBodyGoesBothWays() async throws {
    let server = try LoopbackServer { .response(status: 200, body: $0.body) }
    defer { server.stop() }
    let body = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let answer = try await client.send(ClientRequest("PUT", "http://127.0.0.1:\(server.port)/", body: body))
    #expect(answer.body == body)
  }

  @Test(arguments: [2, 256])
  func manyRequestsAtOnceAllGetTheirOwnAnswer(connections: Int) async throws {
    let server = try LoopbackServer { request in
      let reply = ServerReply.response(status: 200, body: Array(request.path.utf8))
      return request.path.hasSuffix("7") ? .delayed(.milliseconds(3), reply) : reply
    }
    defer { server.stop() }
    var settings = ClientSettings()
    settings.connectionLimit = connections
    let client = LibcurlClient(settings)
    let url = "http://127.0.0.1:\(server.port)"
    let right = await withTaskGroup(of: Bool.self) { group in
      for index in 0..<100 {
        group.addTask { await client.ending(of: ClientRequest("GET", "\(url)/\(index)")).answer?.text == "/\(index)" }
      }
      return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
    }
    #expect(right == 100)
  }

  @Test func aNameIsReachedThroughTheProxyAndANumberIsNot() async throws {
    let asked = Mutex<[String]>([])
    let proxy = RawServer { connection, _ in
      let head = connection.receiveHead()
      asked.withLock { $0.append(String(head.prefix { !$0.isNewline })) }
      connection.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
    }
    defer { proxy.stop() }
    let server = try LoopbackServer { _ in .response(status: 200, body: Array("direct".utf8)) }
    defer { server.stop() }
    var settings = ClientSettings()
    settings.proxy = ClientSettings.Proxy(proxy.url, exceptions: ".internal.invalid")
    let client = LibcurlClient(settings)
    let failure = try #require(await client.ending(of: ClientRequest("GET", "https://api.example.invalid/")).failure)
    #expect(failure.beforeFirstByte, "\(failure)")
    #expect(asked.withLock { $0 } == ["CONNECT api.example.invalid:443 HTTP/1.1"])
    _ = await client.ending(of: ClientRequest("GET", "https://db.internal.invalid/"))
    let answer = try await client.send(ClientRequest("GET", "http://127.0.0.1:\(server.port)/"))
    #expect(answer.text == "direct")
    // In the clear only where that is allowed.
    _ = await client.ending(of: ClientRequest("GET", "http://api.example.invalid/"))
    #expect(asked.withLock { $0.count } == 1)
    var plain = ClientRequest("GET", "http://api.example.invalid/")
    plain.allowsPlainHTTP = true
    _ = await client.ending(of: plain)
    #expect(asked.withLock { $0.last } == "GET http://api.example.invalid/ HTTP/1.1")
  }

  @Test(arguments: [
    (["HTTPS_PROXY": "http://p:1", "NO_PROXY": "a"], "http://p:1", "a"),
    (["https_proxy": "http://q:2", "HTTPS_PROXY": "http://p:1"], "http://q:2", ""),
  ])
  func theEnvironmentNamesTheProxy(_ environment: [String: String], _ address: String, _ exceptions: String) {
    #expect(ClientSettings.Proxy { environment[$0] } == .init(address, exceptions: exceptions))
    #expect(ClientSettings.Proxy { _ in nil } == nil)
  }

  @Test func cancellingBreaksARequestOff() async throws {
    let (asked, left) = (Counter(), Counter())
    let server = RawServer { connection, _ in
      _ = connection.receiveHead()
      asked.next()
      connection.stall()
      left.next()
    }
    defer { server.stop() }
    let client = client
    let ending = await withTaskGroup(of: Ending.self) { group in
      group.addTask { await client.ending(of: ClientRequest("POST", server.url + "/")) }
      while asked.value == 0 { await Task.yield() }
      group.cancelAll()
      return await group.next()
    }
    #expect(ending?.failure?.kind == .cancelled)
    #expect(ending?.failure?.beforeFirstByte == false)
    while left.value == 0 { await Task.yield() }
  }

  @Test func aCancelledTaskSendsNothing() async throws {
    let server = rawServer(replying: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    defer { server.stop() }
    let client = client
    let ending = await withTaskGroup(of: Ending.self) { group in
      group.cancelAll()
      group.addTask { await client.ending(of: ClientRequest("POST", server.url + "/")) }
      return await group.next()
    }
    #expect(ending?.failure?.kind == .cancelled)
    #expect(ending?.failure?.beforeFirstByte == true)
    #expect(server.connections == 0)
  }

  @Test(arguments: [
    "", "ftp://127.0.0.1/", "file:///etc/passwd", "http:/127.0.0.1/", "http://", "https:///path", "127.0.0.1",
    "http://user:pw@127.0.0.1/", "http://127.0.0.1/a b", "http://127.0.0.1/ä", "http://127.0.0.1/\r\nX: y",
    "http://127.0.0.1:99999/", "http://127.0.0.1/" + String(repeating: "a", count: 20_000),
  ])
  func whatIsNoURLIsRefused(_ url: String) async {
    let failure = await client.ending(of: ClientRequest("GET", url)).failure
    #expect(failure?.kind == .badURL)
    #expect(failure?.beforeFirstByte == true)
    #expect(failure?.message.contains("pw") == false)
  }

  @Test(arguments: [
    ("GET", "X", "a\r\nY: b"), ("GET", "X", "a\0b"), ("GET", "X Y", "a"), ("GET", "", "a"), ("GET", "X:", "a"),
    ("get", "X", "a"), ("GET / HTTP/1.1\r\nX: y", "X", "a"), ("", "X", "a"),
  ])
  func whatWouldBreakTheHeadIsRefused(method: String, name: String, value: String) async {
    let server = rawServer(replying: "")
    defer { server.stop() }
    let failure = await client.ending(of: ClientRequest(method, server.url, headers: [(name, value)])).failure
    #expect(failure?.kind == .badURL)
    #expect(failure?.beforeFirstByte == true)
    #expect(server.connections == 0)
  }

  @Test func aRequestDescribesItselfWithoutItsSecrets() {
    let request = ClientRequest(
      "POST", "https://h/hook/s3cret", headers: [("Authorization", "Bearer s3cret")], body: Array("s3cret".utf8))
    #expect(!"\(request)".contains("s3cret"))
    #expect(!String(reflecting: request).contains("s3cret"))
    var dumped = ""
    dump(request, to: &dumped)
    #expect(!dumped.contains("s3cret"))
  }
}
