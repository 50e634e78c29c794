import Runbook
import Simulator
import Stores
import Testing

@testable import Operations

@Suite struct AnswerTests {
  let place = OperationPlace()

  private func decision(
    _ run: String, step: String? = nil, isApproval: Bool = true, seen: String? = nil, by person: String = "ops"
  ) async throws(OperationRefusal) -> DecideApproval.Outcome {
    var place = place
    place.requester = person
    let row = try await FindRun(place.context()).find(.id(run))
    return try await DecideApproval(
      row, step: step, isApproval: isApproval, comment: "", seen: seen, place.context()
    ).give {}
  }

  private func refused(_ body: () async throws(OperationRefusal) -> DecideApproval.Outcome) async -> OperationRefusal? {
    await refusal(of: body)
  }

  /// A run that is parked at its question.
  private func asking(_ steps: String = Sample.asking) async throws -> String {
    let assignment = try await place.begin(steps)
    assignment.control.leave("enough")
    _ = await place.work(on: assignment)
    try await dieAsking(assignment.lease.runID)
    return assignment.lease.runID
  }

  /// It asks, and its process is then gone.
  private func dieAsking(_ run: String) async throws {
    let next = try await place.resumption(run).takeOver(in: place.world)
    let life = KillSwitch(where: "after commit", and: "run.waiting")
    var process = SimulatedProcess(
      world: place.world, store: place.store, runbook: next.runbook, source: next.source,
      observer: RecordingObserver())
    process.control = next.control
    _ = await process.work(on: next.lease, life)
    #expect(life.place != nil)
  }

  @Test func aStepMustBeNamedWhenSeveralAsk() async throws {
    let run = try await asking(Sample.askingTwice)
    let context = place.context()
    let outlook = try #require(try await context.outlook(of: run))
    #expect(outlook.openApprovals.map(\.step) == ["both.left", "both.right"])
    #expect(
      await refused { () async throws(OperationRefusal) in try await decision(run) }
        == .severalApprovals(run: run, steps: ["both.left", "both.right"]))
    #expect(
      await refused { () async throws(OperationRefusal) in try await decision(run, step: "left") }
        == .noApproval(run: run, step: "left", open: [.approval(step: "both.left"), .approval(step: "both.right")]))
    #expect(try await decision(run, step: "both.right").question.step == "both.right")
    let seen = try #require(outlook.openApprovals.first?.digest)
    #expect(try await decision(run, seen: seen).question.step == "both.left")
  }

  @Test func anApprovalThatWaitsIsCarriedOutByTheNextProcess() async throws {
    let run = try await asking()
    let outcome = try await decision(run)
    #expect(outcome.question.step == "go" && outcome.question.prompt == "Go on?")
    #expect(!outcome.isHeeded && !outcome.isLive)
    let resumed = try await place.resumption(run).takeOver(in: place.world)
    #expect(await place.work(on: resumed).exit == .succeeded)
  }

  @Test func aSecondAnswerIsRefusedWithTheFirst() async throws {
    let run = try await asking()
    _ = try await decision(run, isApproval: false, by: "first")
    guard
      case .answered(run, let earlier, isLive: false)? = await refused({ () async throws(OperationRefusal) in
        try await decision(run, by: "second")
      })
    else {
      Issue.record("it was not refused")
      return
    }
    #expect(earlier.requester == "first" && earlier.kind == ApprovalAnswer.rejection)
  }

  @Test func anotherQuestionThanThePersonHasSeenIsNotAnswered() async throws {
    let run = try await asking()
    guard
      case .notSeen("abc", let question)? = await refused({ () async throws(OperationRefusal) in
        try await decision(run, seen: "abc")
      })
    else {
      Issue.record("it was not refused")
      return
    }
    #expect(try await decision(run, seen: question.digest).question == question)
  }

  @Test func anotherStepThanTheOneThatAsksIsNamed() async throws {
    let run = try await asking()
    #expect(
      await refused { () async throws(OperationRefusal) in try await decision(run, step: "one") }
        == .noApproval(run: run, step: "one", open: [.approval(step: "go")]))
    let row = try place.store.summary(of: run)
    #expect(
      await refusal { () async throws(OperationRefusal) in
        try await ResolveStep(row, step: "go", .applied, place.context()).give {}
      } == .noQuestion(run: run, step: "go", open: []))
  }

  @Test func anAnswerAfterTheTimeToAnswerIsTooLate() async throws {
    let run = try await asking()
    place.clock.advance(by: .seconds(3601))
    guard case .answerTooLate(run, _)? = await refused({ () async throws(OperationRefusal) in try await decision(run) })
    else {
      Issue.record("it was not refused")
      return
    }
  }

  @Test func aRunThatHasEndedAsksNothing() async throws {
    let run = try await place.run(Sample.one)
    #expect(await refused { () async throws(OperationRefusal) in try await decision(run) } == .ended(run: run))
  }
}
