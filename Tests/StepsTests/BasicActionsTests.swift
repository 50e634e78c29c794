import Posix
import Runbook
import Synchronization
import TestSupport
import Testing

@testable import Steps

struct BasicActionsTests {
  let folder = TemporaryFolder()
  var calls: Calls { Calls(scripts: Harness.scripts(in: folder)) }

  @Test func everyKeywordAndActionIsDeclaredOnce() {
    let names = standardActions.map { $0.declaration.name }
    #expect(Set(names).count == names.count)
    #expect(
      Set(standardSteps.map { $0.keyword }) == ["action", "run", "wait_for", "sleep", "fail", "commit", "approve"])
    #expect(
      Set(["net.tcp", "log.info", "log.warn", "assert", "file.write", "ssh.run", "ssh.ping"]).isSubset(of: names))
    for action in standardActions {
      #expect(!action.declaration.summary.isEmpty)
      for field in action.declaration.fields {
        #expect(!field.help.isEmpty, "\(action.declaration.name).\(field.name)")
      }
    }
  }

  @Test func aFailStepFailsWithItsText() async {
    await #expect(throws: StepFailure(.stopCondition, "because")) {
      try await FailAction().perform(calls.make(["message": "because"]))
    }
  }

  @Test(arguments: [("yes", true, nil), ("no", false, "the count is off")] as [(String, Bool, String?)])
  func anAssertionHoldsOrFailsWithItsMessage(_: String, that: Bool, message: String?) async {
    let call = calls.make(["that": .bool(that), "message": message.map { .string($0) } ?? .null])
    if that {
      await #expect(throws: Never.self) { try await AssertAction().perform(call) }
    } else {
      await #expect(throws: StepFailure(.expect, "the count is off", isFinal: true)) {
        try await AssertAction().perform(call)
      }
    }
  }

  @Test func anAssertionOfSomethingElseThanABooleanIsRefused() async {
    await #expect(throws: StepFailure.unfit("`that` must be true or false")) {
      try await AssertAction().perform(calls.make(["that": "true"]))
    }
  }

  @Test func aLogLineIsAnOutput() async throws {
    #expect(try await LogAction.Info().perform(calls.make(["message": "one"])).outputs == ["message": "one"])
    #expect(try await LogAction.Warn().perform(calls.make(["message": "two"])).outputs == ["message": "two"])
  }

  /// A clock that only notes how long somebody wanted to sleep.
  private final class Pauses: EngineClock {
    let pauses = Mutex<[Duration]>([])
    let now: Timestamp
    var monotonic: Duration { .zero }
    init(now: Timestamp) { self.now = now }
    func sleep(for duration: Duration) async { pauses.withLock { $0.append(duration) } }
  }

  @Test(arguments: [
    (0, [Duration.seconds(60)]),
    // After a restart only the rest is left; and no time at all when it is over.
    (45, [.seconds(15)]), (60, []), (500, []),
    // The wall clock was set back meanwhile.
    (-500, [.seconds(60)]),
  ])
  func aPauseEndsAtItsInstantWhateverHappens(elapsed: Int, pauses: [Duration]) async throws {
    let begun = Timestamp(seconds: 1_000_000)
    let clock = Pauses(now: begun + .seconds(elapsed))
    var calls = calls
    calls.clock = clock
    _ = try await SleepAction().perform(calls.make(["duration": .duration(.seconds(60))], intendedAt: begun))
    #expect(clock.pauses.withLock { $0 } == pauses)
  }

  @Test(arguments: [
    (1, 0, [Duration.seconds(1)], true), (60, 0, [.seconds(60)], false), (0, 0, [], true),
    // Carried on by another process, when the step's time is nearly over, or over.
    (50, 45, [.seconds(5)], true), (50, 55, [], true), (50, 61, [], false),
  ])
  func aPauseEndsWithItsStep(timeout: Int, elapsed: Int, pauses: [Duration], fails: Bool) async throws {
    let begun = Timestamp(seconds: 1_000_000)
    let clock = Pauses(now: begun + .seconds(elapsed))
    var calls = calls
    calls.clock = clock
    calls.timeout = .seconds(timeout - elapsed)
    let call = calls.make(["duration": .duration(.seconds(60))], intendedAt: begun)
    do {
      _ = try await SleepAction().perform(call)
      #expect(!fails)
    } catch {
      #expect(error == StepFailure(.timeout, "the pause of 1m is longer than the step may take", isFinal: true))
      #expect(fails)
    }
    #expect(clock.pauses.withLock { $0 } == pauses)
  }

  @Test(arguments: [Duration.seconds(-1), .seconds(31 * 86_400)])
  func anAbsurdPauseIsRefused(duration: Duration) async {
    await #expect(throws: StepFailure.unfit("`sleep` must be between 0s and 30 days")) {
      try await SleepAction().perform(calls.make(["duration": .duration(duration)]))
    }
  }

  @Test func aFileIsWrittenBesideTheRunbookAndFoundAgain() async throws {
    let call = calls.make([
      "path": "conf.txt", "content": .secret(Secret("token=1\n", named: ["t"])), "mode": "0640",
      "_cwd": .string(folder.path),
    ])
    let action = WriteFileAction()
    #expect(try await action.probe(call) == .notApplied)
    let result = ActionResult(outputs: ["path": .string(folder.path + "/conf.txt")])
    #expect(try await action.perform(call) == result)
    #expect(try await action.probe(call) == .applied(result))
    _ = folder.file("conf.txt", "token=2\n")
    #expect(try await action.probe(call) == .notApplied)
    _ = folder.file("conf.txt", "token=1\nand more")
    #expect(try await action.probe(call) == .notApplied)
  }

  @Test func whatAWriteDoesNotSayOfAFileStaysAsItWas() async throws {
    let path = folder.file("conf.txt", "old", mode: 0o644)
    _ = try await WriteFileAction().perform(calls.make(["path": .string(path), "content": "new"]))
    #expect(try FileReading.status(of: path).mode == 0o644)
    _ = try await WriteFileAction().perform(calls.make(["path": .string(path), "content": "", "mode": "0600"]))
    #expect(try FileReading.status(of: path) == (0, 0o600))
    let new = folder.path + "/new.txt"
    _ = try await WriteFileAction().perform(calls.make(["path": .string(new), "content": ""]))
    #expect(try FileReading.status(of: new) == (0, 0o600))
  }

  @Test func whatIsThereBeforeAWriteIsCapturedForItsUndo() async throws {
    let path = folder.file("conf.txt", "old", mode: 0o640)
    var call = calls.make(["path": .string(path), "content": "new"])
    #expect(try await WriteFileAction().capture(call) == ["exists": true, "content": .null, "mode": "0640"])
    call.neededBefore = ["content"]
    #expect(try await WriteFileAction().capture(call) == ["exists": true, "content": "old", "mode": "0640"])
    let none = calls.make(["path": .string(folder.path + "/none"), "content": "new"])
    #expect(try await WriteFileAction().capture(none) == ["exists": false, "content": .null, "mode": .null])
  }

  /// Else the run would find out in its rollback.
  @Test(arguments: ["\u{0}\u{ff}", String(repeating: "x", count: WriteFileAction.longestBefore + 1)])
  func whatCouldNotBePutBackIsNotReplaced(_ content: String) async throws {
    let bytes = content.count == 2 ? [0, 0xff] : Array(content.utf8)
    folder.write("conf.txt", bytes)
    var call = calls.make(["path": .string(folder.path("conf.txt")), "content": "new"])
    call.neededBefore = ["content", "mode"]
    await #expect(throws: StepFailure.self) { try await WriteFileAction().capture(call) }
    call.neededBefore = ["mode"]
    #expect(try await WriteFileAction().capture(call)["exists"] == true)
  }

  @Test(arguments: [("999", "no mode"), ("77777", "too much"), ("-1", "negative")])
  func aModeThatIsNoneIsRefused(mode: String, _: String) async {
    await #expect(throws: StepFailure.unfit("`mode` must be octal permissions such as \"0644\"")) {
      try await WriteFileAction().perform(calls.make(["path": "/tmp/x", "content": "", "mode": .string(mode)]))
    }
  }

  @Test func aFileThatCannotBeWrittenSaysWhyWithoutItsContent() async {
    await #expect(throws: StepFailure(.notFound, "the folder of `/no/such/file` does not exist")) {
      try await WriteFileAction().perform(
        calls.make(["path": "/no/such/file", "content": .secret(Secret("s", named: []))]))
    }
    await #expect(throws: StepFailure(.rejected, "`/dev/null` is not an ordinary file")) {
      try await WriteFileAction().perform(calls.make(["path": "/dev/null", "content": "x"]))
    }
  }

  @Test(arguments: [0, 65_536, -1] as [Int64])
  func aPortBeyondItsRangeIsRefused(port: Int64) async {
    await #expect(throws: StepFailure.unfit("`port` must be 1 to 65535")) {
      try await TCPAction().perform(calls.make(["host": "127.0.0.1", "port": .int(port)]))
    }
  }
}
