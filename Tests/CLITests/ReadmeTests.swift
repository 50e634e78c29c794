import TestSupport
import Testing

/// The README shows the real output of the command.
@Suite(.serialized) struct ReadmeTests {
  @Test func theGoodDayIsShownAsItIs() async throws {
    let shown = try ShownCommand.first("run --simulate runbooks/pre_upgrade.yaml", in: "README.md")
    let ended = try await shown.run()
    #expect(ended.code == 0)
    #expect(try shown.isWhatWasPrinted(ended.stdout), "\(ended.stdout)")
  }

  /// The README leaves out the inputs, which are those of the good day.
  @Test func theBadDayIsShownAsItIs() async throws {
    let bad = try ShownCommand.first("run --simulate --mock", in: "README.md")
    let good = try ShownCommand.first("run --simulate runbooks/pre_upgrade.yaml", in: "README.md")
    #expect(bad.arguments.last == "…" && bad.output.first == "…")
    let inputs = good.arguments.drop { $0 != "--input" }
    let ended = try await ShownCommand.place().run(bad.arguments.dropLast() + inputs + ["--speed", "300"])
    #expect(ended.code == 3)
    let shown = ShownCommand.comparable(bad.output.dropFirst())
    let printed = ShownCommand.comparable(ended.stdout.split(separator: "\n", omittingEmptySubsequences: false))
    #expect(Array(printed.drop { $0 != shown.first }.prefix(shown.count)) == shown)
  }

  @Test(arguments: [
    ("run --simulate runbooks/dr_drill.yaml", 0), ("run --simulate runbooks/dr_standby.yaml", 0),
    ("run --simulate runbooks/rescue_boot.yaml", 0), ("run --simulate --mock runbooks/mocks/smoke_fails.yaml", 3),
    ("run --simulate --mock runbooks/mocks/fleet_good.yaml", 0),
    ("run --simulate --mock runbooks/mocks/fleet_bad.yaml", 3),
  ] as [(String, Int32)])
  func theRunbooksForADayEndAsShown(_ command: String, _ code: Int32) async throws {
    let shown = try ShownCommand.first(command, in: "README.md")
    let ended = try await shown.run()
    #expect(ended.code == code, "\(ended)")
    #expect(try shown.isWhatWasPrinted(ended.stdout), "\(shown.description) is out of date:\n\(ended.stdout)")
  }

  @Test func theMistakesAreShownAsTheyAre() async throws {
    let shown = try ShownCommand.first("validate bad.yaml", in: "README.md")
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
