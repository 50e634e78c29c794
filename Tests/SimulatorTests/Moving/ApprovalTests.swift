import Runbook
import Simulator
import Stores
import Synchronization
import TestSupport
import Testing

/// A step waits for a person's word: for as long as it says, through crashes and whatever clocks do, and one answer
/// counts.
@Suite struct ApprovalTests {
  private static func runbook(_ fields: String = "", timeout: String = "24h") -> String {
    """
    runbook: v1
    name: asks
    locks: [rack-1]
    timeout: \(timeout)
    steps:
      - {id: before, run: echo before, rollback: [{run: echo undo-before}]}
      - {id: go, approve: {prompt: "Go on with ${{ run.name }}?"\(fields)}}
      - {id: after, run: echo after, rollback: none}
    outputs: {by: steps.go.outputs.by, comment: steps.go.outputs.comment, approved: steps.go.outputs.approved}

    """
  }

  private func asking(_ text: String = runbook()) async throws -> MovingWorld {
    let world = try MovingWorld(text)
    let life = KillSwitch(where: "after commit", and: "run.waiting")
    _ = try await world.start(life: life)
    try #require(life.place != nil, "it did not ask: \(world.story)")
    return world
  }

  // MARK: Answers

  @Test func anApprovalLetsTheRunGoOn() async throws {
    let world = try await asking()
    try await world.answer(.approve, comment: "ticket 812")
    let end = try await world.resume()
    #expect(end.exitCode == 0, "\(world.story)")
    #expect(world.started.count == 2)
    #expect(end.ended?.outputs == ["by": "ops", "comment": "ticket 812", "approved": true])
  }

  @Test func anAnswerThatComesWhileARunWaitsIsHeededAtOnce() async throws {
    let world = try MovingWorld(Self.runbook())
    let control = RunControl()
    var process = world.process(control)
    process.observer = Answering(world.observer) { fields in
      control.post(.answer(fields.answer(.approve, by: "alice")))
    }
    let begun = world.clock.monotonic
    let end = try await process.start(MovingWorld.runID, inputs: [:])
    #expect(end.exitCode == 0, "\(world.story)")
    #expect(world.clock.monotonic - begun < .seconds(120))
    #expect(end.ended?.outputs["by"] == "alice")
  }

  @Test func aRejectionFailsTheStepAndUndoesWhatWasDone() async throws {
    let world = try await asking()
    try await world.answer(.reject, comment: "not on a Friday")
    let end = try await world.resume()
    #expect(end.exitCode == 3, "\(world.story)")
    #expect(world.started == ["/bin/sh -eu", "/bin/sh -eu"])
    let error = world.end(of: "go")?.fields["error"]
    #expect(error?["kind"] == "rejected" && error?["effect"] == "none")
    #expect(error?["message"] == "ops did not allow it: not on a Friday")
  }

  @Test func aCancelEndsTheQuestion() async throws {
    let world = try await asking()
    try world.post("cancel", ["rollback": true])
    #expect(try await world.resume().exitCode == 5, "\(world.story)")
    #expect(world.end(of: "go")?.fields["status"] == "cancelled")
    #expect(world.locks == [])
  }

  @Test func aBlankQuestionIsNotAsked() async throws {
    let text = Self.runbook().replacing("Go on with ${{ run.name }}?", with: "  ${{ '  ' + '' }}")
    let world = try MovingWorld(text)
    let end = try await world.start()
    #expect(end.exitCode == 3, "\(world.story)")
    #expect(world.end(of: "go")?.fields["error"]?["kind"] == "input")
    #expect(world.events("run.waiting") == [])
  }

  // MARK: Who may answer

  @Test(
    arguments: [
      ("operator", "", "operator started the run, and somebody else has to approve it"),
      ("operator", ", allow_requester: true", nil), ("alice", ", approvers: [alice, bob]", nil),
      ("carol", ", approvers: [alice, bob]", "carol is not one of its `approvers`"),
    ] as [(String, String, String?)])
  func whoMayApprove(_ person: String, _ fields: String, _ refusal: String?) async throws {
    let world = try await asking(Self.runbook(fields))
    try await world.answer(.approve, by: person)
    let end = try await world.resume(life: KillSwitch(where: "after commit", and: "request.ignored"))
    #expect(try world.ignored() == (refusal.map { [$0] } ?? []))
    #expect((end.exitCode == 0) == (refusal == nil), "\(world.story)")
  }

  @Test func whoStartedARunMayRejectIt() async throws {
    let world = try await asking()
    try await world.answer(.reject, by: "operator")
    #expect(try await world.resume().exitCode == 3)
  }

  @Test func asManyDifferentPeopleAsItSaysMustApprove() async throws {
    let world = try await asking(Self.runbook(", approvers: [alice, bob, carol], min: 2"))
    try await world.answer(.approve, by: "alice")
    try await world.answer(.approve, by: "alice")
    try await world.answer(.approve, by: "bob")
    let end = try await world.resume()
    #expect(end.exitCode == 0, "\(world.story)")
    #expect(end.ended?.outputs["by"] == "alice, bob")
    #expect(try world.ignored() == ["alice has approved it already"])
  }

  @Test func oneRejectionIsEnough() async throws {
    let world = try await asking(Self.runbook(", min: 2"))
    try await world.answer(.approve, by: "alice")
    try await world.answer(.reject, by: "bob")
    #expect(try await world.resume().exitCode == 3, "\(world.story)")
    #expect(world.events("step.approved").count == 1)
  }

  // MARK: What an answer is bound to

  @Test func anApprovalOfAnotherTextDoesNotCount() async throws {
    let world = try await asking()
    try await world.answer(.approve) { $0.digest = "000000000000" }
    let end = try await world.resume(life: KillSwitch(where: "after commit", and: "request.ignored"))
    #expect(end.exitCode != 0)
    #expect(try world.ignored() == ["the question is not the one that ops was shown"])
    #expect(world.started.count == 1)
  }

  private static let undoAsks = """
    runbook: v1
    name: asks
    locks: [rack-1]
    rollback_policy: {timeout: 1h}
    steps:
      - id: change
        run: echo change
        rollback:
          - approve: {prompt: "Restore?", timeout: 8h}
          - run: echo undo
      - {id: broken, fail: "enough"}

    """

  @Test func anUndoCanAskAndTheTimeOfThePersonIsNotTheRollbacks() async throws {
    let world = try await asking(Self.undoAsks)
    world.clock.advance(by: .seconds(7 * 3600))
    try await world.answer(.approve)
    #expect(try await world.resume().exitCode == 3, "\(world.story)")
    #expect(world.started.count == 2)
  }

  @Test func anUndoThatWasRejectedStopsTheRollbackAndAsksAnewWhenThatGoesOn() async throws {
    let world = try await asking(Self.undoAsks)
    let first = try await world.question()
    try await world.answer(.reject)
    #expect(try await world.resume().exitCode == 4, "\(world.story)")
    #expect(world.started.count == 1 && world.locks == ["rack-1"])
    var desk = try await world.desk()
    try await desk.resume(by: "ops")
    try world.store.release(desk.lease)
    _ = try await world.resume(life: KillSwitch(where: "after commit", and: "run.waiting"))
    #expect(try await world.question().number == first.number + 1)
    // An answer to the first question is none to the second.
    try await world.answer(.approve) { $0.question = first.number }
    try await world.answer(.approve)
    #expect(try await world.resume().exitCode == 3, "\(world.story)")
    #expect(try world.ignored() == ["it answers an earlier question about `change.undo[0]`"])
    #expect(world.started.count == 2)
  }

  // MARK: Deadlines

  @Test(arguments: [("reject", 3, 0), ("continue", 0, 1)])
  func aQuestionThatNobodyAnswersForAWeekEndsAtItsDeadline(_ word: String, _ code: Int32, _ later: Int) async throws {
    let world = try MovingWorld(Self.runbook(", timeout: 7d, on_timeout: \(word)", timeout: "1h"))
    let end = try await world.start()
    #expect(end.exitCode == code, "\(world.story)")
    let asked = try #require(world.events("run.waiting").first).at
    let took = try #require(world.end(of: "go")).at - asked
    #expect(took >= .seconds(7 * 86_400) && took < .seconds(7 * 86_400 + 2), "\(took.text)")
    if code == 0 {
      #expect(end.ended?.outputs["approved"] == false && end.ended?.outputs["by"] == "")
    } else {
      #expect(world.end(of: "go")?.fields["error"]?["kind"] == "timeout")
    }
    #expect(world.started.count == (code == 0 ? 2 : 2))
  }

  private static let jumps: [Duration] = [
    .zero, .seconds(3600), .seconds(-3600), .seconds(86_400 * 365), .seconds(-86_400 * 365),
  ]

  /// The wall clock is set and the machine is booted anew while nobody works on the run.
  @Test(arguments: jumps, [false, true])
  func aQuestionKeepsItsDeadlineThroughCrashClockAndBoot(_ jump: Duration, _ isRebooted: Bool) async throws {
    let world = try await asking(Self.runbook(", timeout: 2d"))
    world.clock.advance(by: .seconds(86_400))
    world.clock.stepWallClock(by: jump)
    if isRebooted { world.clock.reboot() }
    let before = world.clock.monotonic
    #expect(try await world.resume().exitCode == 3, "\(world.story)")
    let waited = world.clock.monotonic - before
    if !isRebooted {
      #expect(waited > .seconds(86_400 - 120) && waited < .seconds(86_400 + 120), "\(waited.text)")
    } else {
      // Only the wall clock can tell how much is over: never more than the whole length is left.
      #expect(waited < .seconds(2 * 86_400 + 120), "\(waited.text)")
    }
  }

  @Test func theTimeInWhichAPersonWasAskedIsNotTheRuns() async throws {
    let world = try await asking(Self.runbook(timeout: "1h"))
    world.clock.advance(by: .seconds(20 * 3600))
    try await world.answer(.approve)
    #expect(try await world.resume().exitCode == 0, "\(world.story)")
  }

  /// It was given in time, and nobody worked on the run.
  @Test func anApprovalThatWasGivenInTimeCountsWheneverItIsRead() async throws {
    let world = try await asking()
    world.clock.advance(by: .seconds(23 * 3600))
    try await world.answer(.approve)
    world.clock.advance(by: .seconds(48 * 3600))
    #expect(try await world.resume().exitCode == 0, "\(world.story)")
  }

  /// Its owner looks at the store twice a second only, and the deadline comes in between.
  @Test func anApprovalThatIsInTheStoreAtTheDeadlineCounts() async throws {
    let world = try MovingWorld(Self.runbook(", timeout: 1h"))
    var process = world.process(RunControl())
    process.observer = Answering(world.observer) { [store = world.store] question in
      _ = try? store.post(
        "approve", body: JSONWriter.bytes(question.answer(.approve, by: "ops").message), to: MovingWorld.runID,
        requester: "ops"
      ) { _ in false }
    }
    let end = try await process.start(MovingWorld.runID, inputs: [:])
    #expect(end.exitCode == 0, "\(world.story)")
    #expect(try world.ignored() == [])
  }

  // MARK: Races

  enum Word: String, CaseIterable, Sendable { case approve, reject, cancel, deadline }

  /// All orders of two words: the first counts, and who said the other is told.
  @Test(arguments: Word.allCases, Word.allCases)
  func theFirstWordCountsAndTheOtherIsToldWhy(_ first: Word, _ second: Word) async throws {
    guard first != second || first != .deadline else { return }
    let world = try await asking()
    let question = try await world.question()
    for word in [first, second] {
      switch word {
      case .approve: try await world.answer(.approve, question, by: word == first ? "ops" : "late")
      case .reject: try await world.answer(.reject, question, by: word == first ? "ops" : "late")
      case .cancel: try world.post("cancel", ["rollback": true])
      case .deadline: world.clock.advance(by: .seconds(25 * 3600))
      }
    }
    let end = try await world.resume()
    let codes: [Word: Int32] = [.approve: 0, .reject: 3, .cancel: 5, .deadline: 3]
    // A cancel is asked for while the steps after the approval are still to be done.
    let isCancelled = second == .cancel && (first == .approve)
    // Who cancels after the deadline, or rejects, finds a run that is being undone.
    let expected = isCancelled ? 5 : first == .deadline && second == .cancel ? 5 : codes[first]
    #expect(end.exitCode == expected, "\(world.story)")
    let ignored = try world.ignored().count
    let isHeeded = isCancelled || second == .deadline || first == .deadline && second == .cancel
    #expect(ignored == (isHeeded ? 0 : 1), "\(world.story)")
    #expect(world.events("step.approved").count == (first == .approve ? 1 : 0))
  }

  // MARK: Crashes

  /// Killed at every point; whoever watches answers as soon as the question stands in the store.
  @Test(arguments: [Word.approve, .reject, .deadline])
  func aRunThatAsksAndIsKilledAnywhereAsksOnceAndHeedsOneAnswer(_ word: Word) async throws {
    let life = KillSwitch()
    let wanted = try await answered(word, MovingWorld(Self.runbook()), life).exitCode
    #expect(life.passed > 10)
    for point in 1...life.passed {
      let world = try MovingWorld(Self.runbook())
      let mortal = KillSwitch(at: point)
      _ = try? await answered(word, world, mortal)
      let end = try await answered(word, world, KillSwitch(), isResumed: true)
      let context = "killed at \(point), \(mortal.place ?? "nowhere"): \(world.story)"
      #expect(end.exitCode == wanted, "\(context)")
      let kinds = try world.store.entries(of: MovingWorld.runID, after: 0).map(\.kind)
      #expect(kinds.count { $0 == "run.waiting" } == 1, "\(context)")
      #expect(kinds.count { $0 == "step.approved" } == (word == .approve ? 1 : 0), "\(context)")
      #expect(kinds.count { $0 == "step.rejected" } == (word == .reject ? 1 : 0), "\(context)")
      #expect(world.started.count == 2, "\(context)")
    }
  }

  /// Starts or resumes the run, and answers once for all when it asks, or has asked.
  private func answered(
    _ word: Word, _ world: MovingWorld, _ life: KillSwitch, isResumed: Bool = false
  ) async throws -> RunEnd {
    let control = RunControl()
    var process = world.process(control)
    let post = { @Sendable [store = world.store] (question: ApprovalQuestion) in
      guard let word = MovingWorld.Word(rawValue: word.rawValue),
        (try? store.requests(for: MovingWorld.runID, after: 0))?.isEmpty == true
      else { return }
      _ = try? store.post(
        word.rawValue, body: JSONWriter.bytes(question.answer(word, by: "ops").message), to: MovingWorld.runID,
        requester: "ops"
      ) { _ in false }
      for request in (try? store.requests(for: MovingWorld.runID, after: 0)) ?? [] {
        if let message = RunControl.Message(request) { control.post(message) }
      }
    }
    process.observer = Answering(world.observer, post)
    guard isResumed else { return try await process.start(MovingWorld.runID, inputs: [:], life: life) }
    if let question = try? await world.openQuestion() { post(question) }
    return try await process.resume(MovingWorld.runID, life: life)
  }
}

// MARK: - Answering

extension MovingWorld {
  enum Word: String { case approve, reject }

  func openQuestion() async throws -> ApprovalQuestion? {
    try await RunOutlook(of: MovingWorld.runID, runbook, in: store).openApproval
  }
  func question() async throws -> ApprovalQuestion { try #require(try await openQuestion()) }

  /// Why messages did not count, as the journal has it.
  func ignored() throws -> [String] {
    try store.entries(of: MovingWorld.runID, after: 0).compactMap { RunEvent($0, runID: MovingWorld.runID) }
      .filter { $0.event == "request.ignored" }.compactMap { $0.fields["reason"]?.string }
  }

  /// Posts an answer as the command does.
  func answer(
    _ word: Word, _ question: ApprovalQuestion? = nil, by person: String = "ops", comment: String = "",
    _ change: (inout ApprovalAnswer) -> Void = { _ in }
  ) async throws {
    let question = if let question { question } else { try await self.question() }
    var answer = try await question.answer(
      word, by: person, comment, at: RunClock(clock, of: MovingWorld.runID, in: store).now)
    change(&answer)
    try await store.post(
      word.rawValue, body: JSONWriter.bytes(answer.message), to: MovingWorld.runID, requester: person)
  }
}

extension ApprovalQuestion {
  func answer(
    _ word: MovingWorld.Word, by person: String, _ comment: String = "", at instant: Timestamp? = nil
  ) -> ApprovalAnswer {
    ApprovalAnswer(
      step: step, question: number, digest: digest, isApproval: word == .approve, by: person, comment: comment,
      at: instant ?? until, request: 1)
  }
}

/// Calls somebody as soon as a question is asked.
private struct Answering: RunObserver {
  let base: RecordingObserver
  let whenAsked: @Sendable (ApprovalQuestion) -> Void

  init(_ base: RecordingObserver, _ whenAsked: @escaping @Sendable (ApprovalQuestion) -> Void) {
    self.base = base
    self.whenAsked = whenAsked
  }

  func observe(_ event: RunEvent) {
    base.observe(event)
    guard event.event == "run.waiting", let step = event.fields["step"]?.string,
      let prompt = event.fields["prompt"]?.string, let until = event.fields["until"],
      case .timestamp(let instant) = until
    else { return }
    whenAsked(
      ApprovalQuestion(
        step: StepPath(step), number: event.fields["question"]?.int.flatMap { Int(exactly: $0) } ?? 0, prompt: prompt,
        until: instant))
  }
  func progress(_ progress: RunProgress) { base.progress(progress) }
}
