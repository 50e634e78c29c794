import Glibc
import Runbook
import Testing

/// A cancel is carried out wherever something can still be stopped, and refused with the reason everywhere else.
@Suite struct CancelTests {
  @Test func aParkedRunThatIsCancelledEndsUndone() async throws {
    let (place, ledger) = (try Workplace(), Ledger(status: 503))
    let (id, _) = try await place.park(at: ledger)
    let asked = try await place.run("cancel", id)
    #expect(asked.code == 0, "\(asked)")
    #expect(asked.stderr.contains("`runbook resume \(id)` carries the cancel out"), "\(asked.stderr)")
    let again = try await place.run("cancel", id)
    #expect(again.code == 0)
    #expect(again.stdout.contains("a cancel was asked for already, by "), "\(again.stdout)")
    #expect(try await place.run("cancel", id, "--no-rollback").code == 2)
    let ended = try await place.run("resume", id)
    #expect(ended.code == 5, "\(ended)")
    #expect(place.read("trace") == "one\nundo-one\n")
    #expect(ledger.lines == ["POST /x"])
    #expect(ended.stdout.contains("  unknown  call"), "\(ended.stdout)")
  }

  @Test func aCancelDuringAlwaysIsTooLateAndSaysWhy() async throws {
    let place = try Workplace()
    try place.write(
      "a.yaml",
      """
      runbook: v1
      name: ends
      steps:
        - {id: one, run: echo one >> trace, rollback: [{run: echo undo-one >> trace}]}
      always:
        - {run: "echo always >> trace; while ! test -e go; do sleep 0.05; done"}

      """)
    let running = try place.start(["run", "a.yaml"])
    try await place.waitFor("always", in: "trace")
    let id = try #require(Finished(stdout: running.stdout, stderr: "").runID)
    running.send(SIGINT)
    try await running.waitForMessage("too late to cancel: all steps are done")
    let refused = try await place.run("cancel", id, "--format", "json")
    #expect(refused.code == 2)
    let error = try JSONReader.read(refused.stdout)["error"]
    #expect(error?["code"] == "E-TOO-LATE")
    #expect(error?["message"]?.string?.contains("all steps are done") == true)
    try place.write("go", "")
    let ended = try await running.finish()
    #expect(ended.code == 0, "\(ended)")
    #expect(place.read("trace") == "one\nalways\n")
  }

  @Test func aRunThatWasCancelledWithoutRollbackKeepsItsLocks() async throws {
    let place = try Workplace()
    try place.write("a.yaml", Sample.waits.replacing("steps:\n", with: "locks: [db]\nsteps:\n"))
    try place.write("b.yaml", Sample.wantsTheLock)
    let running = try place.start(["run", "a.yaml"])
    try await place.waitFor("two", in: "trace")
    let id = try #require(Finished(stdout: running.stdout, stderr: "").runID)
    #expect(try await place.run("cancel", id, "--no-rollback").stdout.hasPrefix("the run is being cancelled"))
    #expect(try await running.finish().code == 5)
    let refused = try await place.run("run", "b.yaml")
    #expect(refused.code == 7, "\(refused)")
    #expect(refused.stderr.contains("which has ended and still owes its rollback"), "\(refused.stderr)")
    #expect(refused.stderr.contains("`runbook rollback resume \(id)`"))
    let undone = try await place.run("rollback", "resume", id)
    #expect(undone.code == 5, "\(undone)")
    #expect(place.read("trace") == "one\ntwo\nundo-two\nundo-one\n")
    #expect(try await place.run("run", "b.yaml").code == 0)
  }
}
