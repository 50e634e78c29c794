import Glibc
import Posix
import Runbook
import TestSupport
import Testing

@testable import Steps

/// A keeper that somebody stops on the way of a start, and that wakes when another engine has gone on.
@Suite(.serialized) struct FrozenKeeperTests {
  let folder = TemporaryFolder()

  private struct Brief: Tenure {
    let until: BootTime

    init(_ span: Duration) { until = BootTime(id: Host.bootID, elapsed: BootClock.now + span) }

    var standing: TenureStanding { .held }
    func begin() -> Bool { true }
    func end() {}
  }

  private var runs: Int {
    let bytes = (try? FileReading.all(of: folder.path + "/ledger", limit: 1 << 16)) ?? []
    return bytes.count { $0 == UInt8(ascii: "\n") }
  }

  /// Starts the script with a keeper that stops at `point`; when it has, does `then`, and wakes it.
  ///
  /// - Parameters:
  ///   - span: how long the script may be started at all.
  ///   - scripts: whose keeper it is; nil: one of its own.
  /// - Returns: why it was not started.
  private func start(
    _ key: String, _ script: String, within span: Duration, by scripts: DetachedScripts? = nil,
    then: () async throws -> Void
  ) async throws -> StepFailure? {
    var request = Harness.shell(key, script)
    request.tenure = Brief(span)
    let scripts = scripts ?? Harness.scripts(in: folder)
    let order = request
    async let refusal = { () async -> StepFailure? in
      do throws(StepFailure) { try await scripts.start(order) } catch { return error }
      return nil
    }()
    var keeper: Int32?
    // No thread is held meanwhile: the start needs one.
    for _ in 0..<20_000 where keeper == nil {
      keeper = ProcessEntry.all().first { $0.parent == getpid() && isKeeper($0.pid) && isStopped($0.pid) }?.pid
      try await Task.sleep(for: .milliseconds(10))
    }
    #expect(keeper != nil, "its keeper was not stopped")
    if let keeper {
      defer { kill(keeper, SIGCONT) }
      try await then()
    }
    return await refusal
  }

  /// Other tests stop processes of theirs.
  private func isKeeper(_ pid: Int32) -> Bool {
    let bytes = (try? FileReading.all(of: "/proc/\(pid)/cmdline", limit: 4096)) ?? []
    return String(decoding: bytes, as: UTF8.self).contains(ScriptKeeper.argument)
  }

  private func isStopped(_ pid: Int32) -> Bool {
    let bytes = (try? FileReading.all(of: "/proc/\(pid)/stat", limit: 4096)) ?? []
    return String(decoding: bytes, as: UTF8.self).split(separator: ") ").last?.first == "T"
  }

  @Test(arguments: [KeeperPoint.locked, .forked, .recorded])
  func whatAFrozenKeeperCouldOnlyStartTooLateIsAbsentAndIsNeverStarted(point: KeeperPoint) async throws {
    let key = "keeper-freezes-\(point.rawValue)-\(Harness.newKey())"
    let ledger = "echo once >> '\(folder.path)/ledger'"
    let next = Harness.scripts(in: folder)
    let refusal = try await start(key, ledger, within: .milliseconds(300)) {
      let state = try await next.wait(for: key, timeout: .seconds(60))
      #expect(state == .absent)
      #expect(runs == 0)
    }
    #expect(refusal?.effect == Optional(.none), "\(String(describing: refusal))")
    #expect(try await next.state(of: key) == .absent)
    #expect(runs == 0)
    #expect(try await next.finish(Harness.shell(Harness.newKey(), ledger)) == .ended(ScriptEnd(exitCode: 0)))
    #expect(runs == 1)
  }

  @Test func aScriptThatWasStoppedHasEndedAlthoughItsFrozenKeeperCannotSaySo() async throws {
    let key = "keeper-freezes-released-\(Harness.newKey())"
    let next = DetachedScripts(
      folder: folder.path + "/scripts", keeper: KeeperProgram(path: Harness.program),
      environment: ["PATH": "/usr/bin:/bin"], patience: .milliseconds(50)
    ) { _ in }
    let refusal = try await start(key, "exec sleep 1000", within: .seconds(600)) {
      let before = try await next.state(of: key)
      #expect(before == .running)
      try await next.cancel(key, grace: .seconds(5))
      let after = try await next.state(of: key)
      #expect(after == .ended(ScriptEnd(exitCode: nil, isTimedOut: true)))
    }
    #expect(refusal == nil)
    #expect(try await next.wait(for: key) == .ended(ScriptEnd(exitCode: nil, isTimedOut: true)))
  }

  /// The process of a script whose program has not begun bears no mark yet, and is a child of the keeper, as the
  /// orphans of all its scripts are.
  @Test(arguments: [KeeperPoint.forked, .recorded])
  func aCancelLeavesAScriptAloneThatIsJustBeingStarted(point: KeeperPoint) async throws {
    let (first, second) = (Harness.newKey(), "keeper-freezes-\(point.rawValue)-\(Harness.newKey())")
    let scripts = Harness.scripts(in: folder)
    let other = DetachedScripts(
      folder: folder.path + "/scripts", keeper: KeeperProgram(path: Harness.program),
      environment: ["PATH": "/usr/bin:/bin"], patience: .milliseconds(50)
    ) { _ in }
    try await scripts.start(Harness.shell(first, "exec sleep 1000"))
    let ledger = "echo once >> '\(folder.path)/ledger'"
    let refusal = try await start(second, ledger, within: .seconds(600), by: scripts) {
      try await other.cancel(first, grace: .milliseconds(200))
    }
    #expect(refusal == nil)
    #expect(try await scripts.wait(for: second) == .ended(ScriptEnd(exitCode: 0)))
    #expect(runs == 1)
  }

  @Test func aScriptThatAFrozenKeeperMayStillStartIsNotSaidToHaveEnded() async throws {
    let key = "keeper-freezes-locked-\(Harness.newKey())"
    let script = ScriptFolder(path: folder.path + "/scripts/\(key)")
    let next = DetachedScripts(
      folder: folder.path + "/scripts", keeper: KeeperProgram(path: Harness.program),
      environment: ["PATH": "/usr/bin:/bin"], patience: .milliseconds(50)
    ) { _ in }
    try Folder.make(folder.path + "/scripts")
    #expect(try script.make())
    let lock = try #require(try FileLock.take(script.lockPath))
    do throws(StepFailure) {
      try await next.cancel(key, grace: .seconds(1))
      Issue.record("it was said to have ended")
    } catch {
      #expect(error.effect == .unknown)
    }
    withExtendedLifetime(lock) {}
  }
}
