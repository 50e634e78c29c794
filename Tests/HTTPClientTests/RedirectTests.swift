import HTTPClient
import HTTPServer
import Synchronization
import TestSupport
import Testing

struct RedirectTests {
  private let client = LibcurlClient()

  private func redirecting(_ status: Int, to location: String) throws -> LoopbackServer {
    try LoopbackServer { request in
      if request.path == "/from" { return .response(status: status, headers: [("Location", location)]) }
      let text = "\(request.method) \(request.path) \(request.body.count) \(request.header("authorization") ?? "-")"
      return .response(status: 200, body: Array(text.utf8))
    }
  }

  private func ask(_ server: LoopbackServer, _ method: String = "GET", body: [UInt8]? = nil) async throws
    -> ClientResponse
  {
    var request = ClientRequest(
      method, "http://127.0.0.1:\(server.port)/from", headers: [("Authorization", "token")], body: body)
    request.redirects = .sameHost
    // Each hop is scheduled anew: on a busy machine that takes its time.
    request.totalTimeout = .seconds(600)
    return try await client.send(request)
  }

  @Test(arguments: [
    (301, "GET", "GET"), (302, "GET", "GET"), (303, "GET", "GET"), (307, "GET", "GET"), (308, "GET", "GET"),
    (303, "POST", "GET"), (307, "POST", "POST"), (308, "POST", "POST"), (303, "PUT", "GET"), (307, "PUT", "PUT"),
    (308, "DELETE", "DELETE"),
  ])
  func aRedirectOnTheSameHostIsFollowed(status: Int, method: String, then: String) async throws {
    let server = try redirecting(status, to: "/to")
    defer { server.stop() }
    let answer = try await ask(server, method, body: method == "GET" ? nil : [1, 2])
    #expect(answer.text == "\(then) /to \(then == "GET" ? 0 : 2) token")
  }

  /// Many clients make a GET of a POST then.
  @Test(arguments: [301, 302], ["POST", "PUT", "PATCH", "DELETE"])
  func noOtherRequestIsMadeThanTheOneThatWasAskedFor(status: Int, method: String) async throws {
    let server = try redirecting(status, to: "/to")
    defer { server.stop() }
    let answer = try await ask(server, method, body: [1, 2])
    #expect(answer.status == status && answer.header("location") == "/to")
  }

  @Test(arguments: [
    "http://localhost:PORT/to", "https://127.0.0.1:PORT/to", "http://127.0.0.1:1/to", "http://u@127.0.0.1:PORT/to",
    "http://169.254.169.254/", "file:///etc/passwd", "//other/to", "http://", "",
  ])
  func aRedirectElsewhereIsTheAnswer(_ location: String) async throws {
    let asked = Counter()
    let port = Mutex("")
    let server = try LoopbackServer { _ in
      asked.next()
      return .response(status: 302, headers: [("Location", location.replacing("PORT", with: port.withLock { $0 }))])
    }
    defer { server.stop() }
    port.withLock { $0 = String(server.port) }
    let answer = try await ask(server)
    #expect(answer.status == 302)
    #expect(asked.value == 1)
  }

  @Test func credentialsNeverReachAnotherHost() async throws {
    let other = rawServer(replying: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    defer { other.stop() }
    let server = try redirecting(307, to: other.url + "/steal")
    defer { server.stop() }
    #expect(try await ask(server, "POST", body: [1]).status == 307)
    #expect(other.connections == 0)
  }

  @Test func aLoopEnds() async throws {
    let asked = Counter()
    let server = try LoopbackServer { _ in
      asked.next()
      return .response(status: 302, headers: [("Location", "/again")])
    }
    defer { server.stop() }
    var request = ClientRequest("GET", "http://127.0.0.1:\(server.port)/")
    request.totalTimeout = .seconds(600)
    request.redirects = .sameHost
    let failure = try #require(await client.ending(of: request).failure)
    #expect(failure.message == "127.0.0.1:\(server.port) redirects more than 5 times")
    #expect(asked.value == 6)
  }

  @Test func nothingIsFollowedUnlessAsked() async throws {
    let server = try redirecting(302, to: "/to")
    defer { server.stop() }
    #expect(try await client.send(ClientRequest("GET", "http://127.0.0.1:\(server.port)/from")).status == 302)
  }
}
