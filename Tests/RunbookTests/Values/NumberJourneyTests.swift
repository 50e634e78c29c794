import Runbook
import Testing

/// A number on its way through a run: read from an answer, put into an address, a text, a body.
@Suite struct NumberJourneyTests {
  struct Journey: Sendable, CustomTestStringConvertible {
    var json: String
    /// In an address and in a text.
    var text: String
    /// In a body of JSON.
    var body: String
    init(_ json: String, text: String? = nil, body: String? = nil) {
      self.json = json
      self.text = text ?? json
      self.body = body ?? json
    }
    var testDescription: String { json }
  }

  @Test(arguments: [
    Journey("1"), Journey("-0", text: "0", body: "0"), Journey("12345678901234567"), Journey("9223372036854775807"),
    Journey("18446744073709551615", body: #""18446744073709551615""#),
    Journey("-9223372036854775809", body: #""-9223372036854775809""#),
    Journey("12345678901234567890.0", body: #""12345678901234567890.0""#), Journey("1.0", text: "1", body: "1.0"),
    Journey("1e3", text: "1000", body: "1000.0"), Journey("1e19", text: "10000000000000000000", body: "1e+19"),
    Journey("1e22", text: "1e+22", body: "1e+22"), Journey("0.1"), Journey("2.50", text: "2.5", body: "2.5"),
  ])
  func aNumberIsSentWithTheDigitsThatWereRead(_ journey: Journey) throws {
    let roots: [String: Value] = ["result": ["json": ["id": try JSONReader.read(journey.json)]]]
    let scope = DictionaryScope(roots)
    let environment = TypeEnvironment(roots: ["result": .any])
    func template(_ text: String) throws -> Template {
      try Template.scalar(text, at: .beginning, in: environment).get()
    }
    let id = "${{ result.json.id }}"
    let address = try template("https://h/servers/\(id)?id=\(id)").evaluateURL(in: scope).string
    let escaped = journey.text.replacing("+", with: "%2B")
    #expect(address == "https://h/servers/\(escaped)?id=\(escaped)" || address?.contains(journey.text) == true)
    #expect(try template("id \(id)").evaluate(in: scope) == .string("id \(journey.text)"))
    #expect(JSONWriter.text(["id": try template(id).evaluate(in: scope)]) == #"{"id":\#(journey.body)}"#)
  }

  @Test(arguments: [
    ("9223372036854775807 + 1", "does not fit"), ("-9223372036854775808 - 1", "does not fit"),
    ("9223372036854775807 * 2", "does not fit"), ("int(1e19)", "does not fit"),
    ("int('18446744073709551615')", "is no int"), ("18446744073709551615", "no int of 64 bits"),
  ])
  func anExpressionFailsWhereItsNumberDoesNotFit(_ expression: String, _ reason: String) {
    #expect(result(of: expression).contains(reason))
  }

  @Test(arguments: [
    ("'%.0f'.format([9007199254740993])", "'9007199254740993'"), ("'%.2f'.format([-3])", "'-3.00'"),
    ("string(9007199254740993)", "'9007199254740993'"),
  ])
  func anIntIsShownDigitByDigit(_ expression: String, _ shown: String) {
    #expect(result(of: expression) == shown)
  }
}
