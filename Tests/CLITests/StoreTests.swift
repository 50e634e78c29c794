import Glibc
import Posix
import Runbook
import TestSupport
import Testing

/// The store as an operator meets it: put back, copied, swept, and asked what there is to do.
@Suite struct StoreTests {
  private static let rollbackFails = Sample.rollbackFails.replacing(
    "steps:\n", with: "rollback_policy: {timeout: 1s}\nlocks: [deploy]\nsteps:\n")

  /// A run whose rollback is owed.
  private func owing(_ place: Workplace) async throws -> String {
    try place.write("owing.yaml", Self.rollbackFails)
    let ended = try await place.run("run", "owing.yaml")
    #expect(ended.code == 4, "\(ended)")
    return try #require(ended.runID)
  }

  @Test func aStoreFolderThatIsPutBackIsNoticedAndItsRunsNeedSomebody() async throws {
    let place = try Workplace()
    try place.write("a.yaml", Sample.succeeds)
    let id = try await owing(place)
    #expect(try await place.shell("cp -a state before").code == 0)
    #expect(try await place.run("run", "a.yaml").code == 0)
    #expect(try await place.shell("rm -r state && mv before state").code == 0)
    let listed = try await place.run("list")
    #expect(listed.code == 0)
    #expect(listed.stderr.contains("open runs may have done more than its journal says: \(id)"), "\(listed.stderr)")
    #expect(listed.stdout.contains("may have done more than its journal says"), "\(listed.stdout)")
    let again = try await place.run("list", "--needs-me", "--format", "json")
    #expect(again.code == 1)
    #expect(!again.stderr.contains("warning:"))
    let run = try JSONReader.read(again.stdout)["runs"]?.list?.first
    #expect(run?["id"]?.string == id)
    #expect(run?["needs"]?["reason"] == "restored")
    #expect(run?["needs"]?["command"]?.string == "runbook rollback resume \(id) --restored")
    // New runs go on; a lock can be freed, and a person may always give up.
    #expect(try await place.run("unlock", "deploy", "--reason", "replaced").code == 0)
    #expect(try await place.run("run", "a.yaml").code == 0)
    #expect(try await place.run("rollback", "abandon", id, "--reason", "replaced").code == 0)
    #expect(try await place.run("list", "--needs-me").code == 0)
  }

  @Test func aStoreFolderThatIsMovedGoesOn() async throws {
    let place = try Workplace()
    try place.write("a.yaml", Sample.succeeds)
    #expect(try await place.run("run", "a.yaml").code == 0)
    #expect(try await place.shell("mv state moved").code == 0)
    let listed = try await place.run(["list"], ["XDG_STATE_HOME": place.path("moved")])
    #expect(listed.stderr == "")
    #expect(listed.lines.count == 2)
  }

  @Test func nothingNeedsMeUntilARollbackIsOwed() async throws {
    let place = try Workplace()
    let nothing = try await place.run("list", "--needs-me")
    #expect(nothing.code == 0 && nothing.stdout == "" && nothing.stderr == "")
    try place.write("a.yaml", Sample.succeeds)
    #expect(try await place.run("run", "a.yaml").code == 0)
    let still = try await place.run("list", "--needs-me")
    #expect(still.code == 0 && still.stdout == "" && still.stderr == "", "\(still)")
    let id = try await owing(place)
    let needed = try await place.run("list", "--needs-me")
    #expect(needed.code == 1)
    #expect(needed.lines.count == 3, "\(needed.stdout)")
    #expect(needed.stdout.contains("  runbook rollback resume \(id)  its rollback failed"))
    #expect(try await place.run("list", "--needs-me", "-q").stdout == "\(id)\n")
    try place.write("healed", "")
    #expect(try await place.run("rollback", "resume", id).code == 3)
    #expect(try await place.run("list", "--needs-me").code == 0)
  }

  @Test func aRunThatNobodyCarriesOnNeedsMe() async throws {
    let place = try Workplace()
    try place.write("a.yaml", Sample.waits)
    let running = try place.start(["run", "a.yaml"])
    try await running.waitFor("two … run")
    #expect(try await place.run("list", "--needs-me").code == 0)
    let id = try #require(Finished(stdout: running.stdout, stderr: "").runID)
    running.send(SIGKILL)
    _ = try await running.finish()
    let needed = try await place.run("list", "--needs-me", "--format", "json")
    #expect(needed.code == 1)
    let run = try JSONReader.read(needed.stdout)["runs"]?.list?.first
    #expect(run?["needs"]?["reason"] == "ownerless")
    #expect(run?["needs"]?["command"]?.string == "runbook resume \(id)")
    try place.write("go", "")
    #expect(try await place.run("resume", id).code == 0)
  }

  @Test func aRollbackThatWasPutOffNeedsMe() async throws {
    let place = try Workplace()
    try place.write("a.yaml", Sample.waits)
    let running = try place.start(["run", "a.yaml"])
    try await running.waitFor("two … run")
    let id = try #require(Finished(stdout: running.stdout, stderr: "").runID)
    #expect(try await place.run("cancel", id, "--no-rollback").code == 0)
    #expect(try await running.finish().code == 5)
    let needed = try await place.run("list", "--needs-me")
    #expect(needed.code == 1)
    #expect(needed.stdout.contains("  runbook rollback resume \(id)  its rollback has not been begun"), "\(needed)")
    #expect(try await place.run("rollback", "resume", id).code == 5)
    #expect(try await place.run("list", "--needs-me").code == 0)
  }

  @Test func theListTellsTheInputsOfEachRun() async throws {
    let place = try Workplace()
    try place.write("a.yaml", Sample.succeeds)
    #expect(try await place.run("run", "a.yaml", "--input", "word=ciao").code == 0)
    let listed = try await place.run("list", "--format", "json")
    let run = try JSONReader.read(listed.stdout)["runs"]?.list?.first
    #expect(run?["inputs"]?["word"] == "ciao")
    #expect(run?["restored"] == false)
  }

  @Test func aStoreInAFolderThatIsNotThereIsRefused() async throws {
    let place = try Workplace()
    for arguments in [["list"], ["show", "r0123456789abcdefghi"], ["list", "--needs-me"]] {
      let ended = try await place.run(arguments + ["--store", "/nonexistent/dir/x.db"])
      #expect(ended.code == 2)
      #expect(ended.stderr.hasPrefix("error: there is no folder `/nonexistent/dir` for the store"), "\(ended.stderr)")
      #expect(ended.stdout == "")
    }
    let document = try await place.run("list", "--store", "/nonexistent/dir/x.db", "--format", "json")
    #expect(try JSONReader.read(document.stdout)["error"]?["code"] == "E-STORE")
    let there = try await place.run("list", "--store", "x.db")
    #expect(there.code == 0 && there.stderr == "no runs yet\n")
    #expect(try await place.run("list").stderr == "no runs yet\n")
  }

  @Test func aLockIsFreedByHandOnlyWhenItsRunIsNotGoingOn() async throws {
    let place = try Workplace()
    try place.write("a.yaml", Sample.waits.replacing("steps:\n", with: "locks: [deploy]\nsteps:\n"))
    let nothing = try await place.run("unlock", "deploy", "--reason", "x")
    #expect(nothing.code == 2)
    let running = try place.start(["run", "a.yaml"])
    try await running.waitFor("two … run")
    let owned = try await place.run("unlock", "deploy", "--reason", "x")
    #expect(owned.code == 7, "\(owned)")
    #expect(owned.stderr.contains("belongs to process \(running.pid)"))
    try place.write("go", "")
    #expect(try await running.finish().code == 0)

    let id = try await owing(place)
    let locks = try await place.run("list", "--locks")
    #expect(locks.lines.count == 1 && locks.stdout.hasPrefix("deploy  \(id)"), "\(locks.stdout)")
    let waits = try await place.run("run", "a.yaml")
    #expect(waits.code == 7)
    let unknown = try await place.run("unlock", "deplyo", "--reason", "x")
    #expect(unknown.code == 2)
    #expect(unknown.stderr.hasSuffix("did you mean `deploy`?\n"), "\(unknown.stderr)")
    let freed = try await place.run("unlock", "deploy", "--reason", "a new machine takes over")
    #expect(freed.code == 0)
    #expect(freed.stdout == "`deploy` is free; run \(id) held it\n")
    #expect(freed.stderr.contains("run \(id) still owes the rollback of one, zero"), "\(freed.stderr)")
    let logs = try await place.run("logs", id, "--format", "json")
    #expect(logs.stdout.contains("lock.freed") && logs.stdout.contains("a new machine takes over"))
    #expect(try await place.run("list", "--locks").stderr == "no lock is held\n")
    #expect(try await place.run("run", "a.yaml").code == 0)
    // It is still owed.
    #expect(try await place.run("list", "--needs-me").code == 1)
  }

  @Test func aBackupOfAStoreInUseIsAStoreAndReplacesNothing() async throws {
    let place = try Workplace()
    #expect(try await place.run("store", "backup", "copy.db").code == 2)
    try place.write("a.yaml", Sample.waits)
    let running = try place.start(["run", "a.yaml"])
    try await running.waitFor("two … run")
    let id = try #require(Finished(stdout: running.stdout, stderr: "").runID)
    let made = try await place.run("store", "backup", "copies.db", "--format", "json")
    #expect(made.code == 0, "\(made)")
    #expect(try JSONReader.read(made.stdout)["backup"]?.string == place.path("copies.db"))
    let again = try await place.run("store", "backup", "copies.db")
    #expect(again.code == 2)
    #expect(again.stderr.contains("is there already"))
    try place.write("go", "")
    #expect(try await running.finish().code == 0)
    // In the store's place it lacks how the run ended.
    let put = try await place.shell("rm -rf state/runbook/runbook.db* && mv copies.db state/runbook/runbook.db")
    #expect(put.code == 0)
    let listed = try await place.run("list")
    #expect(listed.stderr.contains("open runs may have done more than its journal says: \(id)"), "\(listed)")
  }

  @Test func oldRunsAreRemovedAndTheirKeysAreFree() async throws {
    let place = try Workplace()
    try place.write("a.yaml", Sample.succeeds)
    #expect(try await place.run("gc", "--older-than", "1ms").code == 0)
    let first = try #require(try await place.run("run", "a.yaml", "--key", "k").runID)
    let owed = try await owing(place)
    let folder = "state/runbook/runbook.db.scripts/"
    #expect(place.exists(folder))
    let made = try await place.shell(
      "cd \(folder) && mkdir -p \(first)-one/deep r000000000000000000a-x \(owed)-one && touch \(first)-one/deep/x")
    #expect(made.code == 0)
    let young = try await place.run("gc", "--older-than", "90d")
    #expect(young.stdout == "removed 0 runs\n", "\(young)")
    let listed = try await place.run("gc", "--older-than", "1ms", "--list")
    #expect(listed.stdout.contains(first) && !listed.stdout.contains(owed), "\(listed)")
    #expect(try await place.run("list", "-q").lines.count == 2)
    try await Task.sleep(for: .milliseconds(1100))  // folders tell the time of their change in whole seconds
    let swept = try await place.run("gc", "--older-than", "1ms", "--format", "json")
    #expect(swept.code == 0, "\(swept)")
    let document = try JSONReader.read(swept.stdout)
    #expect(document["runs"] == .list([.string(first)]))
    #expect(document["script_folders"] == 2)
    #expect(!place.exists("\(folder)\(first)-one") && place.exists("\(folder)\(owed)-one"))
    #expect(try await place.run("list", "-q").stdout == "\(owed)\n")
    #expect(try await place.run("show", first).code == 2)
    let fresh = try await place.run("run", "a.yaml", "--key", "k")
    #expect(fresh.code == 0 && fresh.runID != first)
    #expect(try await place.run("list").stderr.contains("warning:") == false)
    let habit = try await place.run("gc", "--older-than", "1d", "--dry-run")
    #expect(habit.code == 2 && habit.stderr.contains("`--list` shows what would be removed"))
    #expect(try await place.run("gc").stderr.contains("`--older-than` is missing"))
  }
}
