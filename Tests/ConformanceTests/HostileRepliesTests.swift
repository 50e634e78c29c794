import Runbook
import Simulator
import TestSupport
import Testing

extension EveryActionTests {
  /// HTML with status 200, wrong types, words nobody knows and texts of ten million characters, in place of any reply:
  /// a failure that says so, tells no secret, and tells no lie about what was done.
  @Suite struct HostileRepliesTests {
    private func provider(
      _ world: CloudWorld, _ transport: HostileTransport
    ) throws -> any Provider {
      var block = world.cloud.settings
      block["url"] = "https://cloud.example.com"
      return try world.cloud.kind.connect(
        Arguments(block),
        environment: ProviderEnvironment(transport: transport, clock: world.clock, random: SeededRandom(seed: 1)))
    }

    private func check(_ failure: StepFailure, _ cloud: CloudUnderTest) {
      #expect(failure.message.utf8.count < 1500, "\(failure.message.prefix(300))")
      #expect(failure.detail.values.allSatisfy { "\($0)".utf8.count < 3000 })
      #expect(!"\(failure)".contains(cloud.canary))
    }

    @Test(arguments: CloudUnderTest.all, HostileReply.allCases)
    func aReadFailsOrTellsWhatItUnderstood(_ cloud: CloudUnderTest, _ reply: HostileReply) async throws {
      let foreign: [HostileReply] = [.html, .empty, .null, .list, .textsAreNull, .textsAreLists, .endlessText]
      for action in try cloud.kind.actions where action.effect == .none {
        let world = try CloudWorld(cloud)
        let transport = HostileTransport(over: world.transport, reply)
        let provider = try provider(world, transport)
        var driver = try world.driver(action.name)
        driver.action = try #require(provider.action(action.name))
        driver.attempts = 1
        let with = try world.fields(action.name, ["name": .string(cloud.name)])
        transport.begin(nth: nil)
        do throws(StepFailure) {
          let outputs = try await driver.run(with).result.outputs
          #expect(!foreign.contains(reply) || transport.struck == 0, "\(action.name): \(outputs)")
        } catch {
          check(error, cloud)
          #expect(error.effect == .none, "\(action.name)")
          // An empty list holds no texts that could be of another type.
          if foreign.contains(reply), transport.struck > 0 {
            #expect(error.kind == .server, "\(action.name): \(error.message)")
          }
        }
        #expect(world.twin.ledger == [])
      }
    }

    /// The first replies of the change itself, one after the other.
    @Test(arguments: ChangingAction.all, HostileReply.allCases)
    func aChangeTellsNoLieAboutItsEffect(_ row: ChangingAction, _ reply: HostileReply) async throws {
      // The first is mostly a look, the second the change itself. A check of every change tries some of the pairs.
      let draw = row.testDescription.utf8.reduce(Int(reply.rawValue.utf8.first ?? 0)) { ($0 &* 31 &+ Int($1)) % 1009 }
      guard Campaign.isLong || draw % 5 == 0 else { return }
      for nth in Campaign.isLong ? 1...8 : (draw / 5 % 2 + 1)...(draw / 5 % 2 + 1) {
        let world = try CloudWorld(row.cloud)
        let with = row.with.merging(try await row.prepare(world)) { _, made in made }
        let transport = HostileTransport(over: world.transport, reply)
        var driver = try world.driver(row.action)
        driver.action = try #require(try provider(world, transport).action(row.action))
        if row.action == "server.delete", let server = with["server"]?.string { driver.createdServers = [server] }
        let all = try world.fields(row.action, with)
        let before = try await driver.action.capture(driver.call(all))
        let call = driver.call(all, before: before, intendedAt: world.clock.now)
        let earlier = world.effects(row.effect)
        transport.begin(nth: nth)
        do throws(StepFailure) {
          let result = try await driver.action.perform(call)
          // A raw call gives what came; everything else, words of a length that can be kept.
          if !row.isRaw { #expect("\(result)".utf8.count < 20_000) }
          if transport.struck == 0 { #expect(world.effects(row.effect) - earlier <= 1) }
        } catch {
          check(error, row.cloud)
          if error.effect == .none { #expect(world.effects(row.effect) == earlier, "\(nth): \(error.message)") }
        }
        await world.clock.sleep(for: .seconds(1))
        #expect(world.effects(row.effect) - earlier <= 1, "reply \(nth)")
      }
    }
  }
}
