import Glibc
import Posix
import Runbook
import TestSupport
import Testing

@testable import Steps

/// What the process beside a script does without an engine: its deadline, and what it leaves alone.
struct KeeperTests {
  let folder = TemporaryFolder()
  let key = Harness.newKey()
  var script: ScriptFolder { ScriptFolder(path: folder.path + "/scripts/\(key)") }

  private func text(_ name: String) -> String {
    String(decoding: (try? FileReading.all(of: folder.path + "/" + name, limit: 1 << 20)) ?? [], as: UTF8.self)
  }

  @Test(arguments: [
    "sleep 1000", "trap '' TERM; setsid sleep 1000 & while :; do sleep 1; done",
    "(setsid sh -c 'trap \"\" TERM; sleep 1000; sleep 1000' &); sleep 1000", "kill -STOP $$",
  ])
  func aScriptEndsWithAllThatCameFromItAtItsDeadlineAlthoughNoEngineLives(work: String) async throws {
    let mark = "MARK=\(folder.path)"
    let engine = try ReattachTests.Engine(
      folder, key, script: "export MARK='\(folder.path)'; sleep 0.01; \(work)", lifetime: 400, grace: 100)
    engine.kill9()
    #expect(Harness.eventually { (try? script.ending) != nil })
    #expect(ProcessEntry.bearing(mark).isEmpty && ProcessEntry.bearing(ScriptFolder.mark(key)).count == 0)
    // The next engine says so.
    let state = try await Harness.scripts(in: folder).wait(for: key)
    #expect(state == .ended(ScriptEnd(exitCode: nil, isTimedOut: true)))
  }

  private struct Unexpected: Error { var state: ScriptState }

  @Test func aScriptHasItsGraceToCleanUpAtItsDeadline() async throws {
    let request = { () -> ScriptRequest in
      var request = Harness.shell(key, "trap 'echo cleaned; exit 0' TERM; echo ready; while :; do sleep 0.01; done")
      request.lifetime = .milliseconds(300)
      request.grace = .seconds(60)
      return request
    }()
    let state = try await Harness.scripts(in: folder).finish(request)
    guard case .ended(let end) = state else { throw Unexpected(state: state) }
    // What its shell says of a child that was ended with it is not ours.
    #expect(end.exitCode == nil && end.isTimedOut && end.stdout == Array("ready\ncleaned\n".utf8))
  }

  @Test func whatAScriptLeftInTheBackgroundLivesOnWhenTheEngineHasEnded() async throws {
    let ledger = folder.path + "/ledger"
    let engine = try ReattachTests.Engine(
      folder, key,
      script: """
        ( while test ! -e '\(folder.path)/gate'; do echo to-the-pipe; echo line >> '\(ledger)'; sleep 0.01; done
          echo over >> '\(ledger)' ) &
        echo $! > '\(folder.path)/pid'
        """)
    // Its end is not delayed by what it left.
    #expect(Harness.eventually { (try? script.ending) != nil })
    let keeper = try #require(try script.process).keeper
    engine.kill9()
    let pid = try #require(Int32(text("pid").dropLast()))
    let before = text("ledger").count
    // Far more lines than a keeper needs to end.
    #expect(Harness.eventually { text("ledger").count > before + 300 || ProcessIdentity(pid) == nil })
    #expect(ProcessIdentity(pid) != nil)
    _ = folder.file("gate", "")
    #expect(Harness.eventually { text("ledger").hasSuffix("over\n") })
    #expect(Harness.eventually { keeper.state != .alive })
  }

  @Test func whatLeftItsSessionAndItsKeeperIsFoundByItsEnvironment() async throws {
    let scripts = Harness.scripts(in: folder)
    try await scripts.start(
      Harness.shell(key, "(setsid sh -c 'setsid sleep 1000 & exit' &); echo ready >'\(folder.path)/ready'; sleep 1000"))
    #expect(Harness.eventually { text("ready") == "ready\n" && ProcessEntry.bearing(ScriptFolder.mark(key)).count > 2 })
    let process = try #require(try script.process)
    kill(process.keeper.pid, SIGKILL)
    #expect(Harness.eventually { process.keeper.state != .alive })
    try await Harness.scripts(in: folder).cancel(key, grace: .milliseconds(100))
    #expect(ProcessEntry.bearing(ScriptFolder.mark(key)).isEmpty)
  }

  @Test func aScriptWhoseKeeperHoldsItsLockIsNotGone() async throws {
    let scripts = Harness.scripts(in: folder)
    try Folder.make(script.path)
    // A pid that means nothing here, as one of another namespace or behind a `/proc` that hides it.
    let hidden = ProcessIdentity(pid: getpid(), start: 1, bootID: Host.bootID)
    try script.write(ScriptProcess(identity: hidden, keeper: hidden, bystanders: []).line, to: "process")
    var lock = try FileLock.take(script.lockPath, isNew: true)
    #expect(lock != nil)
    #expect(try await scripts.state(of: key) == .running)
    #expect(try await scripts.wait(for: key, timeout: .milliseconds(100)) == .running)
    lock = nil
    #expect(try await scripts.state(of: key) == .lost)
  }

  @Test func aScriptIsNotOverWhileWhatItStartedIsStillBeingStopped() async throws {
    let scripts = Harness.scripts(in: folder)
    try await scripts.start(Harness.shell(key, "(trap '' TERM; exec sleep 1000) & sleep 0.05; exec sleep 1000"))
    #expect(Harness.eventually { ProcessEntry.bearing(ScriptFolder.mark(key)).count == 2 })
    // An engine that was killed between TERM and KILL.
    try script.write("stop", to: "stop")
    let process = try #require(try script.process)
    kill(process.identity.pid, SIGTERM)
    #expect(Harness.eventually { (try? script.ending) != nil })
    let next = Harness.scripts(in: folder)
    #expect(try await next.state(of: key) == .running)
    try await next.cancel(key, grace: .zero)
    #expect(try await next.state(of: key) == .ended(ScriptEnd(exitCode: nil, signal: 15)))
  }
}
