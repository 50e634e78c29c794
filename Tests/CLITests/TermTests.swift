import Glibc
import Posix
import TestSupport
import Testing

/// What SIGTERM does to a run (`--on-term`), and what is told on a machine that is about to be erased.
@Suite struct TermTests {
  private func started(
    _ place: Workplace, _ options: [String] = [], text: String = Sample.waits, until word: String = "two"
  ) async throws -> (Running, id: String) {
    try place.write("a.yaml", text)
    let running = try place.start(["run", "a.yaml"] + options)
    for _ in 0..<6000 where !place.read("trace").contains(word) { try await Task.sleep(for: .milliseconds(5)) }
    return (running, try #require(Finished(stdout: running.stdout, stderr: "").runID))
  }

  /// Fails in its second step, and waits in the undo of the first until there is a file `go`.
  static let undoes = """
    runbook: v1
    name: undoes
    steps:
      - id: one
        run: echo one >> trace
        rollback: [{run: "echo undoing >> trace; while ! test -e go; do sleep 0.05; done; echo undone >> trace"}]
      - {id: two, run: exit 1, rollback: none}

    """

  @Test func aRunThatIsLeftSaysThatItsStoreMustOutliveTheMachine() async throws {
    let place = try Workplace()
    let (running, id) = try await started(place)
    running.send(SIGTERM)
    let ended = try await running.finish()
    #expect(ended.code == 9, "\(ended)")
    let store = place.path("state/runbook/runbook.db")
    #expect(
      ended.stderr.contains(
        "SIGTERM: leaving at the next safe point. `runbook resume \(id)` goes on, if the store `\(store)` "
          + "outlives this machine\n"), "\(ended.stderr)")
    #expect(ended.stdout.contains("It goes on where it stopped, as long as its store `\(store)` is kept."))
    #expect(place.read("trace") == "one\ntwo\n")
  }

  @Test func withOnTermCancelTheRunIsUndone() async throws {
    let place = try Workplace()
    let (running, id) = try await started(place, ["--on-term", "cancel"])
    running.send(SIGTERM)
    let ended = try await running.finish()
    #expect(ended.code == 5, "\(ended)")
    #expect(ended.stderr.contains("SIGTERM: cancelling, and undoing the changes. If this process is killed"))
    #expect(ended.stderr.contains("`runbook resume \(id)` goes on, if the store"), "\(ended.stderr)")
    #expect(place.read("trace") == "one\ntwo\nundo-two\nundo-one\n")
  }

  @Test(arguments: ["leave", "cancel"])
  func aRollbackUnderWayGoesOnUntilItHasEnded(_ word: String) async throws {
    let place = try Workplace()
    let (running, _) = try await started(place, ["--on-term", word], text: Self.undoes, until: "undoing")
    for _ in 0..<2 {
      running.send(SIGTERM)
      try await running.waitForMessage("SIGTERM: the run goes on undoing the changes until it has ended.")
    }
    try place.write("go", "")
    let ended = try await running.finish()
    #expect(ended.code == 3, "\(ended)")
    #expect(place.read("trace") == "one\nundoing\nundone\n")
  }

  @Test func aRollbackThatIsKilledIsGoneOnWithByResume() async throws {
    let place = try Workplace()
    let (running, id) = try await started(place, text: Self.undoes, until: "undoing")
    running.send(SIGKILL)
    _ = try await running.finish()
    try place.write("go", "")
    let ended = try await place.run("resume", id, "--on-term", "cancel")
    #expect(ended.code == 3, "\(ended)")
    #expect(place.read("trace").hasSuffix("undone\n"))
  }

  /// A CI system sends SIGINT, and SIGTERM seconds later.
  @Test func aTermAfterCtrlCDoesNotStopTheUndoing() async throws {
    let place = try Workplace()
    let (running, _) = try await started(place)
    running.send(SIGINT)
    try await running.waitForMessage("cancelling")
    running.send(SIGTERM)
    let ended = try await running.finish()
    #expect(ended.code == 5, "\(ended)")
    #expect(place.read("trace") == "one\ntwo\nundo-two\nundo-one\n")
  }

  @Test func anotherWordIsRefused() async throws {
    let ended = try await Workplace().run("run", "a.yaml", "--on-term", "stop")
    #expect(ended.code == 2)
    #expect(ended.stderr.hasPrefix("error: `--on-term` is `stop`; it must be `leave` or `cancel`\n"), "\(ended.stderr)")
  }
}
