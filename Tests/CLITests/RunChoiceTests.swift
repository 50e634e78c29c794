import Runbook
import Testing

/// A run is named by its id, the beginning of one, `latest`, or not at all where only one needs a person.
@Suite struct RunChoiceTests {
  @Test func aRunIsNamedByAPrefixOrByLatest() async throws {
    let place = try Workplace()
    #expect(try await place.run("show", "latest").code == 2)
    try place.write("a.yaml", Sample.succeeds)
    let first = try #require(try await place.run("run", "a.yaml").runID)
    #expect(try await place.run("show", String(first.prefix(4))).stdout.contains(first))
    let second = try #require(try await place.run("run", "a.yaml").runID)
    let latest = try await place.run("show", "latest")
    #expect(latest.code == 0 && latest.stdout.contains(second), "\(latest)")
    #expect(latest.stderr.hasPrefix("run \(second) ("), "\(latest.stderr)")
    #expect(try await place.run("show", "-q", String(first.dropLast())).stdout.contains(first))
    let ambiguous = try await place.run("logs", "r")
    #expect(ambiguous.code == 2)
    #expect(ambiguous.stderr.hasPrefix("error: `r` begins the ids of 2 runs: \(second) ("), "\(ambiguous.stderr)")
    #expect(ambiguous.stderr.contains(first))
    let unknown = try await place.run("show", "rzzz")
    #expect(unknown.code == 2 && unknown.stderr.contains("there is no run `rzzz`"), "\(unknown)")
    let json = try await place.run("show", "r", "--format", "json")
    #expect(try JSONReader.read(json.stdout)["error"]?["code"] == "E-AMBIGUOUS")
  }

  @Test func theOneRunThatNeedsSomebodyNeedNotBeNamed() async throws {
    let place = try Workplace()
    try place.write("ok.yaml", Sample.succeeds)
    #expect(try await place.run("run", "ok.yaml").code == 0)
    let none = try await place.run("resume")
    #expect(none.code == 2)
    #expect(none.stderr.hasPrefix("error: `RUN` is missing, and no run needs a person"), "\(none.stderr)")
    try place.write(
      "a.yaml", Sample.rollbackFails.replacing("steps:\n", with: "rollback_policy: {timeout: 1s}\nsteps:\n"))
    let id = try #require(try await place.run("run", "a.yaml").runID)
    #expect(try await place.run("show").stdout.contains(id))
    let other = try #require(try await place.run("run", "a.yaml").runID)
    let many = try await place.run("rollback", "abandon", "--reason", "x")
    #expect(many.code == 2)
    #expect(many.stderr.hasPrefix("error: `RUN` is missing, and 2 runs need a person: \(other) ("), "\(many.stderr)")
    #expect(many.stderr.contains(id))
    #expect(try await place.run("rollback", "abandon", id, "--reason", "x").code == 0)
    let skipped = try await place.run("rollback", "skip", "one.undo[0]", "--reason", "x")
    #expect(skipped.code == 0 && skipped.stderr.contains("run \(other) ("), "\(skipped)")
    #expect(try await place.run("rollback", "skip", other, "--reason", "x").stderr.contains("`ENTRY` is missing"))
    #expect(try await place.run("rollback", "abandon", "--reason", "x").code == 0)
  }

  @Test func anAnswerToTheOneParkedRunNeedsNoRun() async throws {
    let (place, ledger) = (try Workplace(), Ledger(status: 503))
    let (id, _) = try await place.park(at: ledger)
    #expect(try await place.run("resolve", id, "--retry").stderr.contains("`STEP` is missing"))
    #expect(try await place.run("resolve", "call", "--not-applied").code == 0)
    let needed = try await place.run("list", "--needs-me")
    #expect(needed.code == 1)
    #expect(needed.stdout.contains("answered, to be resumed"), "\(needed.stdout)")
    #expect(needed.stdout.contains("  runbook resume \(id)  it was answered by "), "\(needed.stdout)")
    #expect(needed.stdout.contains(", and no process works on it"), "\(needed.stdout)")
    let shown = try await place.run("show")
    #expect(shown.stdout.contains("has not ended: it was answered by "), "\(shown.stdout)")
    #expect(!shown.stdout.contains("runbook resolve"), "\(shown.stdout)")
    let told = try await place.run("list").stderr
    #expect(told.contains("a run was interrupted, and no process works on it: `runbook resume \(id)`"), "\(told)")
    let json = try JSONReader.read(try await place.run("list", "--needs-me", "--format", "json").stdout)
    #expect(json["runs"]?.list?.first?["needs"]?["reason"] == "ownerless")
    let ended = try await place.run("resume")
    #expect(ended.code == 3, "\(ended)")
  }

  @Test func aCancelThatWasPostedWaitsForAnOwner() async throws {
    let (place, ledger) = (try Workplace(), Ledger(status: 503))
    let (id, _) = try await place.park(at: ledger)
    #expect(try await place.run("cancel").code == 0)
    let needed = try await place.run("list", "--needs-me")
    #expect(needed.stdout.contains("cancel asked for, to be resumed"), "\(needed.stdout)")
    #expect(needed.stdout.contains("  runbook resume \(id)  a cancel was asked for by "), "\(needed.stdout)")
    let shown = try await place.run("show", id)
    #expect(shown.stdout.contains("runbook resume \(id)"), "\(shown.stdout)")
    #expect(!shown.stdout.contains("runbook cancel"), "\(shown.stdout)")
    #expect(try await place.run("resume").code == 5)
    #expect(try await place.run("list", "--needs-me").code == 0)
  }
}
