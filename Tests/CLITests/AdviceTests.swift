import Runbook
import Testing

/// What the tool advises can be pasted into a shell, and reaches the store that the person works with.
@Suite struct AdviceTests {
  private static let store = "my store/it's.db"
  private static let quoted = "--store 'my store/it'\\''s.db'"

  /// The commands of a text: at the beginning of a line up to two spaces, or in backticks.
  private func advised(in text: String) -> [String] {
    var found: [String] = []
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: "`", omittingEmptySubsequences: false)
      found += parts.enumerated().filter { $0.offset % 2 == 1 }.map { String($0.element) }
      let trimmed = line.drop { $0 == " " }
      guard trimmed.hasPrefix("runbook ") else { continue }
      found.append(String(trimmed[..<(trimmed.firstRange(of: "  ")?.lowerBound ?? trimmed.endIndex)]))
    }
    return found.filter { $0.hasPrefix("runbook ") && !$0.hasPrefix("runbook help") }
  }

  private func paste(_ line: String, _ place: Workplace) async throws -> Finished {
    try await place.shell("runbook() { \"$R\" \"$@\"; }; \(line)")
  }

  @Test func everyAdvisedCommandNamesTheStoreThatWasNamedAndCanBePasted() async throws {
    let place = try Workplace()
    #expect(try await place.shell("mkdir 'my store'").code == 0)
    try place.write("a.yaml", Sample.rollbackFails.replacing("steps:\n", with: "locks: [db]\nsteps:\n"))
    try place.write("b.yaml", Sample.wantsTheLock)
    let ended = try await place.run("run", "a.yaml", "--store", Self.store)
    #expect(ended.code == 4, "\(ended)")
    let id = try #require(ended.runID)
    var texts = [ended.stdout]
    for command in [
      ["show", id], ["list", "--needs-me"], ["run", "b.yaml"], ["resume", id], ["cancel", id],
      ["show", "r0123456789abcdefghi"], ["show", "x"], ["resolve", id, "one", "--retry"],
    ] {
      let told = try await place.run(command + ["--store", Self.store])
      let commands = advised(in: told.stdout + told.stderr)
      #expect(!commands.isEmpty, "\(command): \(told)")
      texts += [told.stdout, told.stderr]
    }
    let commands = Set(texts.flatMap { advised(in: $0) })
    #expect(commands.count >= 6, "\(commands)")
    for command in commands.sorted() { #expect(command.hasSuffix(Self.quoted), "\(command)") }
    // Those that change nothing, then the one that skips, then the one that ends it.
    for command in commands.sorted() where command.contains(" show ") || command.contains(" logs ") {
      #expect(try await paste(command, place).code == 0, "\(command)")
    }
    let skip = try #require(commands.first { $0.contains("rollback skip") })
    #expect(try await paste(skip, place).code == 0, "\(skip)")
    let abandon = try #require(commands.first { $0.contains("rollback abandon") })
    #expect(try await paste(abandon, place).code == 0, "\(abandon)")
    #expect(try await place.run("list").stderr == "no runs yet\n", "a command reached the default store")
  }

  @Test func theDefaultStoreIsNotNamed() async throws {
    let place = try Workplace()
    try place.write("a.yaml", Sample.fails)
    let ended = try await place.run("run", "a.yaml", "--store", place.path("state/runbook/runbook.db"))
    #expect(!ended.stdout.contains("--store"), "\(ended.stdout)")
    #expect(!advised(in: ended.stdout).isEmpty)
  }

  @Test func aCancelIsAdvisedOnlyWhereItWouldBeCarriedOut() async throws {
    let place = try Workplace()
    try place.write(
      "a.yaml",
      """
      runbook: v1
      name: ends
      steps:
        - {id: one, run: "echo one >> trace; while ! test -e go1; do sleep 0.05; done", rollback: none}
      always:
        - {run: "echo always >> trace; while ! test -e go2; do sleep 0.05; done"}

      """)
    let running = try place.start(["run", "a.yaml"])
    try await place.waitFor("one", in: "trace")
    let id = try #require(Finished(stdout: running.stdout, stderr: "").runID)
    let early = try await place.run("resume", id)
    #expect(early.code == 7)
    #expect(early.stderr.contains("`runbook cancel \(id)` stops it"), "\(early.stderr)")
    try place.write("go1", "")
    try await place.waitFor("always", in: "trace")
    let late = try await place.run("resume", id)
    #expect(late.code == 7)
    #expect(late.stderr.contains("`runbook logs \(id) --follow` watches it"), "\(late.stderr)")
    #expect(!late.stderr.contains("cancel"), "\(late.stderr)")
    try place.write("go2", "")
    #expect(try await running.finish().code == 0)
  }

  @Test func anUndoThatCanOnlyFailTheSameWayIsTriedOnce() async throws {
    let place = try Workplace()
    try place.write(
      "a.yaml",
      """
      runbook: v1
      name: sleeps_too_long
      steps:
        - {id: one, run: 'true', rollback: [{sleep: 5m, timeout: 1m}]}
        - {id: two, fail: enough}

      """)
    let ended = try await place.run("run", "--simulate", "a.yaml", "-v")
    #expect(ended.code == 4, "\(ended)")
    #expect(ended.stdout.contains("the pause of 5m is longer than the step may take"), "\(ended.stdout)")
    #expect(!ended.stdout.contains("attempt 2"), "\(ended.stdout)")
  }
}
