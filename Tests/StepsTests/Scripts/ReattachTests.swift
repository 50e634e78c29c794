import Glibc
import Posix
import Runbook
import TestSupport
import Testing

@testable import Steps

/// An engine is killed while its script runs; another one finds it.
struct ReattachTests {
  let folder = TemporaryFolder()
  let key = Harness.newKey()

  /// An engine in a process of its own that has started `script` under the key `k`.
  struct Engine {
    let pid: Int32
    let said: Descriptor

    init(_ folder: TemporaryFolder, _ key: String, script: String, lifetime: Int? = nil, grace: Int = 0) throws {
      let times = lifetime.map { ["\($0)", "\(grace)"] } ?? []
      (pid, said) = try Harness.start(["hold", folder.path + "/scripts", key, script] + times)
      #expect(try said.read(limit: 8) == Array("started\n".utf8))
    }

    func kill9() {
      kill(pid, SIGKILL)
      Children.reap(pid)
    }
  }

  @Test func aScriptOutlivesItsEngineAndItsEndIsReadByTheNext() async throws {
    let gate = folder.path + "/gate"
    let engine = try Engine(folder, key, script: "while test ! -e \(gate); do sleep 0.01; done; echo done; exit 5")
    engine.kill9()
    let scripts = Harness.scripts(in: folder)
    #expect(try await scripts.state(of: key) == .running)
    let state = try await withThrowingTaskGroup(of: ScriptState.self) { group in
      group.addTask { try await scripts.wait(for: key) }
      _ = folder.file("gate", "")
      return try #require(try await group.next())
    }
    #expect(state == .ended(ScriptEnd(exitCode: 5, stdout: Array("done\n".utf8))))
  }

  @Test func anEndThatNobodySawIsReadLater() async throws {
    let engine = try Engine(folder, key, script: "test -e \(folder.path)/never || kill -9 $$")
    #expect(Harness.eventually { (try? ScriptFolder(path: folder.path + "/scripts/\(key)").ending) != nil })
    engine.kill9()
    #expect(try await Harness.scripts(in: folder).wait(for: key) == .ended(ScriptEnd(exitCode: nil, signal: 9)))
  }

  @Test func aScriptWhoseKeeperIsKilledTooEndsUnknown() async throws {
    let engine = try Engine(folder, key, script: "exec sleep 1000")
    engine.kill9()
    let process = try #require(try ScriptFolder(path: folder.path + "/scripts/\(key)").process)
    kill(process.keeper.pid, SIGKILL)
    let scripts = Harness.scripts(in: folder)
    #expect(try await scripts.state(of: key) == .running)
    kill(process.identity.pid, SIGKILL)
    #expect(try await scripts.wait(for: key) == .lost)
  }

  @Test func theNextEngineCanCancelIt() async throws {
    let engine = try Engine(folder, key, script: "trap '' TERM; setsid sleep 1000 & sleep 1000")
    engine.kill9()
    let process = try #require(try ScriptFolder(path: folder.path + "/scripts/\(key)").process)
    let scripts = Harness.scripts(in: folder)
    try await scripts.cancel(key, grace: .milliseconds(100))
    #expect(process.family(key).members().isEmpty)
    #expect(try await scripts.wait(for: key) == .ended(ScriptEnd(exitCode: nil, signal: 9)))
  }

  @Test func aWaitForAnothersScriptCanBeCancelled() async throws {
    let engine = try Engine(folder, key, script: "sleep 1000")
    engine.kill9()
    let scripts = Harness.scripts(in: folder)
    let state = await withTaskGroup(of: ScriptState?.self) { group in
      group.addTask { try? await scripts.wait(for: key) }
      group.cancelAll()
      return await group.next() ?? nil
    }
    #expect(state == .running)
    try await scripts.cancel(key, grace: .seconds(5))
  }

  @Test func theKeeperEndsWhenItsEngineAndItsScriptsHave() throws {
    let engine = try Engine(folder, key, script: "exit 0")
    #expect(Harness.eventually { (try? ScriptFolder(path: folder.path + "/scripts/\(key)").ending) != nil })
    let keeper = try #require(try ScriptFolder(path: folder.path + "/scripts/\(key)").process).keeper
    engine.kill9()
    #expect(Harness.eventually { keeper.state != .alive })
  }
}
