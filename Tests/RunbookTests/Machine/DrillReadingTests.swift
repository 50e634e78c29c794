import Testing

@testable import Runbook

/// What the value of an expression of `drill.measure` is as a moment.
@Suite struct DrillReadingTests {
  private static let early = Timestamp(seconds: 1_737_000_000)
  private static let late = Timestamp(seconds: 1_737_003_600)

  @Test(arguments: [
    (Value.timestamp(early), DrillReading.instant(early)),
    (.optional(.timestamp(late)), .instant(late)),
    (.list([.timestamp(late), .timestamp(early), .optional(.timestamp(late))]), .instant(early)),
    (.null, .unset("is null")),
    (.optional(nil), .unset("has no value")),
    (.list([]), .unset("is an empty list")),
    (.list([.timestamp(early), .null]), .unset("holds an item that is no timestamp")),
    (.string("2026-01-01T00:00:00Z"), .unset("is no timestamp")),
    (.int(1_737_000_000), .unset("is no timestamp")),
  ])
  func aValueIsAMomentOrSaysWhyNot(_ value: Value, _ reading: DrillReading) {
    #expect(DrillReading(value) == reading)
  }
}
