import Testing

@testable import Runbook

/// Numbers that an operator gives.
@Suite struct InputNumbersTests {
  private func read(_ kind: InputDeclaration.Kind, _ text: String) -> Result<Value, InputRefusal> {
    InputDeclaration(plain: "n", kind).accepted(text: text)
  }

  @Test(
    arguments: [
      (.int, "9223372036854775807", .int(.max)), (.int, "-0", .int(0)), (.int, "1e3", .int(1000)),
      (.number, "9007199254740992", .double(0x1p53)), (.number, "2.5", .double(2.5)),
      (.string, "18446744073709551615", "18446744073709551615"), (.string, "3.10", "3.10"),
      (.list, "[18446744073709551615]", ["18446744073709551615"]),
    ] as [(InputDeclaration.Kind, String, Value)])
  func aNumberIsTakenDigitByDigit(_ kind: InputDeclaration.Kind, _ text: String, _ value: Value) {
    #expect(read(kind, text) == .success(value))
  }

  @Test(arguments: [
    (
      InputDeclaration.Kind.int, "9223372036854775808",
      "must be a whole number, not `9223372036854775808`, which does not fit 64 bits"
    ),
    (.int, "9007199254740993.0", "must be a whole number, not `9007199254740993.0`"),
    (.int, "2.5", "must be a whole number, not `2.5`"),
    (
      .number, "9007199254740993", "must be a number, not `9007199254740993`, which has more digits than a number keeps"
    ),
    (
      .number, "18446744073709551615",
      "must be a number, not `18446744073709551615`, which has more digits than a number keeps"
    ),
  ])
  func aNumberThatWouldBecomeAnotherIsRefusedAsItIsWritten(
    _ kind: InputDeclaration.Kind, _ text: String, _ reason: String
  ) {
    #expect(read(kind, text) == .failure(InputRefusal(reason)))
  }
}
