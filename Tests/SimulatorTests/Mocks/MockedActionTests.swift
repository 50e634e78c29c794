import Runbook
import Simulator
import Steps
import Testing

/// One call of a built-in action in a simulated world.
private struct Room {
  let clock = VirtualClock()
  let actions: [String: any Action]

  init(_ mocks: String? = nil, real: Set<String> = []) throws {
    let file = try mocks.map { try MockFile(yaml: Array("mock: v1\n\($0)".utf8)) }
    let made = SimulatedActions.make(from: standardActions, real: real, mocks: file)
    actions = Dictionary(uniqueKeysWithValues: made.map { ($0.declaration.name, $0) })
  }

  func call(_ step: String, _ with: [String: Value] = [:], within: Duration = .seconds(3600)) -> ActionCall {
    ActionCall(
      with: Arguments(with), key: "key-\(step)", runID: "r0123456789abcdefghi", clock: clock,
      transport: InMemoryTransport(clock: clock, routes: [:]), scripts: SimulatedScripts(clock: clock),
      files: SimulatedFiles(), deadline: clock.now + within, step: step)
  }

  func perform(_ action: String, _ call: ActionCall) async throws -> ActionResult {
    try await #require(actions[action]).perform(call)
  }

  func failure(_ action: String, _ call: ActionCall) async throws -> StepFailure {
    let found = try #require(actions[action])
    return try #require(await #expect(throws: StepFailure.self) { try await found.perform(call) })
  }
}

@Suite struct MockedActionTests {
  @Test(arguments: ["run", "ssh.run", "ssh.ping", "net.tcp", "file.write"])
  func aSealedActionAnswersSuccessWithoutItsFields(_ action: String) async throws {
    let room = try Room()
    let result = try await room.perform(action, room.call("it"))
    #expect(result.result["exit_code"] ?? 0 == 0)
  }

  /// An action of a family that nobody has heard of.
  private struct PagerAction: StandardAction {
    static let declaration = ActionDeclaration("pager.ring", "wakes somebody", fields: [], effect: .change)
    func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
      throw StepFailure(.server, "it rang")
    }
  }

  @Test func anActionIsSealedUnlessItSaysThatItTouchesNothingOutside() async throws {
    let room = try Room()
    let pager = try #require(SimulatedActions.make(from: [PagerAction()]).first)
    _ = try await pager.perform(room.call("it"))
    #expect(try await pager.probe(room.call("it")) == .unsure)
    let real = try #require(SimulatedActions.make(from: [PagerAction()], real: ["pager.ring"]).first)
    await #expect(throws: StepFailure(.server, "it rang")) { _ = try await real.perform(room.call("it")) }
  }

  @Test func onlyTheseActionsTouchNothingOutside() {
    let open = standardActions.map { $0.declaration }.filter { !SimulatedActions.isSealed($0) }.map { $0.name }
    #expect(Set(open) == ["assert", "commit", "fail", "log.info", "log.warn", "sleep"])
  }

  @Test func anOpenActionIsItself() async throws {
    let room = try Room()
    let failure = try await room.failure("log.info", room.call("it"))
    #expect(failure.kind == .input)
  }

  @Test func aMockedExitCodeFailsTheStepAndCountsAsApplied() async throws {
    let room = try Room("steps: {update: {result: {exit_code: 100, stderr: held packages}}}")
    let failure = try await room.failure("ssh.run", room.call("update"))
    #expect(failure.kind == .exitCode)
    #expect(failure.effect == .applied)
    #expect(failure.detail["stderr"] == "held packages")
  }

  @Test func anExitCodeThatTheAuthorJudgesIsAnAnswer() async throws {
    let room = try Room("steps: {update: {result: {exit_code: 2}}}")
    let result = try await room.perform("run", room.call("update", ["_accept_any_exit_code": true])).result
    #expect(result["exit_code"] == 2)
  }

  @Test func aStepsOwnAnswersGoBeforeItsActions() async throws {
    let room = try Room(
      """
      steps: {a: {result: {stdout: of the step}}}
      actions: {run: {result: {stdout: of the action}}}
      """)
    #expect(try await room.perform("run", room.call("a")).result["stdout"] == "of the step")
    #expect(try await room.perform("run", room.call("b")).result["stdout"] == "of the action")
  }

  @Test func theAnswersOfAListAreUsedInTurnAndTheLastOneForEver() async throws {
    let room = try Room("steps: {a: [{fail: {kind: unreachable}, times: 2}, {fail: {kind: limit}}, {}]}")
    var kinds: [StepFailure.Kind] = []
    for _ in 0..<3 { kinds.append(try await room.failure("run", room.call("a")).kind) }
    #expect(kinds == [.unreachable, .unreachable, .limit])
    for _ in 0..<2 { _ = try await room.perform("run", room.call("a")) }
  }

  @Test func aFailureSaysWhatTheMockFileSays() async throws {
    let room = try Room(
      "steps: {a: {fail: {kind: rate_limited, message: slow down, effect: none, retryable: true, retry_after: 7s}}}")
    let failure = try await room.failure("run", room.call("a"))
    #expect(failure == StepFailure(.rateLimited, "slow down", retryable: true, retryAfter: .seconds(7)))
  }

  @Test func aCallTakesAsLongAsItsAnswerSays() async throws {
    let room = try Room("steps: {a: {after: 90s}}")
    let begin = room.clock.now
    _ = try await room.perform("run", room.call("a"))
    #expect(room.clock.now - begin == .seconds(90))
  }

  @Test func aCallLongerThanItsStepTimesOut() async throws {
    let room = try Room("steps: {a: {after: 90s}}")
    let failure = try await room.failure("run", room.call("a", within: .seconds(30)))
    #expect(failure.kind == .timeout)
    #expect(failure.effect == .applied)
  }

  @Test func aCancelEndsACallThatIsUnderWay() async throws {
    let room = try Room("steps: {a: {after: 90s}}")
    let action = try #require(room.actions["run"])
    try await action.cancel(room.call("a"))
    let failure = try await room.failure("run", room.call("a"))
    #expect(failure.kind == .cancelled)
  }

  @Test func anActionThatStaysRealIsNotAnsweredFor() async throws {
    let room = try Room(real: ["net.tcp"])
    let failure = try await room.failure("net.tcp", room.call("a"))
    #expect(failure.kind == .input)
  }
}
