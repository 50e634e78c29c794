import TestSupport
import Testing

/// The README and the pages show the real output of the command. Instants, durations and ids are different each time;
/// so are the states that a wait sees between two looks.
@Suite struct ReadmeTests {
  /// The block of the README that shows this command: what stands behind its `$ ` line, and its output.
  private func block(_ command: String) throws -> (arguments: [String], output: [Substring]) {
    let text = try Repository.text("README.md")
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let start = try #require(lines.firstIndex { $0.hasPrefix("$ runbook \(command)") }, "the README has no \(command)")
    let words = lines[start].dropFirst("$ runbook ".count).split(separator: " ").map { String($0) }
    return (words, Array(lines[(start + 1)...].prefix { !$0.hasPrefix("```") && !$0.hasPrefix("$ ") }))
  }

  private func comparable(_ lines: some Sequence<Substring>) -> [String] {
    lines.map { line in
      var text = String(line)
      text.replace(#/\d\d:\d\d:\d\d/#, with: "TIME")
      text.replace(#/\br[0-9a-z]{19}\b/#, with: "RUN")
      text.replace(#/\b(\d+h)?(\d+m)?\d+(\.\d)?s\b|\b\d+m\b/#, with: "LONG")
      return text
    }.filter { !$0.contains("waiting until") && !$0.contains("progress:") }
  }

  /// The runbooks lie where the README says.
  private func place() async throws -> Workplace {
    let place = try Workplace()
    _ = try await place.shell("ln -s \(Repository.path("runbooks")) runbooks")
    return place
  }

  @Test func theGoodDayIsShownAsItIs() async throws {
    let (arguments, output) = try block("run --simulate runbooks/pre_upgrade.yaml")
    let ended = try await place().run(arguments + ["--speed", "300"])
    #expect(ended.code == 0)
    let printed = ended.stdout.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
    #expect(comparable(printed) == comparable(output))
  }

  /// The README leaves the beginning out, and the inputs, which are those of the good day.
  @Test func theBadDayIsShownAsItIs() async throws {
    let (arguments, output) = try block("run --simulate --mock")
    let inputs = try block("run --simulate runbooks/pre_upgrade.yaml").arguments.drop { $0 != "--input" }
    #expect(arguments.last == "…" && output.first == "…")
    let ended = try await place().run(arguments.dropLast() + inputs + ["--speed", "300"])
    #expect(ended.code == 3)
    let shown = comparable(output.dropFirst())
    let printed = comparable(ended.stdout.split(separator: "\n", omittingEmptySubsequences: false).dropLast())
    // The names of what was made hold the run's id.
    let ending = printed.drop { $0 != shown.first }.prefix(shown.count).map { $0.replacing("pre-RUN", with: "pre-RUN") }
    #expect(Array(ending) == shown)
  }

  @Test func theMistakesAreShownAsTheyAre() async throws {
    let (arguments, output) = try block("validate bad.yaml")
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

  /// The page shows two lines of a file; they are put at the numbers that the output gives.
  @Test func theMistakeAboutAPowerStateIsShownAsItIs() async throws {
    let lines = try Repository.text("docs/language.md").split(separator: "\n", omittingEmptySubsequences: false)
    let start = try #require(lines.firstIndex { $0.hasPrefix("  nightly.yaml:") }, "the page shows no mistake")
    let output = lines[start...].prefix { !$0.hasPrefix("  ```") }.map { String($0.dropFirst(2)) }
    let steps = output.compactMap { line -> (number: Int, text: String)? in
      guard let match = line.firstMatch(of: /^(\d+) \| (.*)$/), let number = Int(match.1) else { return nil }
      return (number, String(match.2))
    }.sorted { $0.number < $1.number }
    let head = [
      "runbook: v1", "name: nightly", "inputs: {server: {type: string}}",
      "secrets: {password: {source: env, key: PASSWORD}}",
      "providers: {cloud: {type: zstack, url: 'https://a.example', account: a, password: '${{ secrets.password }}'}}",
      "steps:",
    ]
    try #require(steps.map { $0.number } == [head.count + 1, head.count + 2])
    let place = try Workplace()
    try place.write("nightly.yaml", (head + steps.map { $0.text }).joined(separator: "\n") + "\n")
    let ended = try await place.run("validate", "nightly.yaml")
    let told = ended.stderr.split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }
    let first = told.firstIndex(of: output[0]) ?? told.endIndex
    #expect(Array(told[first...].prefix(output.count)) == output, "\(ended.stderr)")
  }
}
