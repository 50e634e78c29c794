import ZStackCloud
import Runbook
import Simulator
import Synchronization
import TestSupport
import Testing

/// The job protocol: one effect a key, whatever becomes of requests, replies, jobs and management nodes.
struct ZStackJobsTests {
  @Test func theSameCallAlwaysSendsTheSameJob() async throws {
    let wire = ZStackWire { $0.isChange ? ZStackWire.accepted() : ZStackWire.list(ZStackWire.machine("Stopped")) }
    for _ in 1...2 {
      let fixture = try ZStackFixture(wire)
      let driver = try fixture.driver("server.stop")
      _ = try await driver.action.perform(fixture.intended(driver))
    }
    let stops = wire.seen.filter { $0.isChange }
    let ids = Set(stops.compactMap { $0.header("x-job-uuid") })
    #expect(stops.count == 2 && ids.count == 1)
    #expect(try #require(ids.first).contains(/^[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}$/))
    #expect(Set(stops.map { $0.body }).count == 1)
    #expect(stops.first?.text == #"{"stopVmInstance":{"stopHA":"true","type":"grace"}}"#)
  }

  /// Sent again, it is answered "duplicate"; the first one's job is ours.
  @Test func aDuplicateJobIsTheFirstOne() async throws {
    let wire = ZStackWire { request in
      if request.isChange { return ZStackWire.duplicate }
      if request.isJob { return ScriptedSystem.reply(200, #"{"inventory":{}}"#) }
      return ZStackWire.list(ZStackWire.machine("Stopped"))
    }
    let outcome = try await ZStackFixture(wire).run("server.stop")
    #expect(outcome.result.outputs["state"] == "stopped")
    #expect(outcome.calls == 1)
  }

  /// ZStack took the job, lost it with a node, and nothing shows that it was done. It may be at work all the same.
  @Test(arguments: ["server.stop", "server.start", "snapshot.create", "snapshot.restore"])
  func aJobThatWasAcceptedAndThenVanishedIsUnknown(_ action: String) async throws {
    let isStart = action == "server.start"
    let group = "33333333333343338333333333333333"
    let snapshot =
      #"{"uuid":"\#(group)","name":"pre-1","vmInstanceUuid":"\#(ZStackWire.vm)","#
      + #""createDate":"Jan 16, 2025 4:00:00 PM","snapshotCount":0}"#
    let wire = ZStackWire { request in
      if request.isChange { return ZStackWire.accepted() }
      if request.isJob { return ScriptedSystem.reply(404, "the job has been expired") }
      if request.path.hasSuffix("/volume-snapshots/group") {
        return action == "snapshot.restore" ? ZStackWire.list(snapshot) : ZStackWire.list()
      }
      if request.path.hasSuffix("/volume-snapshots") { return ZStackWire.list() }
      let state = isStart || action == "snapshot.restore" ? "Stopped" : "Running"
      return ZStackWire.list(ZStackWire.machine(state, more: #","allVolumes":[{"uuid":"a","installPath":"/1"}]"#))
    }
    let fixture = try ZStackFixture(wire)
    let driver = try fixture.driver(action)
    let all: [String: Value] = [
      "server": .string(ZStackWire.vm), "name": "pre-2", "snapshot": .string(group), "power": "stopped",
    ]
    let before = try await driver.action.capture(driver.call(all))
    let call = driver.call(all, before: before, intendedAt: fixture.clock.now)
    var result = try await driver.action.perform(call)
    var failure: StepFailure?
    for _ in 1...100 where failure == nil {
      await fixture.clock.sleep(for: .seconds(10))
      let seen = try await driver.action.observe(call, after: result)
      result = ActionResult(
        outputs: result.outputs.merging(seen.result.outputs) { _, new in new },
        result: result.result.merging(seen.result.result) { _, new in new })
      if case .failed(let found) = seen.verdict { failure = found }
    }
    let told = try #require(failure, "the wait never ended")
    #expect(told.effect == .unknown)
    #expect(!told.retryable)
    // It was seen to arrive: that it is not known any more is no sign that it did not.
    #expect(try await driver.action.probe(call) == .unsure)
    #expect(wire.seen.count { $0.isChange } == 1)
  }

  /// The management node's own address is not ours: the job is asked for where the API is.
  @Test(arguments: [
    "http://10.0.0.1:8080/zstack/v1/api-jobs/abc", "https://evil.example.com/steal", "", "not a url",
  ])
  func theLocationOfAReplyIsNotFollowed(location: String) async throws {
    let wire = ZStackWire { request in
      if request.isChange { return ZStackWire.accepted(location) }
      if request.isJob { return ScriptedSystem.reply(200, "{}") }
      return ZStackWire.list(ZStackWire.machine("Stopped"))
    }
    try await ZStackFixture(wire).run("server.stop")
    let id = try #require(wire.seen.first { $0.isChange }?.header("x-job-uuid"))
    #expect(wire.count("GET /api-jobs/\(id)") == 1)
  }

  /// A storm while the job is asked about does not end the wait.
  @Test(arguments: [502, 503, 504, 429, 500])
  func aStormOverTheJobDoesNotEndTheWait(status: Int) async throws {
    let looks = Box(0)
    let wire = ZStackWire { request in
      if request.isChange { return ZStackWire.accepted() }
      guard request.isJob else { return ZStackWire.list(ZStackWire.machine(looks.value > 12 ? "Stopped" : "Running")) }
      looks.value += 1
      return looks.value > 12 ? ScriptedSystem.reply(200, "{}") : ScriptedSystem.reply(status, "<html>storm</html>")
    }
    let outcome = try await ZStackFixture(wire).run("server.stop")
    #expect(outcome.result.outputs["state"] == "stopped")
    #expect(wire.seen.count { $0.isChange } == 1)
  }

  // MARK: Sessions and jobs

  /// The session was not good: the job ended with ID.1001 and did nothing. The change is sent again under a second id.
  @Test func aJobThatEndedForItsSessionIsSentOnceMore() async throws {
    let wire = ZStackWire { request in
      let hasOldSession = request.header("authorization")?.hasSuffix("01") == true
      if request.isChange { return ZStackWire.accepted() }
      let isFirstJob = request.isJob && request.path.hasSuffix(Self.stopJob(0))
      if isFirstJob { return ZStackWire.error("ID.1001") }
      if request.isJob { return ScriptedSystem.reply(200, "{}") }
      return hasOldSession ? ZStackWire.error("ID.1001") : ZStackWire.list(ZStackWire.machine("Stopped"))
    }
    let fixture = try ZStackFixture(wire)
    let driver = try fixture.driver("server.stop")
    let result = try await driver.action.perform(fixture.intended(driver))
    #expect(result.outputs["state"] == "changing")
    let ids = wire.seen.filter { $0.isChange }.compactMap { $0.header("x-job-uuid") }
    #expect(ids == [Self.stopJob(0), Self.stopJob(1)])
    #expect(wire.logIns == 2)
    // Whoever asks later finds the second job.
    let probe = try await driver.action.probe(fixture.intended(driver))
    guard case .applied = probe else {
      Issue.record("\(probe)")
      return
    }
    #expect(wire.logIns == 2)
  }

  private static func stopJob(_ number: Int) -> String {
    ZStackJobsTests.ids[number]
  }
  /// Ids of the jobs of the driver's key.
  private static let ids: [String] = {
    [0, 1].map { number in
      var bytes = Array(
        SHA256.hash(Array("zstack\nr0000000000000000test-0123456789abcdef\nserver.stop\n\(number)".utf8)).prefix(16))
      bytes[6] = bytes[6] & 0x0f | 0x40
      bytes[8] = bytes[8] & 0x3f | 0x80
      return Hex.text(bytes)
    }
  }()

  /// A job that is asked about with a session that has ended is not taken for one that failed.
  @Test func aSessionThatEndsDuringAWaitIsNotTheJobsEnd() async throws {
    let wire = ZStackWire { request in
      if request.isChange { return ZStackWire.accepted() }
      if request.header("authorization")?.hasSuffix("01") == true { return ZStackWire.error("ID.1001") }
      return request.isJob ? ScriptedSystem.reply(200, "{}") : ZStackWire.list(ZStackWire.machine("Stopped"))
    }
    let outcome = try await ZStackFixture(wire).run("server.stop")
    #expect(outcome.result.outputs["state"] == "stopped")
    #expect(wire.seen.count { $0.isChange } == 1)
    #expect(wire.logIns == 2)
  }

  // MARK: When the job does not tell

  /// SYS.1001, SYS.1017, a purged job: the thing itself is read.
  static let silences = ["SYS.1001", "SYS.1017", "purged", "SYS.1015"]

  private func wire(_ silence: String, _ state: @escaping @Sendable () -> String) -> ZStackWire {
    ZStackWire { request in
      if request.isChange { return ZStackWire.accepted() }
      if request.isJob { return silence == "purged" ? ZStackWire.gone : ZStackWire.error(silence) }
      return ZStackWire.list(ZStackWire.machine(state()))
    }
  }

  @Test(arguments: silences)
  func anEffectThatIsThereIsFoundByReading(silence: String) async throws {
    let wire = wire(silence) { "Stopped" }
    let outcome = try await ZStackFixture(wire).run("server.stop")
    #expect(outcome.result.outputs["state"] == "stopped")
    #expect(wire.seen.count { $0.isChange } == 1)
  }

  @Test(arguments: silences.filter { $0 != "purged" })
  func anEffectThatIsNotThereIsAFailureWithoutOne(silence: String) async throws {
    let wire = wire(silence) { "Running" }
    let fixture = try ZStackFixture(wire)
    let failure = try await fixture.failure("server.stop", attempts: 1)
    #expect(failure.effect == StepFailure.Effect.none)
    #expect(failure.retryable)
    if silence != "SYS.1015" {
      #expect(failure.kind == .timeout)
      #expect(fixture.clock.now - ZStackFixture.start >= .seconds(90))
    }
  }

  @Test(arguments: silences)
  func anEffectThatComesLateIsWaitedFor(silence: String) async throws {
    let clock = VirtualClock(start: ZStackFixture.start)
    let wire = wire(silence) {
      clock.now < ZStackFixture.start + .seconds(40) ? "Stopping" : "Stopped"
    }
    let outcome = try await ZStackFixture(wire, clock: clock).run("server.stop")
    #expect(outcome.result.outputs["state"] == "stopped")
  }

  /// Nothing tells whether a restore took place: not done, not repeated, and said so.
  @Test(arguments: ["SYS.1001", "purged"])
  func aRestoreThatNothingTellsOfIsNotRepeated(silence: String) async throws {
    let group = "33333333333343338333333333333333"
    let wire = ZStackWire { request in
      if request.isChange { return ZStackWire.accepted() }
      if request.isJob { return silence == "purged" ? ZStackWire.gone : ZStackWire.error(silence) }
      return ZStackItemsTests.world(request, group: group, state: "Stopped")
    }
    let failure = try await ZStackFixture(wire).failure("snapshot.restore", ["snapshot": .string(group)])
    #expect(failure.kind == .timeout)
    #expect(failure.effect == .unknown)
    #expect(!failure.retryable)
    #expect(wire.seen.count { $0.isChange } == 1)
  }

  // MARK: Jobs that never end

  @Test func aJobThatNeverEndsEndsWithTheState() async throws {
    let clock = VirtualClock(start: ZStackFixture.start)
    let wire = ZStackWire { request in
      if request.isChange { return ZStackWire.accepted() }
      if request.isJob { return ZStackWire.running }
      return ZStackWire.list(
        ZStackWire.machine(clock.now < ZStackFixture.start + .seconds(30) ? "Stopping" : "Stopped"))
    }
    let outcome = try await ZStackFixture(wire, clock: clock).run("server.stop")
    #expect(outcome.result.outputs["state"] == "stopped")
    #expect(clock.now - ZStackFixture.start < .seconds(300))
  }

  @Test func aJobThatNeverEndsEndsInATimeout() async throws {
    let wire = ZStackWire { request in
      if request.isChange { return ZStackWire.accepted() }
      return request.isJob ? ZStackWire.running : ZStackWire.list(ZStackWire.machine())
    }
    let fixture = try ZStackFixture(wire)
    #expect(try await fixture.failure("server.stop").kind == .timeout)
    #expect(wire.seen.count { $0.isChange } == 1)
    let driver = try fixture.driver("server.stop")
    // Longer than ZStack goes on with such a job it is not taken for running.
    var call = fixture.intended(driver)
    #expect(try await !driver.action.isSettled(call))
    await fixture.clock.sleep(for: .seconds(1800))
    #expect(try await driver.action.isSettled(call))
    call.keySince = fixture.clock.now
    #expect(try await !driver.action.isSettled(call))
  }

  // MARK: The key's window

  @Test func theWindowIsShorterThanJobsAreKept() throws {
    let action = try ZStackFixture(ZStackWire(200, "{}")).driver("server.reboot").action
    let window = try #require(action.keyWindow)
    #expect(window > .seconds(9000))
    #expect(window + action.maxRequestLife < .seconds(10_800))
    #expect(action.declaration.effectClass == .keyed)
  }

  /// Inside the window a job that is not there has not arrived; after it, only the thing tells.
  @Test func afterTheWindowTheProbeReads() async throws {
    let wire = ZStackWire { request in
      request.isJob ? ZStackWire.gone : ZStackWire.list(ZStackWire.machine("Stopped"))
    }
    let fixture = try ZStackFixture(wire)
    let driver = try fixture.driver("server.stop")
    let call = fixture.intended(driver, before: ["state": "running"])
    #expect(try await driver.action.probe(call) == .notApplied)
    await fixture.clock.sleep(for: .seconds(10_800))
    guard case .applied(let result) = try await driver.action.probe(call) else {
      Issue.record("not found by reading")
      return
    }
    #expect(result.outputs["state"] == "stopped")
    // A request that was sent again is as old as its first sending.
    var resent = fixture.intended(driver, before: ["state": "running"])
    #expect(try await driver.action.probe(resent) == .notApplied)
    resent.keySince = ZStackFixture.start
    #expect(try await driver.action.probe(resent) != .notApplied)
  }

  @Test func aRebootIsFoundByTheTimeOfTheLastChange() async throws {
    let wire = ZStackWire { $0.isJob ? ZStackWire.gone : ZStackWire.list(ZStackWire.machine()) }
    let fixture = try ZStackFixture(wire)
    let driver = try fixture.driver("server.reboot")
    var answers: [ProbeAnswer] = []
    for mark in ["Jan 16, 2025 4:00:00 PM", "Jan 16, 2025 3:00:00 PM", nil] as [String?] {
      var call = fixture.intended(driver, before: ["change_mark": mark.map { .string($0) } ?? .null])
      call.keySince = fixture.clock.now - .seconds(11_000)
      answers.append(try await driver.action.probe(call))
    }
    #expect(answers[0] == .notApplied)
    #expect(answers[1] == .applied(ActionResult(outputs: ["state": "running"])))
    #expect(answers[2] == .unsure)
  }
}
