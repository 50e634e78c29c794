import Glibc
import Runbook
import Testing

/// From every state of a rollback a command leads to an end with the locks free.
@Suite struct RollbackCommandTests {
  private static let fails = """
    runbook: v1
    name: stuck
    locks: [db]
    steps:
      - id: change
        run: echo change >> trace
        rollback:
          - {run: "test -e healed", retry: {attempts: 1}}
          - {run: "echo second >> trace; while test -e slow; do sleep 0.05; done"}
      - {id: give_up, fail: "enough"}

    """

  private func stuck(_ place: Workplace) async throws -> String {
    try place.write("a.yaml", Self.fails)
    try place.write("b.yaml", Sample.wantsTheLock)
    let ended = try await place.run("run", "a.yaml")
    #expect(ended.code == 4, "\(ended)")
    #expect(try await place.run("run", "b.yaml").code == 7)
    return try #require(ended.runID)
  }

  @Test func anUndoStepThatIsLeftOutLeavesTheOthersAndTheRunEndsWith4() async throws {
    let place = try Workplace()
    let id = try await stuck(place)
    let skipped = try await place.run("rollback", "skip", id, "change.undo[0]", "--reason", "by hand")
    #expect(skipped.code == 0, "\(skipped)")
    let ended = try await place.run("rollback", "resume", id)
    #expect(ended.code == 4, "\(ended)")
    #expect(place.read("trace") == "change\nsecond\n")
    #expect(ended.stdout.contains("a part of its rollback was left out"), "\(ended.stdout)")
    #expect(try await place.run("run", "b.yaml").code == 0)
    let again = try await place.run("rollback", "resume", id)
    #expect(again.code == 2)
    #expect(again.stderr.contains("has nothing left to undo"), "\(again.stderr)")
    let shown = try await place.run("show", id)
    #expect(shown.stdout.contains("left out        change.undo[0]"), "\(shown.stdout)")
    #expect(shown.stdout.contains(": by hand\n"), "\(shown.stdout)")
    #expect(!shown.stdout.contains("runbook rollback"), "\(shown.stdout)")
  }

  @Test func whatAPersonLeftOutIsNotCalledACondition() async throws {
    let place = try Workplace()
    try place.write(
      "a.yaml",
      """
      runbook: v1
      name: stuck
      steps:
        - {id: older, run: "true", rollback: [{run: "true"}]}
        - {id: change, run: "true", rollback: [{run: "false", retry: {attempts: 1}}]}
        - {fail: enough}

      """)
    let id = try #require(try await place.run("run", "a.yaml").runID)
    #expect(try await place.run("rollback", "skip", id, "change.undo[0]", "--reason", "by hand").code == 0)
    let ended = try await place.run("rollback", "resume", id)
    #expect(ended.code == 4 && !ended.stdout.contains("condition was false"), "\(ended.stdout)")
    let shown = try await place.run("show", id)
    #expect(!shown.stdout.contains("condition was false"), "\(shown.stdout)")
    #expect(shown.stdout.contains(": by hand\n") && shown.stdout.contains("undone    older"), "\(shown.stdout)")
  }

  @Test func aRollbackThatGoesOnIsToldInTheFilesOfACIJobToo() async throws {
    let place = try Workplace()
    let id = try await stuck(place)
    for what in ["skip", "abandon"] {
      let target = what == "skip" ? ["change.undo[0]"] : []
      let refused = try await place.run(["rollback", what, id] + target + ["--reason", "x", "--events", "e"])
      #expect(refused.code == 2 && refused.stderr.contains("takes no `--events`"), "\(refused)")
    }
    let unwritable = try await place.run("rollback", "resume", id, "--summary", "none/s")
    #expect(unwritable.code == 2 && unwritable.stderr.contains("its folder does not exist"), "\(unwritable)")
    let ended = try await place.run(
      "rollback", "resume", id, "--events", "e", "--summary", "s", "--annotations", "github")
    #expect(ended.code == 4, "\(ended)")
    let kinds = place.read("e").split(separator: "\n").compactMap { try? JSONReader.read(String($0))["event"]?.string }
    #expect(kinds.first == "run.resumed" && kinds.last == "run.ended", "\(kinds)")
    #expect(place.read("s").contains("its rollback FAILED"), "\(place.read("s"))")
    #expect(ended.stderr.contains("::error "), "\(ended.stderr)")
  }

  @Test func theLastOwedEntryThatIsLeftOutEndsTheRollback() async throws {
    let place = try Workplace()
    let id = try await stuck(place)
    #expect(try await place.run("rollback", "skip", id, "change", "--reason", "by hand").code == 0)
    let shown = try await place.run("show", id)
    #expect(shown.stdout.contains("runbook rollback resume \(id)"), "\(shown.stdout)")
    let ended = try await place.run("rollback", "resume", id)
    #expect(ended.code == 4, "\(ended)")
    #expect(place.read("trace") == "change\n")
    #expect(try await place.run("run", "b.yaml").code == 0)
    #expect(try await place.run("rollback", "resume", id).code == 2)
    #expect(try await place.run("rollback", "abandon", id, "--reason", "x").code == 2)
  }

  @Test func anAbandonedRollbackIsToldAndLeadsNowhereElse() async throws {
    let place = try Workplace()
    let id = try await stuck(place)
    #expect(try await place.run("rollback", "abandon", id, "--reason", "replaced").code == 0)
    #expect(try await place.run("run", "b.yaml").code == 0)
    let shown = try await place.run("show", id)
    #expect(shown.stdout.contains("its rollback was abandoned by "), "\(shown.stdout)")
    #expect(shown.stdout.contains(": replaced\n"), "\(shown.stdout)")
    #expect(!shown.stdout.contains("runbook rollback"), "\(shown.stdout)")
    let refused = try await place.run("rollback", "resume", id)
    #expect(refused.code == 2)
    #expect(refused.stderr.contains("was abandoned by "), "\(refused.stderr)")
    #expect(!refused.stderr.contains("runbook show"), "\(refused.stderr)")
  }

  @Test func aSecondRollbackResumeAfterAKillNamesTheCommandThatGoesOn() async throws {
    let place = try Workplace()
    let id = try await stuck(place)
    try place.write("healed", "")
    try place.write("slow", "")
    let running = try place.start(["rollback", "resume", id])
    try await place.waitFor("second", in: "trace")
    running.send(SIGKILL)
    _ = try await running.finish()
    let refused = try await place.run("rollback", "resume", id)
    #expect(refused.code == 2, "\(refused)")
    #expect(refused.stderr.contains("`runbook resume \(id)` carries it on"), "\(refused.stderr)")
    unsafe unlink(place.path("slow"))
    let ended = try await place.run("resume", id)
    #expect(ended.code == 3, "\(ended)")
    #expect(try await place.run("run", "b.yaml").code == 0)
  }
}
