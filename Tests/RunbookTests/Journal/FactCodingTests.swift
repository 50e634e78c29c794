import Testing

@testable import Runbook

@Suite struct FactCodingTests {
  static let instant = Timestamp(seconds: 1_737_044_100, nanoseconds: 120_000_000)
  static let error = StepError(
    StepFailure(.rateLimited, "too many requests", effect: .none, retryable: true, detail: ["status": 429]),
    step: "stop",
    attempt: 2)

  static let facts: [Fact] = [
    .run(
      .started(
        RunStarted(
          name: "n", file: "f.yaml", inputs: ["d": .duration(.seconds(90)), "n": 1, "x": .double(1.5)], key: "k",
          requester: "ops",
          simulated: true, rerunOf: "r1", fromStep: "two", inherited: ["one": ["outputs": ["at": .timestamp(instant)]]])
      )),
    .run(.pinned(PinnedSource(text: "runbook: v1\n", files: ["./a.sh": [0, 255, 10]], folder: "/srv"))),
    .run(
      .resumed(
        RunResumed(
          epoch: 2, host: "h", pid: 7, boot: BootTime(id: "b", elapsed: .milliseconds(1500)), without: ["token"]))),
    .run(.checked(problems: ["no such server"])),
    .step(
      "update.undo[0]",
      .started(
        StepStarted(
          purpose: .undo, title: "t", action: "snapshot.restore", effectClass: .findable,
          effect: .destroy, key: "k", digest: "d", with: ["a": "b"], before: ["at": .timestamp(instant)],
          deadline: instant, isWait: false))),
    .step("stop", .attemptStarted(attempt: 2, key: "k2", cleared: true)), .step("stop", .requestFound),
    .step("stop", .requestCleared), .step("stop", .scriptAdopted),
    .step(
      "stop",
      .attemptEnded(
        AttemptEnded(
          attempt: 1, error: error,
          result: ActionResult(outputs: ["at": .timestamp(instant)], result: ["n": 1]),
          retryAt: instant))),
    .step("stop", .waiting(nativeState: "stopping", until: "stopped", deadline: instant, result: nil)),
    .step(
      "stop",
      .ended(
        StepEnded(
          purpose: .do, status: .succeeded, attempt: 2,
          outputs: ["list": [["at": .timestamp(instant)]], "for": .duration(.milliseconds(250))], error: nil,
          effect: .applied))),
    .step("stop", .parked(until: instant, error: error, question: 2)),
    .run(.told(WaitingTold(.approval, step: "go", question: 3, failures: ["`on_waiting[0]`: no"]))),
    .run(.told(WaitingTold(.state, step: "stop"))),
    .step(
      "go",
      .approvalAsked(
        ApprovalQuestion(
          step: "go", number: 3, prompt: "Restore?", until: instant, onTimeout: .continue, allowsRequester: true,
          approvers: ["alice", "bob"], minimum: 2))),
    .step(
      "go",
      .approvalAnswered(
        ApprovalAnswer(
          step: "go", question: 3, digest: "0123456789ab", isApproval: true, by: "alice", comment: "ticket 812",
          at: instant, request: 7))),
    .step(
      "go",
      .approvalAnswered(
        ApprovalAnswer(
          step: "go", question: 3, digest: "0123456789ab", isApproval: false, by: "bob", comment: "", at: instant,
          request: 8))),
    .step("stop", .resolved(answer: .notApplied, by: "ops", request: 3)),
    .run(.cancelRequested(by: "ops", rollback: false, request: 4)),
    .run(.requestIgnored(request: 5, reason: "too late")), .run(.storeRestored), .run(.restoredAccepted(by: "ops")),
    .run(.eventIgnored(event: "succeeded", step: "stop", reason: "it is not started")),
    .run(.eventIgnored(event: "outputs", step: nil, reason: "the run has ended")),
    .run(.lockFreed(lock: "host/db", reason: "gone", by: "ops")), .run(.clockSet(by: .seconds(-3600))),
    .run(.drillJudged(verdict)), .run(.drillJudged(oldest)), .scope(.root, .rollbackStarted(reason: "failure")),
    .scope("wave[2]", .rollbackStarted(reason: "failure")), .rollback(.settled(step: "stop")),
    .rollback(.closed(step: "stop", .committed)), .rollback(.closed(step: "stop", .other("skipped by ops: by hand"))),
    .scope(.root, .rollbackEnded(outcome: .failed, failedStep: "stop.undo[0]", error: error)),
    .rollback(.resumed(by: "ops", request: 5)),
    .rollback(.skipped(entry: "stop", reason: "by hand", by: "ops", request: 6)),
    .rollback(.abandoned(reason: "gone", by: "ops", request: 7)), .run(.outputsReady(outputs: ["a": 1], error: nil)),
    .run(.ended(RunEnded(outcome: .failed, rollback: .succeeded, exitCode: 3, outputs: [:]))),
    .run(.ended(RunEnded(outcome: .objectiveMissed, rollback: .succeeded, exitCode: 8, outputs: [:], drill: verdict))),
    .run(.left(reason: "SIGTERM")),
  ]

  static let verdict: DrillVerdict = {
    var verdict = DrillVerdict()
    verdict.outageAt = instant
    verdict.restoredAt = instant + .milliseconds(-1)
    verdict.rto = DrillVerdict.Objective(
      objective: .seconds(1800), measured: .milliseconds(-1), met: false,
      reason: "`restored_at` lies before `outage_at`")
    verdict.rpo = DrillVerdict.Objective(
      objective: .milliseconds(93_600_250), measured: nil, met: false, reason: "`data_as_of` is null")
    verdict.steadyState = DrillVerdict.SteadyState(regained: false, step: "drill.after.health", reason: "timeout: over")
    return verdict
  }()

  /// Data from the first day of the calendar, and an outage on the last.
  static let oldest: DrillVerdict = {
    var verdict = DrillVerdict()
    verdict.dataAsOf = Timestamp(seconds: Timestamp.minimumSeconds)
    verdict.outageAt = Timestamp(seconds: Timestamp.maximumSeconds)
    let age = Duration.seconds(Timestamp.maximumSeconds - Timestamp.minimumSeconds) + .milliseconds(7)
    verdict.rpo = DrillVerdict.Objective(objective: .seconds(3650 * 86_400), measured: age, met: false)
    verdict.rto = DrillVerdict.Objective(objective: .seconds(1), measured: .zero - age, met: false)
    return verdict
  }()

  /// Instants and durations come back as what they were, not as texts.
  @Test(arguments: facts.indices)
  func aFactReadBackIsTheFactWritten(_ index: Int) throws {
    let fact = FactCodingTests.facts[index]
    let entry = fact.entry(at: FactCodingTests.instant)
    let read = try Fact(JournalEntry(sequence: 1, at: entry.at, epoch: 1, kind: entry.kind, body: entry.body))
    #expect(read.entry(at: FactCodingTests.instant) == entry)
    // Every part of it, not only those that are written: a field that nobody encodes would pass above.
    #expect(FactCodingTests.anatomy(of: read) == FactCodingTests.anatomy(of: fact))
  }

  /// All stored parts of a value with their names, maps in the order of their keys.
  static func anatomy(of value: Any) -> String {
    if let instant = value as? Timestamp { return "\(instant)" }
    if let duration = value as? Duration { return "\(duration)" }
    let mirror = Mirror(reflecting: value)
    switch mirror.displayStyle {
    case .dictionary:
      let entries = mirror.children.map { pair -> String in
        let parts = Array(Mirror(reflecting: pair.value).children)
        return parts.map { anatomy(of: $0.value) }.joined(separator: "=")
      }
      return "[" + entries.sorted().joined(separator: ",") + "]"
    case nil: return "\(value)"
    default:
      if mirror.children.isEmpty { return "\(value)" }
      let parts = mirror.children.map { "\($0.label ?? "")(\(anatomy(of: $0.value)))" }
      return "\(type(of: value)){" + parts.joined(separator: ",") + "}"
    }
  }

  @Test func anEntryOfAnUnknownKindIsNamedAsDamage() {
    let entry = JournalEntry(
      sequence: 9, at: FactCodingTests.instant, epoch: 1, kind: "step.teleported", body: Array("{}".utf8))
    #expect(
      throws: StoreFailure.damaged("journal entry 9 (`step.teleported`): this release does not know this kind of entry")
    ) {
      try Fact(entry)
    }
  }

  @Test(arguments: ["", "[]", "{", #"{"step":1}"#])
  func aDamagedBodyIsRefusedAndNeverATrap(_ body: String) {
    for kind in ["run.started", "step.started", "step.ended", "attempt.ended", "run.ended", "undo.started"] {
      let entry = JournalEntry(sequence: 1, at: FactCodingTests.instant, epoch: 1, kind: kind, body: Array(body.utf8))
      #expect(throws: StoreFailure.self) { try Fact(entry) }
    }
  }

  @Test func thePublicEventHidesWhatIsTheEnginesOwn() throws {
    let fact = FactCodingTests.facts[4]
    let event = try #require(RunEvent(fact, runID: "r1", sequence: 5, at: FactCodingTests.instant))
    #expect(event.event == "undo.started")
    #expect(event.fields["step"] == "update")
    #expect(event.fields["entry"] == "update.undo[0]")
    #expect(event.fields.keys.allSatisfy { !$0.hasPrefix("_") })
    #expect(RunEvent(FactCodingTests.facts[1], runID: "r1", sequence: 2, at: FactCodingTests.instant) == nil)
  }
}
