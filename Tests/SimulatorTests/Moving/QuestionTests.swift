import Runbook
import Simulator
import Stores
import Testing

/// A question for people is answered by an answer to it, and by nothing else.
@Suite struct QuestionTests {
  private static let opaque = """
    runbook: v1
    name: opaque
    locks: [rack-1]
    steps:
      - {id: before, run: echo before, rollback: [{run: echo undo-before}]}
      - {id: publish, action: http.post, with: {url: "http://127.0.0.1:8099/do/503/x"}, rollback: none}
    """

  private func parked() async throws -> MovingWorld {
    let world = try MovingWorld(Self.opaque)
    guard case .parked("publish", _) = try await world.start() else {
      Issue.record("not parked: \(world.story)")
      return world
    }
    return world
  }

  @Test func aSecondAnswerToTheSameQuestionIsNotTheAnswerToTheNext() async throws {
    let world = try await parked()
    let answer: Value = ["step": "publish", "answer": "retry", "question": 1]
    try world.post("resolve", answer)
    try world.post("resolve", answer)
    guard case .parked = try await world.resume() else {
      Issue.record("\(world.story)")
      return
    }
    #expect(world.web.deeds == ["POST x", "POST x"])
    guard case .parked = try await world.resume() else {
      Issue.record("\(world.story)")
      return
    }
    #expect(world.web.deeds == ["POST x", "POST x"], "sent a third time unasked")
    #expect(world.events("request.ignored").count == 1)
    #expect(world.events("run.waiting").compactMap { $0.fields["question"]?.int } == [1, 2])
    // Nor is it one that comes while the next question is open.
    try world.post("resolve", answer)
    guard case .parked = try await world.resume() else {
      Issue.record("\(world.story)")
      return
    }
    #expect(world.web.deeds == ["POST x", "POST x"], "sent a third time by an answer to the first question")
    #expect(world.events("request.ignored").last?.fields["reason"]?.string?.contains("earlier question") == true)
  }

  @Test func anAnswerAboutAnotherStepIsIgnoredWithItsReason() async throws {
    let world = try await parked()
    try world.post("resolve", ["step": "before", "answer": "applied", "question": 1])
    guard case .parked = try await world.resume() else {
      Issue.record("\(world.story)")
      return
    }
    #expect(world.events("request.ignored").first?.fields["reason"]?.string?.contains("before") == true)
  }

  @Test func aCancelOfAParkedRunIsCarriedOut() async throws {
    let world = try await parked()
    try world.post("cancel", ["rollback": true])
    let end = try await world.resume()
    #expect(end.exitCode == 5, "\(world.story)")
    #expect(world.started == ["/bin/sh -eu", "/bin/sh -eu"])
    #expect(world.locks == [])
    #expect(world.end(of: "publish")?.fields["error"]?["effect"] == "unknown")
  }

  @Test func aRollbackThatIsPendingKeepsTheLocksUntilSomebodyDecides() async throws {
    let world = try await parked()
    try world.post("cancel", ["rollback": false])
    let end = try await world.resume()
    #expect(end.ended?.rollback == .pending)
    #expect(world.locks == ["rack-1"], "another run could take the lock in the middle of what is owed")
    var desk = try await world.desk()
    try await desk.resume(by: "ops")
    try world.store.release(desk.lease)
    #expect(try await world.resume().exitCode == 5)
    #expect(world.locks == [])
  }

  /// A lock that was freed by hand is taken again before anything is done; another run that holds it now goes first.
  @Test func aRunWhoseLockWasFreedByHandTakesItAgainOrWaits() async throws {
    let world = try await parked()
    try world.post("cancel", ["rollback": true])
    let lease = try world.store.takeOver(
      MovingWorld.runID, owner: Owner(host: "desk", bootID: "desk", pid: 1, processStart: 1), leaseFor: .seconds(10))
    try world.store.append(
      [], to: MovingWorld.runID, epoch: lease.epoch, summary: nil, locks: [], releasingLocks: true)
    try world.store.release(lease)
    let other = try world.store.create(
      RunSummary(
        id: "r1111111111111111111", name: "other", status: "running", startedAt: world.clock.now, fingerprint: ""),
      owner: lease.owner, leaseFor: .seconds(10), locks: ["rack-1"], entries: [])
    let deeds = world.started.count
    guard case .lost(.lockHeld("rack-1", _)) = try await world.resume() else {
      Issue.record("it went on beside the other run: \(world.story)")
      return
    }
    #expect(world.started.count == deeds)
    try world.store.append([], to: other.runID, epoch: 1, summary: nil, locks: [], releasingLocks: true)
    #expect(try await world.resume().exitCode == 5)
    #expect(world.locks == [])
  }

  @Test func anAbandonedRollbackNeedsSomebodyAndFreesTheLocks() async throws {
    let world = try await parked()
    try world.post("cancel", ["rollback": false])
    _ = try await world.resume()
    var desk = try await world.desk()
    try await desk.abandon(reason: "replaced", by: "ops")
    #expect(world.locks == [])
    #expect(try world.store.summary(of: MovingWorld.runID).exitCode == 4)
  }

  /// While what was done is undone, a cancel would change nothing, and nobody is told that it did.
  @Test func aCancelThatComesTooLateIsAnsweredWithItsReason() async throws {
    let world = try MovingWorld(
      """
      runbook: v1
      name: late_cancel
      steps: [{id: one, run: echo one, rollback: none}]
      always: [{run: echo bell}]
      """, scripts: [.init(matching: "bell", duration: .seconds(60))])
    try await world.start(killedAt: "while waiting for a script")
    _ = try? await world.resume(life: KillSwitch(where: "after starting a script"))
    try world.post("cancel", ["rollback": true])
    let end = try await world.resume()
    #expect(end.exitCode == 0, "\(world.story)")
    #expect(world.events("request.ignored").first?.fields["reason"]?.string?.contains("always") == true)
    #expect(world.events("cancel.requested").isEmpty)
  }
}

extension MovingWorld {
  /// What a person does about a rollback that stopped.
  func desk() async throws -> RollbackDesk {
    let owner = Owner(host: "desk", bootID: "desk", pid: 1, processStart: 1)
    let lease = try store.takeOver(MovingWorld.runID, owner: owner, leaseFor: .seconds(10))
    // The person's command ends; what it wrote stays good until the run is taken over.
    store.dropProof(of: lease)
    return try await RollbackDesk(runbook, store: store, lease: lease, clock: clock)
  }
}
