import Runbook
import Simulator
import TestSupport
import Testing

struct InMemoryTransportTests {
  let clock = VirtualClock()

  private func failure(_ transport: InMemoryTransport, _ request: HTTPRequest) async -> HTTPFailure? {
    do throws(HTTPFailure) {
      _ = try await transport.send(request)
      return nil
    } catch {
      return error
    }
  }

  @Test(arguments: [
    "https://a.example", "https://A.example:443/x?y=1", "http://a.example:8080/", "HTTPS://a.example/?q#f",
  ])
  func aRequestReachesTheSystemOfItsOrigin(url: String) async throws {
    let system = ScriptedSystem(200, "{}")
    let transport = InMemoryTransport(
      clock: clock, routes: ["https://a.example": system, "http://a.example:8080": system])
    #expect(try await transport.send(HTTPRequest("GET", url)).status == 200)
    #expect(system.seen.first?.path.hasPrefix("/") == true)
  }

  @Test func pathAndQueryAreDecodedOnce() async throws {
    let system = ScriptedSystem(200, "{}")
    let transport = InMemoryTransport(clock: clock, routes: ["https://a.example": system])
    _ = try await transport.send(
      HTTPRequest(
        "GET", "https://a.example/x%2Fy%2520z/+?a=1%202&b=c+d&e&f=%zz",
        headers: [(name: "X-Y", value: Secret("s", named: []))]))
    let request = try #require(system.seen.first)
    #expect(request.path == "/x/y%20z/+")
    #expect(request.query.map { "\($0.name)=\($0.value)" } == ["a=1 2", "b=c d", "e=", "f=%zz"])
    #expect(request.header("x-y") == "s")
  }

  @Test func nothingLeavesTheMachine() async {
    let transport = InMemoryTransport(clock: clock, routes: [:])
    let failure = await failure(transport, HTTPRequest("GET", "https://a.example/"))
    #expect(failure?.kind == .lookup)
    #expect(failure?.beforeFirstByte == true)
  }

  @Test(arguments: ["", "a.example", "ftp://a.example/", "https://", "https://u:p@a.example/"])
  func aTextThatIsNoAddressIsRefused(url: String) async {
    let transport = InMemoryTransport(clock: clock, routes: [:], fallback: ScriptedSystem(200, "{}"))
    #expect(await failure(transport, HTTPRequest("GET", url))?.kind == .badURL)
  }

  @Test func aLostReplyMayHaveHadAnEffect() async {
    let transport = InMemoryTransport(clock: clock, routes: [:], fallback: ScriptedSystem([.lost]))
    let failure = await failure(transport, HTTPRequest("POST", "https://a.example/"))
    #expect(failure?.kind == .reset)
    #expect(failure?.beforeFirstByte == false)
  }

  @Test(arguments: [(5, true), (30, false), (90, false)] as [(Int64, Bool)])
  func aLateReplyIsAwaitedAsLongAsTheRequestAllows(delay: Int64, arrives: Bool) async throws {
    let system = ScriptedSystem([.delayed(.seconds(delay), ScriptedSystem.reply(200, "{}"))])
    let transport = InMemoryTransport(clock: clock, routes: [:], fallback: system)
    let failure = await failure(transport, HTTPRequest("POST", "https://a.example/"))
    #expect(failure?.kind == (arrives ? nil : .timeout))
    #expect(clock.monotonic == .seconds(min(delay, 30)))
  }

  @Test func aReplyThatIsTooLongIsAFailure() async {
    let transport = InMemoryTransport(clock: clock, routes: [:], fallback: ScriptedSystem(200, "12345"))
    var request = HTTPRequest("GET", "https://a.example/")
    request.bodyLimit = 4
    #expect(await failure(transport, request)?.kind == .tooLarge)
  }

  @Test func eachExchangeCanBeCutBeforeAndAfterItsEffect() async {
    let web = SimulatedWeb(clock: clock)
    let transport = InMemoryTransport(clock: clock, routes: [:], fallback: web)
    for (point, effects) in [(1, 0), (2, 1)] {
      let first = transport.points
      transport.interceptor = { place in
        place.number == first + point ? .fail(HTTPFailure(.cancelled, "cut", beforeFirstByte: point == 1)) : .pass
      }
      #expect(await failure(transport, HTTPRequest("POST", "https://a.example/hook"))?.message == "cut")
      #expect(web.ledger.count == effects)
    }
  }

  @Test func aWebSiteAnswersWhatItsTableSays() async throws {
    let web = SimulatedWeb(clock: clock, rules: [.init(matching: "GET /health", status: 503, times: 1)])
    let transport = InMemoryTransport(clock: clock, routes: [:], fallback: web)
    var statuses: [Int] = []
    for _ in 1...2 { statuses.append(try await transport.send(HTTPRequest("GET", "https://a.example/health")).status) }
    try web.inject("429:2")
    for _ in 1...3 { statuses.append(try await transport.send(HTTPRequest("GET", "https://a.example/")).status) }
    #expect(statuses == [503, 200, 429, 429, 200])
    #expect(throws: ExpressionFailure.self) { try web.inject("slow") }
  }
}
