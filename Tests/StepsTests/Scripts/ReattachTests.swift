import Glibc
import Posix
import Runbook
import TestSupport
import Testing

@testable import Steps

/// An engine is killed while its script runs; another one finds it.
struct ReattachTests {
  let folder = TemporaryFolder()

  /// An engine in a process of its own that has started `script` under the key `k`.
  struct Engine {
    let pid: Int32
    let said: Descriptor

    init(_ folder: TemporaryFolder, script: String) throws {
      let null = try Descriptor.open("/dev/null", O_RDWR)
      let (reader, writer) = try Descriptor.pipe()
      let request = SpawnRequest(
        Harness.program, arguments: ["ScriptHarness", "hold", folder.path + "/scripts", "k", script],
        environment: ["PATH=/usr/bin:/bin"], descriptors: [null.number, writer.number, null.number])
      pid = try request.start()
      writer.closeEarly()
      said = reader
      #expect(try reader.read(limit: 8) == Array("started\n".utf8))
    }

    func kill9() {
      kill(pid, SIGKILL)
      Children.reap(pid)
    }
  }

  @Test func aScriptOutlivesItsEngineAndItsEndIsReadByTheNext() async throws {
    let gate = folder.path + "/gate"
    let engine = try Engine(folder, script: "while test ! -e \(gate); do sleep 0.01; done; echo done; exit 5")
    engine.kill9()
    let scripts = Harness.scripts(in: folder)
    #expect(try await scripts.state(of: "k") == .running)
    let state = try await withThrowingTaskGroup(of: ScriptState.self) { group in
      group.addTask { try await scripts.wait(for: "k") }
      _ = folder.file("gate", "")
      return try #require(try await group.next())
    }
    #expect(state == .ended(ScriptEnd(exitCode: 5, stdout: Array("done\n".utf8))))
  }

  @Test func anEndThatNobodySawIsReadLater() async throws {
    let engine = try Engine(folder, script: "test -e \(folder.path)/never || kill -9 $$")
    #expect(Harness.eventually { (try? ScriptFolder(path: folder.path + "/scripts/k").ending) != nil })
    engine.kill9()
    #expect(try await Harness.scripts(in: folder).wait(for: "k") == .ended(ScriptEnd(exitCode: nil, signal: 9)))
  }

  @Test func aScriptWhoseKeeperIsKilledTooEndsUnknown() async throws {
    let engine = try Engine(folder, script: "exec sleep 1000")
    engine.kill9()
    let process = try #require(try ScriptFolder(path: folder.path + "/scripts/k").process)
    kill(process.keeper.pid, SIGKILL)
    let scripts = Harness.scripts(in: folder)
    #expect(try await scripts.state(of: "k") == .running)
    kill(process.identity.pid, SIGKILL)
    #expect(try await scripts.wait(for: "k") == .lost)
  }

  @Test func theNextEngineCanCancelIt() async throws {
    let engine = try Engine(folder, script: "trap '' TERM; setsid sleep 1000 & sleep 1000")
    engine.kill9()
    let process = try #require(try ScriptFolder(path: folder.path + "/scripts/k").process)
    let scripts = Harness.scripts(in: folder)
    try await scripts.cancel("k", grace: .milliseconds(100))
    #expect(process.family.members().isEmpty)
    #expect(try await scripts.wait(for: "k") == .ended(ScriptEnd(exitCode: nil, signal: 9)))
  }

  @Test func aWaitForAnothersScriptCanBeCancelled() async throws {
    let engine = try Engine(folder, script: "sleep 1000")
    engine.kill9()
    let scripts = Harness.scripts(in: folder)
    let state = await withTaskGroup(of: ScriptState?.self) { group in
      group.addTask { try? await scripts.wait(for: "k") }
      group.cancelAll()
      return await group.next() ?? nil
    }
    #expect(state == .running)
    try await scripts.cancel("k", grace: .seconds(5))
  }

  @Test func theKeeperEndsWhenItsEngineAndItsScriptsHave() throws {
    let engine = try Engine(folder, script: "exit 0")
    #expect(Harness.eventually { (try? ScriptFolder(path: folder.path + "/scripts/k").ending) != nil })
    let keeper = try #require(try ScriptFolder(path: folder.path + "/scripts/k").process).keeper
    engine.kill9()
    #expect(Harness.eventually { keeper.state != .alive })
  }
}
