import TestSupport
import Testing

/// What the README shows is what the command prints.
@Suite struct ReadmeTests {
  @Test func theGoodDayIsShownAsItIs() async throws {
    let shown = try ShownOutput("run --simulate runbooks/pre_upgrade.yaml", in: "README.md")
    let ended = try await ShownOutput.place().run(shown.arguments + ["--speed", "300"])
    #expect(ended.code == 0)
    #expect(ShownOutput.comparable(ended.stdout) == ShownOutput.comparable(shown.output))
  }

  /// The README leaves the beginning out, and the inputs, which are those of the good day.
  @Test func theBadDayIsShownAsItIs() async throws {
    let bad = try ShownOutput("run --simulate --mock", in: "README.md")
    let good = try ShownOutput("run --simulate runbooks/pre_upgrade.yaml", in: "README.md")
    #expect(bad.arguments.last == "…" && bad.output.first == "…")
    let inputs = good.arguments.drop { $0 != "--input" }
    let ended = try await ShownOutput.place().run(bad.arguments.dropLast() + inputs + ["--speed", "300"])
    #expect(ended.code == 3)
    let shown = ShownOutput.comparable(bad.output.dropFirst())
    let printed = ShownOutput.comparable(ended.stdout)
    // The names of what was made hold the run's id.
    let ending = printed.drop { $0 != shown.first }.prefix(shown.count).map { $0.replacing("pre-RUN", with: "pre-RUN") }
    #expect(Array(ending) == shown)
  }

  @Test func theMistakesAreShownAsTheyAre() async throws {
    let shown = try ShownOutput("validate bad.yaml", in: "README.md")
    let (arguments, output) = (shown.arguments, shown.output)
    let steps = output.compactMap { line in line.firstMatch(of: /^\d+ \| (.*)$/).map { $0.1 } }
    #expect(steps.count == 3)
    let place = try Workplace()
    let head = """
      runbook: v1
      name: bad
      secrets: {token: {source: env, key: TOKEN}}
      providers: {cloud: {type: vps_org, token: "${{ secrets.token }}"}}
      steps:

      """
    try place.write("bad.yaml", head + steps.joined(separator: "\n") + "\n")
    let ended = try await place.run(arguments)
    #expect(ended.code == 2)
    let told = ended.stderr.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
    #expect(
      told.filter { !$0.contains("W-ROLLBACK") }.prefix(output.count).map { String($0) } == output.map { String($0) })
  }
}
