import Glibc
import Posix
import Runbook
import TestSupport
import Testing

@testable import Steps

/// Engine and keeper are killed at every point of a start: never twice, never lost without a reason.
struct StartTests {
  let folder = TemporaryFolder()
  let key = Harness.newKey()

  private var ledger: String { "echo once >> '\(folder.path)/ledger'" }
  private var runs: Int {
    let bytes = (try? FileReading.all(of: folder.path + "/ledger", limit: 1 << 16)) ?? []
    return bytes.count { $0 == UInt8(ascii: "\n") }
  }

  /// What the next engine does: looks, and starts again only what was certainly not started.
  private func recover(_ key: String) async throws -> ScriptState {
    let next = Harness.scripts(in: folder)
    let found = try await next.wait(for: key)
    guard found == .absent else { return found }
    #expect(runs == 0, "it ran although its folder says that it never did")
    return try await next.finish(Harness.shell(key, ledger))
  }

  @Test(arguments: EnginePoint.allCases)
  func anEngineThatDiesInAStartStartsItOnceOrNotAtAll(point: EnginePoint) async throws {
    let (pid, _) = try Harness.start(["die", folder.path + "/scripts", key, ledger, point.rawValue])
    while Children.ended(pid) == nil { _ = try Poll.wait(for: [], timeout: .milliseconds(2)) }
    #expect(Children.ended(pid)?.end == .signalled(SIGKILL), "it was not killed at \(point)")
    Children.reap(pid)
    #expect(try await recover(key) == .ended(ScriptEnd(exitCode: 0)))
    #expect(runs == 1)
  }

  @Test(arguments: KeeperPoint.allCases)
  func aKeeperThatDiesInAStartStartsItOnceOrNotAtAll(point: KeeperPoint) async throws {
    let key = "keeper-dies-\(point.rawValue)-\(key)"
    let scripts = Harness.scripts(in: folder)
    do throws(StepFailure) { try await scripts.start(Harness.shell(key, ledger)) } catch {
      #expect(error.kind == .crashed && error.effect == .none && error.retryable)
    }
    var found = try await scripts.wait(for: key)
    let process = try ScriptFolder(path: folder.path + "/scripts/" + key).process
    if found == .absent {
      #expect(runs == 0)
      // The same order again, whose keeper dies at the same point, and once more under the key of a new attempt.
      _ = try? await scripts.start(Harness.shell(key, ledger))
      _ = try await scripts.wait(for: key)
      found = try await scripts.finish(Harness.shell(self.key, ledger))
      #expect(found == .ended(ScriptEnd(exitCode: 0)))
      #expect([.ordered, .locked, .forked, .recorded].contains(point) && runs == 1)
    } else if point == .written {
      #expect(found == .ended(ScriptEnd(exitCode: 0)) && runs == 1)
    } else {
      // It began, and the one that would have told its end is gone.
      #expect(found == .lost && process != nil && runs <= 1)
      #expect([.released, .answered, .ended].contains(point), "\(point)")
    }
  }

  @Test func aFolderInWhichNothingWasStartedIsAbsentAndIsUsedAgain() async throws {
    let scripts = Harness.scripts(in: folder)
    let script = ScriptFolder(path: folder.path + "/scripts/\(key)")
    try Folder.make(folder.path + "/scripts")
    #expect(try script.make())
    #expect(try await scripts.state(of: key) == .absent)
    #expect(try script.make())
    #expect(try await scripts.finish(Harness.shell(key, ledger)) == .ended(ScriptEnd(exitCode: 0)))
    #expect(runs == 1)
  }

  /// It may have been emptied by somebody, or by a power failure.
  @Test func anEmptyFolderIsNoProofThatNothingWasStarted() async throws {
    let scripts = Harness.scripts(in: folder)
    try Folder.make(folder.path + "/scripts/\(key)")
    #expect(try await scripts.state(of: key) == .lost)
    let other = ScriptFolder(path: folder.path + "/scripts/\(key)b")
    #expect(try other.make())
    try FileWriting.replace(other.lockPath, content: Array("another boot\n".utf8), mode: 0o600)
    #expect(try await scripts.state(of: key + "b") == .lost)
    #expect(runs == 0)
  }

  @Test func aFolderThatSomebodyIsJustStartingInIsNotTakenAway() async throws {
    let scripts = Harness.scripts(in: folder)
    let script = ScriptFolder(path: folder.path + "/scripts/\(key)")
    try Folder.make(folder.path + "/scripts")
    #expect(try script.make())
    let lock = try #require(try FileLock.take(script.lockPath))
    #expect(try await scripts.state(of: key) == .running)
    #expect(try !script.removeUnstarted())
    withExtendedLifetime(lock) {}
  }

  @Test func anOrderForAFolderThatWasTakenAwayIsRefused() throws {
    let order = KeeperOrder(
      key: "k", folder: folder.path + "/taken", command: ["/bin/true"], environment: [], workingDirectory: "",
      input: nil, secretFile: nil, password: nil, isAttached: false, lifetimeMilliseconds: 0, graceMilliseconds: 0)
    do throws(KeeperOrder.Refusal) {
      _ = try order.begin(bystanders: [], keeper: .own) { _, _ in 0 }
      Issue.record("it was started")
    } catch {
      #expect(error.code == ESTALE)
    }
  }

  @Test(arguments: [EAGAIN, ENOMEM, EMFILE, ENOSPC])
  func aShortageAtTheStartIsALimitThatMayPass(code: Int32) async throws {
    let scripts = Harness.scripts(in: folder)
    let key = "denied-\(code)-\(key)"
    do throws(StepFailure) {
      try await scripts.start(Harness.shell(key, ledger))
      Issue.record("it was started")
    } catch {
      #expect(error.kind == .limit && error.effect == .none && error.retryable)
    }
    #expect(try await scripts.state(of: key) == .absent)
    #expect(runs == 0)
  }

  @Test func aNewAttemptStartsBesideTheFolderOfAnOlderOneAndBothAreSwept() async throws {
    let scripts = Harness.scripts(in: folder)
    try await scripts.start(Harness.shell("\(key)-first", "exec sleep 1000"))
    let process = try #require(try ScriptFolder(path: folder.path + "/scripts/\(key)-first").process)
    kill(process.keeper.pid, SIGKILL)
    kill(process.identity.pid, SIGKILL)
    #expect(try await scripts.wait(for: "\(key)-first") == .lost)
    let next = Harness.scripts(in: folder)
    #expect(try await next.finish(Harness.shell("\(key)-second", ledger)) == .ended(ScriptEnd(exitCode: 0)))
    await next.sweep { [key] in $0 == key }
    #expect(FileReading.names(in: folder.path + "/scripts").allSatisfy { $0.hasPrefix(".") })
  }
}
