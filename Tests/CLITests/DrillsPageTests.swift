import TestSupport
import Testing

/// What `docs/drills.md` shows is what the command prints.
@Suite struct DrillsPageTests {
  private static let page = "docs/drills.md"

  @Test(arguments: ["run --simulate runbooks/dr_drill.yaml", "run --simulate runbooks/dr_standby.yaml"])
  func theGoodDaysAreShownAsTheyAre(_ command: String) async throws {
    let shown = try ShownOutput(command, in: Self.page)
    let ended = try await ShownOutput.place().run(shown.arguments + ["--speed", "300"])
    #expect(ended.code == 0, "\(ended)")
    #expect(ShownOutput.comparable(ended.stdout) == ShownOutput.comparable(shown.output))
  }

  @Test func thePlanIsShownAsItIs() async throws {
    let shown = try ShownOutput("plan", in: Self.page)
    let ended = try await ShownOutput.place().run(shown.arguments)
    let lines = ended.stdout.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
    #expect(lines.map { String($0) } == shown.output.map { String($0) })
  }

  /// The page leaves the beginning out.
  @Test(arguments: [("run --simulate tight.yaml", Int32(8)), ("run --simulate --mock", 4)])
  func theBadDaysAreShownAsTheyAre(_ command: String, _ code: Int32) async throws {
    let shown = try ShownOutput(command, in: Self.page)
    #expect(shown.output.first == "…")
    let place = try await ShownOutput.place()
    try place.write("tight.yaml", try Repository.text("runbooks/dr_drill.yaml").replacing("rto: 1h", with: "rto: 10m"))
    let ended = try await place.run(shown.arguments + ["--speed", "300"])
    #expect(ended.code == code, "\(ended)")
    let wanted = ShownOutput.comparable(shown.output.dropFirst())
    let printed = ShownOutput.comparable(ended.stdout)
    #expect(Array(printed.drop { $0 != wanted.first }) == wanted)
  }
}
