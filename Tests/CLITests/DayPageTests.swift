import TestSupport
import Testing

/// What the pages for a day show is what the command prints. `RECORD=1 swift test --filter DayPageTests` writes it
/// anew.
@Suite(.serialized) struct DayPageTests {
  static let pages: [String: [Int32]] = ["docs/rescue.md": [0, 3], "docs/deploying.md": [0, 3]]

  @Test(arguments: pages.keys.sorted())
  func aGoodDayAndABadDayAreShownAsTheyAre(_ page: String) async throws {
    let codes = try #require(Self.pages[page])
    #expect(try ShownCommand.all(in: page).count == codes.count)
    for (index, code) in codes.enumerated() {
      let shown = try ShownCommand.all(in: page)[index]
      let ended = try await shown.run()
      #expect(ended.code == code, "\(shown.description): \(ended.stdout)\(ended.stderr)")
      #expect(try shown.isWhatWasPrinted(ended.stdout), "\(shown.description) is out of date:\n\(ended.stdout)")
    }
  }
}
