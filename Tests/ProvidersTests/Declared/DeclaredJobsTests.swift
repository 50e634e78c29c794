import DeclaredClouds
import Runbook
import Simulator
import TestSupport
import Testing

/// What a declared cloud keeps of a request is followed, whatever was asked for; a server that is busy is waited for;
/// an error is an error with whatever status it comes.
@Suite struct DeclaredJobsTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var action: String
    var job: String
    var with: [String: Value] = [:]
    var power = "up"
    var testDescription: String { action }
  }

  static let cases = [
    Case(action: "server.stop", job: "stop"), Case(action: "server.start", job: "start", power: "down"),
    Case(action: "server.reboot", job: "reboot"), Case(action: "snapshot.create", job: "create", with: ["name": "b"]),
    Case(action: "snapshot.restore", job: "restore", with: ["snapshot": "a"], power: "down"),
    Case(action: "snapshot.delete", job: "delete", with: ["snapshot": "a"]),
    Case(action: "snapshot.prune", job: "delete", with: ["keep": 0]),
  ]

  private func cloud(_ item: Case, failing: Set<String> = []) -> AcmeCloud {
    AcmeCloud(clock: VirtualClock(), failing: failing) { state in
      state.power = item.power
      state.items = ["a"]
    }
  }

  @Test(arguments: cases)
  func aJobThatFailsEndsItsStepAtOnceWithItsReason(_ item: Case) async throws {
    let cloud = cloud(item, failing: [item.job])
    let start = cloud.clock.now
    let failure = try await cloud.failure(item.action, item.with)
    #expect(failure.message.contains("could not finish `\(item.job)`"), "\(failure.message)")
    #expect(failure.message.contains("no space left"), "\(failure.message)")
    #expect(failure.effect == .applied)
    #expect(cloud.clock.now - start < .seconds(180), "it took \(cloud.clock.now - start)")
    #expect(cloud.changes.count == 1)
  }

  @Test(arguments: cases)
  func aStepIsNotOverBeforeItsJob(_ item: Case) async throws {
    let cloud = cloud(item)
    let start = cloud.clock.now
    try await cloud.run(item.action, item.with)
    #expect(cloud.clock.now - start >= .seconds(60))
    #expect(cloud.changes.count == 1)
  }

  /// The snapshot is in the list at once, and whole only when its job is over.
  @Test func aCreationIsAtRestOnlyWhenItsJobIsOver() async throws {
    let cloud = cloud(Self.cases[3])
    let driver = try cloud.driver("snapshot.create")
    let with: [String: Value] = ["server": "1", "name": "b"]
    let before = try await driver.action.capture(driver.call(with))
    let call = driver.call(with, before: before, intendedAt: cloud.clock.now)
    let result = try await driver.action.perform(call)
    #expect(try await driver.action.observe(call, after: result).verdict == .pending)
    #expect(try await !driver.action.isSettled(call))
    await cloud.clock.sleep(for: .seconds(61))
    #expect(try await driver.action.observe(call, after: result).verdict == .done)
    #expect(try await driver.action.isSettled(call))
  }

  /// A shutdown that fails is no end where the power is to be cut in the end.
  @Test func aShutdownThatFailsIsFollowedByACutOfThePower() async throws {
    let cloud = cloud(Self.cases[0], failing: ["stop"])
    let driver = try cloud.driver("server.stop")
    let with: [String: Value] = ["server": "1", "mode": "clean_then_hard"]
    let before = try await driver.action.capture(driver.call(with))
    let call = driver.call(with, before: before, intendedAt: cloud.clock.now)
    let result = try await driver.action.perform(call)
    await cloud.clock.sleep(for: .seconds(61))
    #expect(try await driver.action.observe(call, after: result).verdict == .pending)
    #expect(driver.reports.last == "the shutdown has failed: cutting the power")
    #expect(cloud.changes == ["POST /m/1/stop", "POST /m/1/stop"])
  }

  @Test(arguments: [cases[0], cases[2], cases[3], cases[5], cases[6]])
  func anErrorThatComesWithStatus200IsAFailure(_ item: Case) async throws {
    let cloud = AcmeCloud(clock: VirtualClock()) { state in
      state.items = ["a"]
      for path in ["/m/1/stop", "/m/1/reboot", "/m/1/s", "/m/1/s/a"] { state.answers[path] = #"{"error":"quota"}"# }
    }
    let failure = try await cloud.failure(item.action, item.with)
    #expect(failure.kind == .limit, "\(failure)")
    #expect(failure.effect == .none && !failure.retryable)
    #expect(failure.message.contains("(200: quota)"), "\(failure.message)")
    #expect(cloud.changes.count == 1)
  }

  /// `lock: backup`: the word is on its way to another one, or the request is refused; both pass.
  @Test(arguments: cases, ["backup", "up"])
  func aServerThatIsBusyIsWaitedFor(_ item: Case, word: String) async throws {
    let clock = VirtualClock()
    let until = clock.now + .seconds(240)
    let cloud = AcmeCloud(clock: clock) { state in
      state.power = item.power
      state.items = ["a"]
      state.lock = (word: word == "up" ? item.power : word, until: until)
    }
    try await cloud.run(item.action, item.with)
    #expect(clock.now >= until)
  }

  // MARK: Restores

  @Test(arguments: [
    ("up", "same", "up"), ("up", "stopped", "down"), ("down", "running", "up"), ("down", "same", "down"),
  ])
  func aRestoreBringsTheServerToWhatItNeedsAndAfterwardsToPower(
    _ before: String, _ power: String, _ after: String
  ) async throws {
    let cloud = AcmeCloud(clock: VirtualClock()) { state in
      state.power = before
      state.items = ["a"]
    }
    try await cloud.run("snapshot.restore", ["snapshot": "a", "power": .string(power)])
    #expect(cloud.power == after)
    let stop = before == "up" ? ["POST /m/1/stop"] : []
    #expect(cloud.changes == stop + ["POST /m/1/restore"] + (after == "up" ? ["POST /m/1/start"] : []))
  }

  @Test func aRestoreThatIsRefusedAfterItsStopSaysThatItStopped() async throws {
    let cloud = AcmeCloud(clock: VirtualClock()) { state in
      state.items = ["a"]
      state.answers["/m/1/restore"] = #"{"error":"quota"}"#
    }
    let failure = try await cloud.failure("snapshot.restore", ["snapshot": "a"])
    #expect(failure.kind == .limit && failure.effect == .applied, "\(failure)")
  }

  /// A guest that does not shut down has its power cut.
  @Test func aRestoreCutsThePowerOfAGuestThatDoesNotStop() async throws {
    let cloud = AcmeCloud(clock: VirtualClock()) { state in
      state.items = ["a"]
      state.answers["/m/1/stop"] = #"{"error":null}"#
    }
    let failure = try await cloud.failure("snapshot.restore", ["snapshot": "a"])
    #expect(failure.kind == .timeout && failure.effect == .applied, "\(failure)")
    #expect(cloud.changes == ["POST /m/1/stop", "POST /m/1/stop"])
  }

  /// What `validate` follows: a restore takes a running server, as it stops it itself.
  @Test func aRestoreThatNeedsAStoppedServerTakesARunningOne() throws {
    let restore = try cloud(Self.cases[4]).driver("snapshot.restore").action.declaration
    #expect(restore.operation?.needs == [.running, .stopped])
    #expect(restore.operation?.note == "it is stopped first, and brought to the state of `power`")
  }

  @Test(arguments: [
    (
      "needs: [stopped]", "needs: [paused]",
      "`snapshot.restore` needs a state that `server.start` and `server.stop` do not lead to"
    ),
    (
      "{if: \"result.error == 'quota'\", kind: limit}", "{status: 200, kind: limit}",
      "an entry of `errors.when` for a status of success needs `if`: the condition that makes it an error"
    ),
  ])
  func whatCannotWorkIsRefusedAtLoad(_ line: String, _ instead: String, _ told: String) throws {
    let text = AcmeCloud.file.replacing(line, with: instead)
    let mistakes = #expect(throws: Diagnostics.self) { try DeclaredProvider(yaml: Array(text.utf8)) }
    #expect(mistakes?.items.map { $0.message } == [told])
  }
}
