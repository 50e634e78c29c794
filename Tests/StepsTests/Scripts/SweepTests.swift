import Glibc
import Posix
import Runbook
import TestSupport
import Testing

@testable import Steps

/// What is left in the folder of folders, and which folder it is.
struct SweepTests {
  let folder = TemporaryFolder()
  private var names: [String] {
    FileReading.names(in: folder.path + "/scripts").filter { !$0.hasPrefix(".") }.sorted()
  }

  @Test func whatIsKeptOfARunThatIsOverIsSweptUnlessItRuns() async throws {
    let scripts = Harness.scripts(in: folder)
    let run = Harness.newKey()
    for key in ["\(run)-a", "\(run)-b", "r2-a", "foreign"] {
      _ = try await scripts.finish(Harness.shell(key, "echo secret"))
    }
    try await scripts.start(Harness.shell("\(run)-c", "sleep 1000"))
    try Folder.make(folder.path + "/scripts/\(run)-d")
    await scripts.sweep { $0 == run }
    #expect(names == ["foreign", "\(run)-c", "r2-a"].sorted())
    try await scripts.cancel("\(run)-c", grace: .zero)
    await scripts.sweep { $0 == run }
    #expect(names == ["foreign", "r2-a"])
  }

  @Test func theOutputOfAnAttachedProgramGoesWithItsEngineAndNotBefore() async throws {
    let gate = folder.path + "/gate"
    let line = "echo secret; echo up > '\(gate)'; sleep 1000"
    let (pid, _) = try Harness.start(["attach", folder.path + "/scripts", line])
    #expect(Harness.eventually { (try? FileReading.all(of: gate, limit: 10)) == Array("up\n".utf8) })
    let scripts = Harness.scripts(in: folder)
    await scripts.sweep { _ in false }
    #expect(names.count == 1, "a living engine's folder is its own")
    kill(pid, SIGKILL)
    Children.reap(pid)
    await scripts.sweep { _ in false }
    #expect(names.isEmpty)
    #expect(FileReading.names(in: folder.path + "/scripts").allSatisfy { !$0.hasPrefix(".engine") })
  }

  @Test func thePlaceIsTheSameForAllThatUseTheFolderAndAnotherAfterItWasReplaced() async throws {
    let place = try await Harness.scripts(in: folder).place()
    #expect(try await Harness.scripts(in: folder).place() == place)
    #expect(try await Harness.scripts(in: folder, named: "other").place() != place)
    let path = folder.path + "/scripts"
    #expect(unsafe rename(path, path + "-moved") == 0)
    #expect(try await Harness.scripts(in: folder).place() != place)
    #expect(try await Harness.scripts(in: folder, named: "scripts-moved").place() == place)
  }

  @Test func thePlaceIsToldWithoutAKeeper() async throws {
    let scripts = DetachedScripts(folder: folder.path + "/scripts", keeper: KeeperProgram(path: "/no/such/program"))
    #expect(try await !scripts.place().isEmpty)
  }

  @Test func manyThatMakeThePlaceAtOnceAgree() async throws {
    let folder = folder
    let places = await withTaskGroup(of: String?.self) { group in
      for _ in 0..<8 { group.addTask { try? await Harness.scripts(in: folder).place() } }
      return await group.reduce(into: Set<String?>()) { $0.insert($1) }
    }
    #expect(places.count == 1 && !places.contains(nil))
    #expect(FileReading.names(in: folder.path + "/scripts") == [".place"])
  }
}
