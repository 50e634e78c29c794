import Runbook
import TestSupport
import Testing

/// What cannot be done ends in the same kind of failure on every cloud, and tells no secret.
@Suite struct RefusalTests {
  @Test(arguments: CloudUnderTest.all, Way.allCases)
  func aServerThatIsNotThereIsNotFound(_ cloud: CloudUnderTest, _ way: Way) async throws {
    let world = try CloudWorld(cloud, way)
    // Of the same shape as a real one.
    let missing = String(cloud.server.dropLast()) + (cloud.server.hasSuffix("9") ? "8" : "9")
    let failure = try await world.failure("server.status", ["server": .string(missing)])
    #expect(failure.kind == .notFound, "\(failure.message)")
    #expect(failure.message.contains(missing), "\(failure.message)")
    let driver = try world.driver("server.stop")
    let with = try world.fields("server.stop", ["server": .string(missing)])
    #expect(try await driver.action.liveCheck(driver.call(with)).count == 1)
  }

  @Test(arguments: CloudUnderTest.all)
  func whatCannotBeAnIDIsRefusedBeforeAnyCall(_ cloud: CloudUnderTest) async throws {
    for id in ["", "..", "a/b\u{0}", String(repeating: "x", count: 2000)] {
      let world = try CloudWorld(cloud)
      let failure = try await world.failure("server.stop", ["server": .string(id)])
      #expect(failure.kind == .input || failure.kind == .notFound, "\(failure.message)")
      #expect(world.twin.ledger == [])
      #expect(failure.message.utf8.count < 600)
    }
  }

  @Test(arguments: CloudUnderTest.all)
  func aGoodCredentialHasNoProblems(_ cloud: CloudUnderTest) async throws {
    let world = try CloudWorld(cloud)
    #expect(try await world.provider.liveCheck() == [])
    let report = await world.provider.report()
    #expect(report.problems == [])
    #expect(world.twin.ledger == [])
    #expect(try await world.provider.state(ofServer: cloud.server) == .running)
  }

  @Test(arguments: CloudUnderTest.all)
  func aCredentialThatIsRefusedIsAProblemAndNotShown(_ cloud: CloudUnderTest) async throws {
    var settings: [String: Value] = [:]
    for (name, value) in cloud.settings {
      if case .secret = value { settings[name] = .secret(Secret("wrong-\(cloud.canary)", named: [name])) }
    }
    let world = try CloudWorld(cloud, settings: settings)
    var problems = await world.provider.report().problems
    do throws(StepFailure) { problems += try await world.provider.liveCheck() } catch {
      #expect(error.kind == .auth, "\(error.message)")
      problems.append(error.message)
    }
    #expect(problems.count >= 2)
    #expect(!problems.contains { $0.contains(cloud.canary) }, "\(problems)")
  }

  @Test(arguments: CloudUnderTest.all)
  func aStormEndsInAFailureWithoutTheSecret(_ cloud: CloudUnderTest) async throws {
    for fault in ["503:1000", "html_200:1000", "request_lost:1000"] {
      let world = try CloudWorld(cloud, faults: [fault])
      let failure = try await world.failure("server.status")
      #expect(failure.retryable, "\(failure.message)")
      #expect(failure.effect == .none)
      #expect(!"\(failure)".contains(cloud.canary))
    }
  }
}
