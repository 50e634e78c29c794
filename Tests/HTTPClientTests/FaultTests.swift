import Glibc
import HTTPClient
import HTTPServer
import TestSupport
import Testing

/// Servers that answer wrongly, slowly or not at all.
struct FaultTests {
  private let client = LibcurlClient()

  struct Broken: Sendable, CustomTestStringConvertible {
    let name: String
    let reply: String
    let kind: ClientFailure.Kind
    let says: String
    var testDescription: String { name }
  }

  @Test(arguments: [
    Broken(name: "no answer", reply: "", kind: .reset, says: "closed the connection without an answer"),
    Broken(name: "no HTTP", reply: "hello", kind: .badReply, says: "is not valid HTTP"),
    Broken(name: "half a head", reply: "HTTP/1.1 200 OK\r\nContent-", kind: .badReply, says: ""),
    Broken(
      name: "truncated body", reply: "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", kind: .badReply,
      says: "broke off before its announced end"),
    Broken(
      name: "chunk size is no number",
      reply: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
      kind: .badReply, says: "broke off or is not valid HTTP"),
    Broken(
      name: "chunks without end", reply: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
      kind: .badReply,
      says: ""),
    Broken(
      name: "no gzip", reply: "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 8\r\n\r\nnot gzip",
      kind: .badReply, says: "does not match its content encoding"),
    Broken(
      name: "too long", reply: "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", kind: .tooLarge,
      says: "is longer than 1000 bytes"),
    Broken(
      name: "too long without saying so", reply: "HTTP/1.1 200 OK\r\n\r\n" + String(repeating: "a", count: 1001),
      kind: .tooLarge, says: "is longer than 1000 bytes"),
  ])
  func aBrokenAnswerIsAFailure(_ broken: Broken) async throws {
    let server = rawServer(replying: broken.reply)
    defer { server.stop() }
    var request = ClientRequest("POST", server.url + "/secret?path")
    request.bodyLimit = 1000
    let failure = try #require(await client.ending(of: request).failure)
    #expect(failure.kind == broken.kind)
    #expect(failure.message.contains(broken.says), "\(failure.message)")
    #expect(failure.message.contains("127.0.0.1:\(server.port)"))
    #expect(!failure.message.contains("secret"))
    #expect(!failure.beforeFirstByte)
    #expect(server.connections == 1)
  }

  @Test(arguments: [
    ("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>", "<html>"),
    ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ""),
    ("HTTP/1.1 204 No Content\r\n\r\n", ""),
    ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabcdef", "ab"),
    ("HTTP/1.1 200 OK\r\n\r\nuntil the end", "until the end"),
    (
      "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-16\r\nContent-Length: 2\r\n\r\n\u{1}\u{2}", "\u{1}\u{2}"
    ),
  ])
  func anOddAnswerIsAnAnswer(reply: String, body: String) async throws {
    let server = rawServer(replying: reply)
    defer { server.stop() }
    #expect(try await client.send(ClientRequest("GET", server.url + "/")).text == body)
  }

  @Test func endlessHeadersEnd() async throws {
    let server = RawServer { connection, _ in
      _ = connection.receiveHead()
      connection.send("HTTP/1.1 200 OK\r\n")
      while connection.send("X-More: \(String(repeating: "a", count: 1000))\r\n") {}
    }
    defer { server.stop() }
    let failure = try #require(await client.ending(of: ClientRequest("GET", server.url + "/")).failure)
    #expect(failure.kind == .tooLarge)
    #expect(failure.message.contains("the head of the answer"))
  }

  /// 256 KiB of zeros in 289 bytes.
  @Test func aGzipBombIsMeasuredUnpacked() async throws {
    let bomb: [UInt8] =
      [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 3, 0xed, 0xc1, 0x31, 1, 0, 0, 0, 0xc2, 0xa0, 0xf5, 0x4f, 0xed, 0x6d, 7, 0xa0]
      + [UInt8](repeating: 0, count: 254) + [0xde, 0, 0x22, 0xea, 0x0e, 0xe2, 0, 0, 4, 0]
    let head = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"
    let server = rawServer(replying: Array(head.utf8) + bomb)
    defer { server.stop() }
    var request = ClientRequest("GET", server.url + "/")
    request.bodyLimit = 64 << 10
    #expect(await client.ending(of: request).failure?.kind == .tooLarge)
    request.bodyLimit = 1 << 20
    #expect(await client.ending(of: request).answer?.body.count == 256 << 10)
  }

  @Test func aResetAtAnyByteOfTheAnswerIsAFailureOfUnknownEffect() async throws {
    let reply = Array("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc".utf8)
    for offset in 0..<reply.count {
      let server = rawServer(replying: Array(reply[..<offset]), reset: true)
      defer { server.stop() }
      let failure = try #require(
        await client.ending(of: ClientRequest("POST", server.url + "/")).failure, "at \(offset)")
      #expect(failure.kind == .reset || failure.kind == .badReply, "at \(offset): \(failure)")
      #expect(!failure.beforeFirstByte)
      #expect(server.connections == 1)
    }
  }

  @Test func aResetAtAnyByteOfTheRequestIsAFailureOfUnknownEffect() async throws {
    for offset in 1..<60 {
      let server = RawServer { connection, _ in
        _ = connection.receiveExactly(offset)
        connection.reset()
      }
      defer { server.stop() }
      let failure = try #require(
        await client.ending(of: ClientRequest("POST", server.url + "/")).failure, "at \(offset)")
      #expect(failure.kind == .reset, "at \(offset): \(failure)")
      #expect(!failure.beforeFirstByte)
    }
  }

  // MARK: Kept connections that die

  /// Answers the first request of a connection and drops it at the second.
  private func forgetfulServer() -> RawServer {
    RawServer { connection, _ in
      _ = connection.receiveHead()
      connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
      _ = connection.receiveHead()
    }
  }

  @Test(arguments: ["POST", "DELETE", "PUT", "PATCH"], [nil, [UInt8(1)]])
  func aChangeIsNotSentAgainWhenAKeptConnectionDies(_ method: String, body: [UInt8]?) async throws {
    let server = forgetfulServer()
    defer { server.stop() }
    _ = try await client.send(ClientRequest("GET", server.url + "/"))
    let failure = try #require(await client.ending(of: ClientRequest(method, server.url + "/", body: body)).failure)
    #expect(failure.kind == .reset)
    #expect(!failure.beforeFirstByte)
  }

  @Test func aReadIsSentAgainWhenAKeptConnectionDies() async throws {
    let server = forgetfulServer()
    defer { server.stop() }
    for _ in 0..<2 { #expect(try await client.send(ClientRequest("GET", server.url + "/")).status == 200) }
    #expect(server.connections == 2)
  }

  // MARK: Before the first byte

  @Test func aClosedPortIsAFailureBeforeTheFirstByte() async throws {
    let server = try LoopbackServer { _ in .lost }
    let port = server.port
    server.stop()
    let failure = try #require(await client.ending(of: ClientRequest("POST", "http://127.0.0.1:\(port)/")).failure)
    #expect(
      failure
        == ClientFailure(
          .connect, "cannot connect to 127.0.0.1:\(port): connection refused", beforeFirstByte: true))
  }

  @Test func aNameThatDoesNotExistIsAFailureBeforeTheFirstByte() async throws {
    let failure = try #require(await client.ending(of: ClientRequest("POST", "https://no-such-host.invalid/")).failure)
    #expect(failure.kind == .lookup || failure.kind == .timeout)
    #expect(failure.beforeFirstByte)
  }

  // MARK: Deadlines

  struct Stall: Sendable, CustomTestStringConvertible {
    let phase: String
    let server: @Sendable (RawConnection) -> Void
    let says: String
    var beforeFirstByte = false
    var testDescription: String { phase }
  }

  static let stalls = [
    Stall(phase: "connect", server: { $0.stall() }, says: "no connection to", beforeFirstByte: true),
    Stall(phase: "first byte", server: { $0.stall() }, says: "no answer within 50ms"),
    Stall(
      phase: "head",
      server: {
        $0.send("HTTP/1.1 200 OK\r\nX-")
        $0.stall()
      }, says: "the answer stopped for 50ms"),
    Stall(
      phase: "body",
      server: {
        $0.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\na")
        $0.stall()
      }, says: "the answer stopped for 50ms"),
    Stall(
      phase: "total",
      server: {
        $0.send("HTTP/1.1 200 OK\r\n\r\n")
        while $0.send("a") {}
      }, says: "no whole answer from"),
  ]

  @Test(arguments: stalls)
  func everyPhaseHasItsDeadline(_ stall: Stall) async throws {
    let server = RawServer { connection, _ in stall.server(connection) }
    defer { server.stop() }
    var request = ClientRequest(
      "POST", stall.phase == "connect" ? "https://127.0.0.1:\(server.port)/" : server.url + "/")
    let short = Duration.milliseconds(50)
    request.bodyLimit = .max
    switch stall.phase {
    case "connect": request.connectTimeout = short
    case "first byte": request.firstByteTimeout = short
    case "total": request.totalTimeout = short
    default: request.idleTimeout = short
    }
    let failure = try #require(await client.ending(of: request).failure)
    #expect(failure.kind == .timeout)
    #expect(failure.message.contains(stall.says), "\(failure.message)")
    #expect(failure.beforeFirstByte == stall.beforeFirstByte)
  }

  @Test func aRequestThatIsNotTakenHasADeadline() async throws {
    let isOver = Counter()
    let server = RawServer { connection, _ in
      _ = connection.receive(1)
      while isOver.value == 0 { sched_yield() }
    }
    defer { server.stop() }
    defer { isOver.next() }
    var request = ClientRequest("POST", server.url + "/", body: [UInt8](repeating: 1, count: 32 << 20))
    request.idleTimeout = .milliseconds(50)
    let failure = try #require(await client.ending(of: request).failure)
    #expect(failure.kind == .timeout)
    #expect(failure.message.contains("the request was not taken for 50ms"), "\(failure.message)")
  }
}
