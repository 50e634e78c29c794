import TestSupport
import Testing

/// The page of drills shows the real output of the command. `RECORD=1 swift test --filter DrillsPageTests` writes it
/// anew.
@Suite(.serialized) struct DrillsPageTests {
  private static let page = "docs/drills.md"

  @Test(
    arguments: [
      ("plan", 0), ("run --simulate runbooks/dr_drill.yaml", 0), ("run --simulate runbooks/dr_standby.yaml", 0),
      ("run --simulate tight.yaml", 8), ("run --simulate --mock", 4),
    ] as [(String, Int32)])
  func itsOutputsAreThoseOfTheProgram(_ command: String, _ code: Int32) async throws {
    let shown = try ShownCommand.first(command, in: Self.page)
    let place = try await ShownCommand.place()
    try place.write("tight.yaml", try Repository.text("runbooks/dr_drill.yaml").replacing("rto: 1h", with: "rto: 10m"))
    let ended = try await place.run(shown.arguments + (command == "plan" ? [] : ["--speed", "300"]))
    #expect(ended.code == code, "\(ended)")
    #expect(try shown.isWhatWasPrinted(ended.stdout), "\(shown.description) is out of date:\n\(ended.stdout)")
  }
}
