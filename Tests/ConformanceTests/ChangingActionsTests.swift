import Runbook
import TestSupport
import Testing

/// Tables of every action of every cloud. They are long, and one after the other they leave room for tests that really
/// wait.
@Suite(.serialized) enum EveryActionTests {}

extension EveryActionTests {
  /// Every changing action of every cloud: its class, and what its probe tells of a request that was lost before the
  /// effect, of a reply that was lost after it, and of both arriving late.
  @Suite struct ChangingActionsTests {
    /// How a request or its reply gets lost, and when its effect takes place.
    enum Fate: String, Sendable, CaseIterable {
      case lostBefore = "request_lost"
      case lostAfter = "reply_lost"
      case requestLate = "request_late"
      case replyLate = "reply_late"

      func fault(_ operation: String) -> String {
        switch self {
        case .requestLate: "\(rawValue):\(operation):30s"
        case .replyLate: "\(rawValue):\(operation):2m"
        default: "\(rawValue):\(operation)"
        }
      }
    }

    @Test(arguments: CloudUnderTest.all)
    func everyChangingActionIsInTheTable(_ cloud: CloudUnderTest) throws {
      let listed = Set(ChangingAction.all.filter { $0.cloud.type == cloud.type }.map { $0.action })
      let changing = Set(try cloud.kind.actions.filter { $0.effect != .none }.map { $0.name })
      #expect(changing == listed)
    }

    /// E1 has a key and a window, E4 is never repeated, and the page says for each how it is found again.
    @Test(arguments: ChangingAction.all)
    func theClassSaysWhatIsDone(_ row: ChangingAction) throws {
      let world = try CloudWorld(row.cloud)
      let action = try world.driver(row.action).action
      let declared = try #require(try row.cloud.kind.actions.first { $0.name == row.action })
      #expect(declared.effectClass == action.declaration.effectClass)
      let operation = try #require(declared.operation)
      #expect(!operation.recovery.isEmpty)
      switch action.declaration.effectClass {
      case .keyed: #expect(action.keyWindow.map { $0 > action.maxRequestLife } ?? true)
      case .findable: #expect(!operation.absence.isEmpty)
      case .convergent: #expect(row.end != .oneOrAsked)
      case .opaque: #expect(row.end == .oneOrAsked)
      }
      if row.end == .again { #expect(action.declaration.effectClass == .convergent) }
    }

    /// What every cloud has is lost in nine ways by `LostReplyTests` already.
    @Test(arguments: ChangingAction.all.filter { $0.isOwn || Campaign.isLong }, Fate.allCases)
    func theEffectTakesPlaceOnceOrAPersonIsAsked(_ row: ChangingAction, _ fate: Fate) async throws {
      let (world, with) = try await row.world()
      let earlier = (world.effects(row.effect), sent(row, world))
      try world.twin.inject(fate.fault(row.operation))
      var asked: StepFailure?
      do {
        try await world.run(row.action, with, created: row.created(with))
      } catch let failure as StepFailure {
        asked = failure
      }
      let effects = world.effects(row.effect) - earlier.0
      let requests = sent(row, world) - earlier.1
      #expect(world.twin.unfiredFaults == [], "the fault never fired")
      switch row.end {
      case .once:
        #expect(asked == nil, "\(asked?.message ?? "")")
        #expect(effects == 1)
      case .oneOrAsked:
        let hasTakenPlace = fate != .lostBefore
        #expect(effects == (hasTakenPlace || asked == nil ? 1 : 0))
        if let asked {
          #expect(asked.effect == .unknown, "\(asked.message)")
          #expect(requests == 1)
        }
      case .again:
        #expect(asked.map { $0.effect == .unknown } ?? true, "\(asked?.message ?? "")")
        if asked != nil { try await world.run(row.action, with, key: "again") }
        #expect(effects <= 1)
        #expect(world.effects(row.effect) - earlier.0 >= 1)
      }
    }

    /// At once, when no request can be under way any more, and an hour later. Never the contrary of what is so.
    @Test(arguments: ChangingAction.all, Fate.allCases)
    func theProbeNeverTellsTheContrary(_ row: ChangingAction, _ fate: Fate) async throws {
      let (world, with) = try await row.world()
      try world.twin.inject(fate.fault(row.operation))
      var driver = try world.driver(row.action)
      driver.createdServers = Set(row.created(with).compactMap { $0.string })
      let all = try world.fields(row.action, with)
      let before = try await driver.action.capture(driver.call(all))
      let earlier = world.effects(row.effect)
      let call = driver.call(all, before: before, intendedAt: world.clock.now)
      let failure = await #expect(throws: StepFailure.self) { try await driver.action.perform(call) }
      #expect(failure?.effect == .unknown, "\(failure?.message ?? "")")
      #expect(world.twin.unfiredFaults == [])
      for pause in [0, 90, 3600] as [Int64] {
        await world.clock.sleep(for: .seconds(pause))
        let answer = try await driver.action.probe(call)
        let hasTakenPlace = world.effects(row.effect) > earlier
        switch answer {
        case .applied: #expect(hasTakenPlace || isPart(row), "after \(pause) s")
        case .notApplied: #expect(!hasTakenPlace || isPart(row), "after \(pause) s")
        // While it goes on it may look like another change.
        case .unsure: #expect(row.end != .once || pause == 0, "after \(pause) s")
        case .failed(let failure): Issue.record("after \(pause) s: \(failure.message)")
        }
      }
      let isExpected = fate != .lostBefore
      #expect((world.effects(row.effect) > earlier) == isExpected)
    }

    /// A request of a recipe that is not its last: the whole is not applied, whatever became of the part.
    private func isPart(_ row: ChangingAction) -> Bool {
      row.cloud.type == "zstack" && row.action.hasPrefix("rescue.") && row.operation != "server.reboot"
    }

    private func sent(_ row: ChangingAction, _ world: CloudWorld) -> Int {
      world.twin.requests.count { $0 == row.operation }
    }
  }
}

extension EveryActionTests {
  /// Hazards that can strike any change.
  @Suite struct ChangingActionHazardsTests {
    /// Clouds with sessions open another one; a token that ends, ends the step and is named.
    @Test(arguments: ChangingAction.all, Campaign.isLong ? [1, 2, 3, 5, 8] : [2])
    func aCredentialThatEndsOnTheWayIsReplacedOrNamed(_ row: ChangingAction, after requests: Int) async throws {
      let (world, with) = try await row.world()
      let earlier = world.effects(row.effect)
      try world.twin.inject("token_expires:\(requests)")
      var refused: StepFailure?
      do { try await world.run(row.action, with, created: row.created(with)) } catch let failure as StepFailure {
        refused = failure
      }
      #expect(world.effects(row.effect) - earlier <= 1)
      if let refused {
        #expect(world.cloud.settings["token"] != nil, "\(refused.message)")
        #expect(refused.kind == .auth, "\(refused.message)")
        #expect(!refused.retryable)
        let name = world.cloud.type == "vps_org" ? "token" : "credential"
        #expect(refused.message.contains(name), "\(refused.message)")
      } else {
        #expect(world.effects(row.effect) - earlier == 1)
      }
    }

    /// A word that no document names is a change that goes on: waited for, shown, and no failure.
    @Test(arguments: ChangingAction.all.filter { !$0.isRaw })
    func aWordNeverSeenIsStillChanging(_ row: ChangingAction) async throws {
      let (world, with) = try await row.world()
      let earlier = world.effects(row.effect)
      try world.twin.inject("unknown_status:\(row.operation):pondering")
      var driver = try world.driver(row.action)
      driver.createdServers = Set(row.created(with).compactMap { $0.string })
      let outcome = try await driver.run(try world.fields(row.action, with))
      #expect(world.effects(row.effect) - earlier == 1)
      // Where jobs are told of, their words are shown, and a deletion may be over at once.
      let showsWords =
        ["vps_org", "zomro", "./acme.yaml"].contains(world.cloud.type) && !row.operation.hasSuffix("delete")
      guard showsWords, world.twin.unfiredFaults.isEmpty else {
        return
      }
      #expect(outcome.nativeStates.contains("pondering"), "\(outcome.nativeStates)")
    }
  }
}
