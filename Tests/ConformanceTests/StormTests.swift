import Runbook
import Simulator
import Synchronization
import TestSupport
import Testing

/// An API that answers 429, 502 or 503 to three in ten of whatever it is asked.
@Suite struct StormTests {
  @Test(arguments: CloudUnderTest.all)
  func aStormOfThirtyPercentCostsAtMostHalfAnAttemptMore(_ cloud: CloudUnderTest) async throws {
    var attempts = 0
    var effects = 0
    for seed in 0..<Campaign.count(6, torture: 400) {
      let world = try CloudWorld(cloud)
      let storm = Storm(over: world.transport, seed: UInt64(seed) &* 7919)
      var block = cloud.settings
      block["url"] = "https://cloud.example.com"
      let provider = try cloud.kind.connect(
        Arguments(block),
        environment: ProviderEnvironment(transport: storm, clock: world.clock, random: SeededRandom(seed: 1)))
      var driver = try world.driver("snapshot.create")
      driver.action = try #require(provider.action("snapshot.create"))
      driver.attempts = 50
      let with = try world.fields("snapshot.create", ["name": .string("storm-\(seed)")])
      var isDone = false
      while !isDone {
        do throws(StepFailure) {
          _ = try await driver.run(with)
          isDone = true
        } catch {
          guard error.retryable, world.effects("snapshot.create") == 0 else { throw error }
          await world.clock.sleep(for: .seconds(2))
        }
      }
      #expect(world.effects("snapshot.create") == 1)
      attempts += storm.changes
      effects += 1
    }
    // A few rounds scatter; the long campaign is held to what is promised.
    let most = Campaign.count(20, torture: 15)
    #expect(attempts * 10 <= most * effects, "\(cloud.type): \(attempts) attempts for \(effects) effects")
    #expect(attempts > effects, "the storm never struck a change")
  }
}

/// Swallows three in ten requests, and counts those for a change.
private final class Storm: HTTPTransport {
  private let inner: any HTTPTransport
  private let state: Mutex<(random: UInt64, changes: Int)>

  init(over inner: any HTTPTransport, seed: UInt64) {
    self.inner = inner
    state = Mutex((seed, 0))
  }

  var changes: Int { state.withLock { $0.changes } }

  func send(_ request: HTTPRequest) async throws(HTTPFailure) -> HTTPResponse {
    let text = request.url + String(decoding: request.body ?? [], as: UTF8.self)
    // Zomro posts everything; what changes is a form that is committed.
    let isOurs = !text.contains("func=") || text.contains("func=instances.snapshots.edit")
    let isChange = request.method == "POST" && isOurs
    let draw = state.withLock { state -> UInt64 in
      if isChange { state.changes += 1 }
      state.random &+= 0x9e37_79b9_7f4a_7c15
      var mixed = state.random
      mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
      mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
      return mixed ^ (mixed >> 31)
    }
    guard draw % 10 < 3 else { return try await inner.send(request) }
    let status = [429, 502, 503][Int(draw / 10 % 3)]
    return HTTPResponse(status: status, headers: status == 502 ? [] : [(name: "retry-after", value: "3")])
  }
}
