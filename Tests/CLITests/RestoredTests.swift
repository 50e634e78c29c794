import Glibc
import Runbook
import Testing

/// A run of a store that was put back from an older copy goes on only after a person has said so.
@Suite struct RestoredTests {
  @Test func onlyTheWordRestoredAnswersForARestoredRun() async throws {
    let place = try Workplace()
    try place.write("a.yaml", Sample.waits)
    let arguments = ["run", "a.yaml", "--key", "ci"]
    let running = try place.start(arguments)
    try await place.waitFor("two", in: "trace")
    let id = try #require(Finished(stdout: running.stdout, stderr: "").runID)
    running.send(SIGTERM)
    #expect(try await running.finish().code == 9)
    // The database alone, as a backup of it would hold it.
    let folder = place.path("state/runbook")
    _ = try await place.shell("mkdir old; cp \(folder)/runbook.db \(folder)/runbook.db-wal old/")
    try place.write("go", "")
    #expect(try await place.run("resume", id).code == 0)
    let done = place.read("trace")
    _ = try await place.shell("rm \(folder)/runbook.db \(folder)/runbook.db-wal; cp old/* \(folder)/")

    for command in [["resume", id], ["resume", id], arguments, ["cancel", id]] {
      let refused = try await place.run(command)
      #expect(refused.code == 6, "\(command): \(refused)")
    }
    let told = try await place.run("resume", id)
    #expect(told.stdout.contains("may have done more than its journal says"), "\(told.stdout)")
    #expect(told.stdout.contains("runbook resume \(id) --restored"), "\(told.stdout)")
    #expect(place.read("trace") == done)
    let ended = try await place.run("resume", id, "--restored")
    #expect(ended.code != 6, "\(ended)")
    #expect(ended.stdout.contains("says that the run may go on"), "\(ended.stdout)")
  }

  @Test func aScriptOfTheLifeThatWasPutBackIsToldWhenItIsTaken() async throws {
    let place = try Workplace()
    try place.write(
      "a.yaml",
      """
      runbook: v1
      name: two_lives
      steps:
        - {id: two, run: "echo two >> trace; while ! test -e go2; do sleep 0.05; done", rollback: none}
        - id: three
          run: "echo three >> trace; while ! test -e go3; do sleep 0.05; done; echo end >> trace"
          rollback: none

      """)
    let running = try place.start(["run", "a.yaml"])
    try await place.waitFor("two", in: "trace")
    let id = try #require(Finished(stdout: running.stdout, stderr: "").runID)
    running.send(SIGTERM)
    #expect(try await running.finish().code == 9)
    let folder = place.path("state/runbook")
    _ = try await place.shell("mkdir old; cp \(folder)/runbook.db \(folder)/runbook.db-wal old/")
    // The life that is put back: its third step is begun, and ends without an engine.
    let life = try place.start(["resume", id])
    try place.write("go2", "")
    try await place.waitFor("three", in: "trace")
    life.send(SIGKILL)
    _ = try await life.finish()
    try place.write("go3", "")
    try await place.waitFor("end", in: "trace")
    _ = try await place.shell("rm \(folder)/runbook.db \(folder)/runbook.db-wal; cp old/* \(folder)/")

    #expect(try await place.run("list").code == 0)
    let ended = try await place.run("resume", id, "--restored")
    #expect(ended.code == 0, "\(ended)")
    #expect(place.read("trace") == "two\nthree\nend\n")
    // The second step was in the journal of the copy, the third was not.
    let logs = try await place.run("logs", id)
    for step in ["two", "three"] {
      let words = "\(step) … its script is not started again: it was started before the store was put back"
      #expect(ended.stdout.contains(words), "\(ended.stdout)")
      #expect(logs.stdout.contains(words), "\(logs.stdout)")
    }
    #expect(try await place.run("logs", id, "--format", "json").stdout.contains("script.adopted"))
  }
}
