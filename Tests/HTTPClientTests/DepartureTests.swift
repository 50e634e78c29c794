import Glibc
import HTTPClient
import Synchronization
import TestSupport
import Testing

/// The question whether a request may leave, and the word that it has left.
@Suite struct DepartureTests {
  private final class Gate: Departure {
    private let state = Mutex((allowed: Int.max, begun: 0, ended: 0))
    init(allowing count: Int = .max) { state.withLock { $0.allowed = count } }
    func begin() -> Bool {
      state.withLock { state in
        guard state.begun < state.allowed else { return false }
        state.begun += 1
        return true
      }
    }
    func end() { state.withLock { $0.ended += 1 } }
    var begun: Int { state.withLock { $0.begun } }
    var ended: Int { state.withLock { $0.ended } }
    func waitForEnd(_ count: Int = 1) { while ended < count { usleep(1000) } }
  }

  private let client = LibcurlClient()

  private func request(_ method: String, _ url: String, _ gate: Gate, body: [UInt8]? = nil) -> ClientRequest {
    var request = ClientRequest(method, url, headers: [("X-Name", "value")], body: body)
    request.departure = gate
    return request
  }

  @Test(arguments: ["GET", "POST"])
  func aRequestThatMayNotLeaveIsNotSent(_ method: String) async throws {
    let received = Mutex<[UInt8]?>(nil)
    let server = RawServer { connection, _ in
      let bytes = connection.receive()
      received.withLock { $0 = bytes }
    }
    defer { server.stop() }
    let gate = Gate(allowing: 0)
    do {
      let client = LibcurlClient()
      let body = method == "POST" ? Array("x".utf8) : nil
      let failure = try #require(await client.ending(of: request(method, server.url, gate, body: body)).failure)
      #expect(failure.kind == .connect)
      #expect(failure.beforeFirstByte)
      #expect(failure.message.contains("held back before it left"))
    }
    // Without its client the connection ends: the server has seen all there was.
    while received.withLock({ $0 }) == nil { usleep(1000) }
    #expect(received.withLock { $0 } == [])
    #expect(gate.ended == 0)
  }

  @Test(arguments: [nil, 5, 100_000])
  func theWordThatItHasLeftComesBeforeTheAnswer(_ size: Int?) async throws {
    let gate = Gate()
    let body = size.map { [UInt8](repeating: 0x61, count: $0) }
    let server = RawServer { connection, _ in
      _ = connection.receiveHead()
      _ = connection.receiveExactly(size ?? 0)
      // Fails by never ending if the word waits for the answer.
      gate.waitForEnd()
      connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    }
    defer { server.stop() }
    let ending = await client.ending(of: request(size == nil ? "GET" : "POST", server.url, gate, body: body))
    #expect(ending.answer?.status == 200)
    #expect(gate.begun == 1)
    #expect(gate.ended == 1)
  }

  @Test func theWordDoesNotComeWhileABodyIsOnItsWay() async throws {
    let gate = Gate()
    let size = 64 << 20
    let early = Mutex(false)
    let server = RawServer { connection, _ in
      _ = connection.receiveHead()
      // The kernel's buffers are full long before all of it has left.
      usleep(200_000)
      early.withLock { $0 = gate.ended > 0 }
      var left = size
      while left > 0 {
        let count = connection.receive(1 << 20).count
        if count == 0 { return }
        left -= count
      }
      gate.waitForEnd()
      connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    }
    defer { server.stop() }
    let body = [UInt8](repeating: 0x61, count: size)
    let ending = await client.ending(of: request("PUT", server.url, gate, body: body))
    #expect(ending.answer?.status == 200)
    #expect(!early.withLock { $0 })
    #expect(gate.ended == 1)
  }

  @Test func aRedirectAsksAgain() async throws {
    let paths = Mutex<[String]>([])
    let server = RawServer { connection, _ in
      while true {
        let head = connection.receiveHead()
        guard !head.isEmpty else { return }
        paths.withLock { $0.append(head.split(separator: "\r\n").first.map(String.init) ?? "") }
        connection.send("HTTP/1.1 307 Over there\r\nLocation: /next\r\nContent-Length: 0\r\n\r\n")
      }
    }
    defer { server.stop() }
    let gate = Gate(allowing: 1)
    var first = request("GET", server.url + "/first", gate)
    first.redirects = .sameHost
    let failure = try #require(await client.ending(of: first).failure)
    #expect(!failure.beforeFirstByte)
    #expect(paths.withLock { $0 } == ["GET /first HTTP/1.1"])
    #expect(gate.ended == 1)
  }

  @Test func aKeptConnectionAsksAgain() async throws {
    let server = RawServer { connection, _ in
      while !connection.receiveHead().isEmpty { connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") }
    }
    defer { server.stop() }
    let gate = Gate(allowing: 2)
    for _ in 0..<2 { #expect(await client.ending(of: request("GET", server.url, gate)).answer?.status == 200) }
    #expect(await client.ending(of: request("GET", server.url, gate)).failure?.beforeFirstByte == true)
    #expect(server.connections == 1)
    #expect(gate.ended == 2)
  }

  @Test func aServerThatLeavesEndsTheDeparture() async throws {
    let server = RawServer { connection, _ in
      _ = connection.receive(1)
      connection.reset()
    }
    defer { server.stop() }
    let gate = Gate()
    let body = [UInt8](repeating: 0x61, count: 16 << 20)
    #expect(await client.ending(of: request("POST", server.url, gate, body: body)).failure != nil)
    #expect(gate.begun == gate.ended)
  }
}
