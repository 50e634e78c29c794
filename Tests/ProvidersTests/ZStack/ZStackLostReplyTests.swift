import ZStackCloud
import Runbook
import Simulator
import TestSupport
import Testing

/// Whatever becomes of a request, of its reply or of its job, each effect takes place once.
struct ZStackLostReplyTests {
  /// A changing action, its fields, the operation that faults strike, and the one effect it shall have.
  struct Case: Sendable, CustomTestStringConvertible {
    var action: String
    var with: [String: Value] = [:]
    /// Where it is not the action's own name.
    var operation: String?
    /// Done first: an action and its fields.
    var first: [(action: String, with: [String: Value])] = []
    /// The id of what the first action made goes here.
    var made: String?
    /// Where it is told under another name.
    var ledger: String?
    var struck: String { operation ?? action }
    var effect: String { ledger ?? struck }
    var testDescription: String { action }
  }

  private static let aSnapshot: [(action: String, with: [String: Value])] = [("snapshot.create", ["name": "made-1"])]
  private static let aBackup: [(action: String, with: [String: Value])] = [("backup.create", ["name": "made-1"])]

  static let cases = [
    Case(action: "server.stop"), Case(action: "server.start", first: [("server.stop", [:])]),
    Case(action: "server.reboot"), Case(action: "zstack.pause", operation: "server.pause"),
    Case(action: "zstack.resume", operation: "server.resume", first: [("zstack.pause", [:])]),
    Case(action: "snapshot.create", with: ["name": "pre-1"]),
    Case(action: "snapshot.restore", with: ["power": "stopped"], first: aSnapshot, made: "snapshot"),
    Case(action: "snapshot.delete", first: aSnapshot, made: "snapshot"),
    Case(
      action: "snapshot.prune", with: ["keep": 0, "prefix": "made-"], operation: "snapshot.delete", first: aSnapshot),
    Case(action: "backup.create", with: ["name": "pre-1"]),
    Case(action: "backup.restore", with: ["power": "stopped"], first: aBackup, made: "backup"),
    Case(action: "backup.delete", first: aBackup, made: "backup"),
    Case(action: "backup.prune", with: ["keep": 0, "prefix": "made-"], operation: "backup.delete", first: aBackup),
    Case(action: "backup.restore_as", with: ["name": "drill"], first: aBackup, made: "backup", ledger: "server.create"),
  ]

  static let faults = [
    "request_lost", "request_late:30s", "reply_lost", "reply_late:2m", "reply_late:5s", "502", "502:2", "502_after",
    "504_after", "html_200", "html_after", "429", "429:2:20s", "503:1:30s", "409", "423", "sys1001_done",
    "job_purged",
  ]

  private func world(_ item: Case) async throws -> (
    fixture: ZStackFixture, twin: SimulatedZStack, with: [String: Value]
  ) {
    let (fixture, twin) = try ZStackTwinFixture.make()
    var with = item.with
    for step in item.first {
      let outputs = try await fixture.run(step.action, step.with, key: "first-\(step.action)").result.outputs
      if let made = item.made, let id = outputs["id"] { with[made] = id }
    }
    return (fixture, twin, with)
  }

  @Test(arguments: cases, faults)
  func theEffectTakesPlaceOnce(_ item: Case, fault: String) async throws {
    let (fixture, twin, with) = try await world(item)
    let earlier = twin.ledger.count { $0.effect == item.effect }
    let parts = fault.split(separator: ":", maxSplits: 1)
    let text = "\(parts[0]):\(item.struck)" + (parts.count > 1 ? ":\(parts[1])" : "")
    try twin.inject(text)
    do { try await fixture.run(item.action, with) } catch let failure as StepFailure {
      // Nothing at ZStack tells that such a restore took place when its job does not.
      let isSilent = ["sys1001_done", "job_purged"].contains(fault) && item.action.hasSuffix("restore")
      if !isSilent || failure.effect != .unknown { Issue.record("\(text): \(failure.kind) \(failure.message)") }
    }
    #expect(twin.ledger.count { $0.effect == item.effect } - earlier == 1, "\(text)")
    #expect(twin.unfiredFaults == [])
  }

  /// SYS.1001, and no effect: a failure that says so, and nothing that is repeated in silence. What was to be made may
  /// still be in the making; what a restore did cannot be seen.
  @Test(arguments: cases.filter { !$0.action.hasSuffix("prune") })
  func aTimeoutWithoutTheEffectIsAFailure(_ item: Case) async throws {
    let (fixture, twin, with) = try await world(item)
    let earlier = twin.ledger.count { $0.effect == item.effect }
    try twin.inject("sys1001_not_done:\(item.struck)")
    let failure = try await fixture.failure(item.action, with, attempts: 1)
    #expect(failure.kind == .timeout)
    let isOpen = ["restore", "create", "restore_as"].contains { item.action.hasSuffix(".\($0)") }
    #expect(failure.effect == (isOpen ? .unknown : .none))
    #expect(failure.retryable == !isOpen)
    #expect(twin.ledger.count { $0.effect == item.effect } == earlier)
    #expect(twin.unfiredFaults == [])
  }

  /// The probe's answers to each fate of a request, looked at at once, later, and when its job is not kept any more.
  @Test(arguments: cases.filter { !$0.action.hasSuffix("prune") })
  func theProbeTellsWhatTookPlace(_ item: Case) async throws {
    for (fault, isApplied) in [("reply_lost", true), ("request_lost", false)] {
      let (fixture, twin, with) = try await world(item)
      try twin.inject("\(fault):\(item.struck)")
      let driver = try fixture.driver(item.action)
      let all = with.merging(["server": .string(ZStackWire.vm)]) { given, _ in given }
      let before = try await driver.action.capture(driver.call(all))
      let call = driver.call(all, before: before, intendedAt: fixture.clock.now)
      let failure = await #expect(throws: StepFailure.self) { try await driver.action.perform(call) }
      #expect(failure?.effect == .unknown)
      for pause in [0, 90, 3600] as [Int64] {
        await fixture.clock.sleep(for: .seconds(pause))
        let answer = try await driver.action.probe(call)
        if isApplied {
          guard case .applied = answer else {
            Issue.record("\(fault), after \(pause) s: \(answer)")
            continue
          }
        } else {
          #expect(answer == .notApplied, "\(fault), after \(pause) s")
        }
      }
      await fixture.clock.sleep(for: .seconds(5 * 3600))
      switch try await driver.action.probe(call) {
      case .applied: #expect(isApplied, "after the window: applied")
      case .notApplied: #expect(!isApplied, "after the window: not applied")
      case .unsure: #expect(item.action.hasSuffix("restore"), "after the window: unsure")
      case .failed(let failure): Issue.record("\(failure.message)")
      }
    }
  }

  /// However often the session ends on the way.
  @Test(arguments: cases, [0, 1, 2, 3, 5, 8])
  func aSessionThatEndsOnTheWayIsReplaced(_ item: Case, after requests: Int) async throws {
    let (fixture, twin, with) = try await world(item)
    let earlier = twin.ledger.count { $0.effect == item.effect }
    try twin.inject("token_expires:\(requests)")
    try await fixture.run(item.action, with)
    #expect(twin.ledger.count { $0.effect == item.effect } - earlier == 1)
    #expect(twin.requests.count { $0 == "login" } <= 2)
  }

  /// Across the end of a session by its age, in the middle of a long wait.
  @Test func aRunOfManyHoursKeepsItsSession() async throws {
    let (fixture, twin) = try ZStackTwinFixture.make()
    for hour in 1...12 {
      let action = hour.isMultiple(of: 2) ? "server.start" : "server.stop"
      try await fixture.run(action, key: "hour-\(hour)")
      for _ in 1...8 {
        await fixture.clock.sleep(for: .seconds(450))
        try await fixture.run("server.status")
      }
    }
    #expect(twin.requests.count { $0 == "login" } == 1)
    #expect(twin.requests.count { $0 == "session.renew" } >= 5)
    #expect(twin.ledger.count { $0.effect == "server.stop" } == 6)
  }

  @Test func accessKeysDoTheSame() async throws {
    let (fixture, twin) = try ZStackTwinFixture.make(credential: [
      "access_key_id": "LTAIzstackexample",
      "access_key_secret": .secret(Secret("zstack-access-key-secret", named: ["k"])),
    ])
    #expect(try await fixture.run("server.stop").result.outputs["state"] == "stopped")
    #expect(try await fixture.run("snapshot.create", ["name": "a"], key: "b").result.outputs["state"] == "ready")
    #expect(twin.requests.count { $0 == "login" } == 0)
    let (wrong, _) = try ZStackTwinFixture.make(credential: [
      "access_key_id": "LTAIzstackexample", "access_key_secret": .secret(Secret("n0t-it", named: ["k"])),
    ])
    let failure = try await wrong.failure("server.stop")
    #expect(failure.kind == .auth)
    #expect(failure.message.contains("(`k`)"))
    #expect(!"\(failure)".contains("n0t-it"))
  }

  /// A session that was opened elsewhere cannot be replaced, a password opens another; nothing is done twice.
  @Test(arguments: [true, false])
  func aSessionThatEndsIsReplacedOrTold(isOwn: Bool) async throws {
    let elsewhere: [String: Value] = [
      "session": .secret(Secret("b86c9016b4f24953a9edefb53ca0678c", named: ["zstack_session"]))
    ]
    let (fixture, twin) = try ZStackTwinFixture.make(credential: isOwn ? ZStackTwinFixture.credential : elsewhere)
    try await fixture.run("server.stop", key: "a")
    try twin.inject("token_expires:1")
    if isOwn {
      try await fixture.run("server.start", key: "b")
      #expect(twin.requests.count { $0 == "login" } == 2)
      #expect(twin.ledger.map { $0.effect } == ["server.stop", "server.start"])
    } else {
      let failure = try await fixture.failure("server.start")
      #expect(failure.kind == .auth)
      #expect(failure.effect == .none)
      #expect(failure.message.contains("(`zstack_session`)"))
      #expect(twin.ledger.map { $0.effect } == ["server.stop"])
    }
    #expect(twin.unfiredFaults == [])
  }

  @Test func aRevertInPartIsAFailureThatNamesTheVolume() async throws {
    let (fixture, twin) = try ZStackTwinFixture.make()
    let id = try #require(try await fixture.run("snapshot.create", ["name": "a"], key: "b").result.outputs["id"])
    try twin.inject("partial_revert")
    let failure = try await fixture.failure("snapshot.restore", ["snapshot": id])
    #expect(failure.effect == .applied)
    #expect(failure.detail["failed_volumes"]?.list?.count == 1)
    #expect(twin.state(ofServer: ZStackWire.vm) == "Stopped")
    #expect(twin.unfiredFaults == [])
  }

  @Test(arguments: ["server.stop", "server.start", "snapshot.create"])
  func aJobThatNeverEndsIsToldFromTheState(operation: String) async throws {
    let (fixture, twin) = try ZStackTwinFixture.make()
    if operation == "server.start" { try await fixture.run("server.stop", key: "b") }
    try twin.inject("job_never_ends:\(operation)")
    let with: [String: Value] = operation == "snapshot.create" ? ["name": "a"] : [:]
    try await fixture.run(operation, with, key: "stuck")
    #expect(twin.ledger.count { $0.effect == operation } == 1)
    #expect(twin.unfiredFaults == [])
  }

  @Test func aLocationOfEitherHostIsTheSame() async throws {
    for fault in [nil, "own_location"] as [String?] {
      let (fixture, twin) = try ZStackTwinFixture.make()
      if let fault { try twin.inject(fault) }
      #expect(try await fixture.run("server.stop").result.outputs["state"] == "stopped")
    }
  }
}

/// An account at the twin of ZStack.
enum ZStackTwinFixture {
  static let store = "fc50c1ece4753c1981e3e3f65a151e0e"
  static let credential: [String: Value] = [
    "account": "ops", "password": .secret(Secret("Correct-horse-7", named: ["zstack_password"])),
  ]

  static func make(
    credential: [String: Value] = credential, settings: [String: Value] = [:]
  ) throws -> (fixture: ZStackFixture, twin: SimulatedZStack) {
    let clock = VirtualClock(start: ZStackFixture.start)
    let twin = SimulatedZStack(clock: clock, seed: 7)
    twin.ensureServer(ZStackWire.vm)
    let block: [String: Value] = ["backup_storage": .string(store)].merging(settings) { _, given in given }
    return (try ZStackFixture(twin, clock: clock, settings: block, credential: credential), twin)
  }
}
