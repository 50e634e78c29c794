import TestSupport
import Testing

/// `--annotations github`: what GitHub shows beside the lines of a runbook, and in the summary of the job.
@Suite struct AnnotationTests {
  @Test func aFailedStepIsShownBesideItsLineAndTheEndInTheSummaryOfTheJob() async throws {
    let place = try Workplace()
    try place.write("a.yaml", Sample.fails)
    let ended = try await place.run(
      ["run", "a.yaml", "--annotations", "github"], ["GITHUB_STEP_SUMMARY": place.path("summary.md")])
    #expect(ended.code == 3)
    let commands = ended.stderr.split(separator: "\n").filter { $0.hasPrefix("::") }
    #expect(commands.count == 2, "\(ended.stderr)")
    #expect(commands.first?.hasPrefix("::error file=a.yaml,line=5,title=step two::failed after ") == true)
    #expect(commands.last?.hasPrefix("::error title=fails::✗ fails failed at `two` after ") == true)
    #expect(!ended.stdout.contains("::error"))
    #expect(place.read("summary.md").hasPrefix("### ✗ fails failed at `two`"))
  }

  @Test func aSummaryOfTheJobThatCannotBeWrittenEndsNoRun() async throws {
    let place = try Workplace()
    try place.write("a.yaml", Sample.succeeds)
    let ended = try await place.run(
      ["run", "a.yaml", "--annotations", "github"], ["GITHUB_STEP_SUMMARY": place.path("none/summary.md")])
    #expect(ended.code == 0)
    #expect(ended.stderr.contains("none/summary.md` cannot be made: its folder does not exist\n"), "\(ended.stderr)")
  }

  @Test func withFormatJSONStdoutHoldsJSONOnly() async throws {
    let place = try Workplace()
    try place.write("a.yaml", Sample.fails)
    let ended = try await place.run("run", "a.yaml", "--annotations", "github", "--format", "json")
    #expect(ended.lines.allSatisfy { $0.hasPrefix("{") } && ended.stderr.contains("::error "), "\(ended)")
  }

  @Test func aRunThatSucceedsIsANotice() async throws {
    let place = try Workplace()
    try place.write("a.yaml", Sample.succeeds)
    let ended = try await place.run("run", "a.yaml", "--annotations", "github", "-q")
    #expect(ended.stderr.hasPrefix("::notice title=two_steps::✓ two_steps succeeded after "), "\(ended.stderr)")
  }

  @Test func anUndoThatFailsIsAnErrorBesideItsOwnLine() async throws {
    let place = try Workplace()
    try place.write("a.yaml", Sample.rollbackFails)
    let ended = try await place.run("run", "a.yaml", "--annotations", "github")
    #expect(ended.code == 4)
    #expect(
      ended.stderr.contains("::error file=a.yaml,line=8,title=undo of one failed::exit code: "), "\(ended.stderr)")
  }

  @Test func aFileIsNamedAsTheRepositoryKnowsIt() async throws {
    let place = try Workplace()
    _ = try await place.shell("mkdir -p repository/runbooks")
    try place.write("repository/runbooks/a.yaml", Sample.fails)
    let ended = try await place.run(
      ["run", place.path("repository/runbooks/a.yaml"), "--annotations", "github"],
      ["GITHUB_WORKSPACE": place.path("repository")])
    #expect(ended.stderr.contains("::error file=runbooks/a.yaml,line=5,"), "\(ended.stderr)")
  }

  @Test func theMistakesOfAFileAreShownBesideItsLines() async throws {
    let place = try Workplace()
    try place.write("a.yaml", "runbook: v1\nname: a\nsteps:\n  - {slep: 1s}\n  - {run: ./x.sh}\n")
    let ended = try await place.run("validate", "--annotations", "github", "a.yaml")
    #expect(ended.code == 2)
    let commands = ended.stderr.split(separator: "\n").filter { $0.hasPrefix("::") }
    #expect(commands.map { $0.prefix(30) } == ["::error file=a.yaml,line=4,end", "::warning file=a.yaml,line=5,e"])
  }

  @Test func aDetachedRunHasNobodyToShowThemTo() async throws {
    let ended = try await Workplace().run("run", "a.yaml", "--detach", "--annotations", "github")
    #expect(ended.code == 2)
    #expect(ended.stderr.hasPrefix("error: a detached run has no output, so it takes no `--annotations`\n"))
  }
}
