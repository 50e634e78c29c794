import Runbook
import Testing

@Suite struct JSONReaderTests {
  @Test func aTextIsReadAsItStands() throws {
    let texts = [
      #""""#: "", #""plain""#: "plain", #""ü and 😀""#: "ü and 😀", #""a\tb""#: "a\tb", #""\u00fc\ud83d\ude00""#: "ü😀",
      #""\"in\" the middle \\""#: #""in" the middle \"#,
    ]
    for (json, text) in texts { #expect(try JSONReader.read(json) == .string(text)) }
  }

  @Test(
    arguments: [
      ("9223372036854775807", .int(.max)), ("-9223372036854775808", .int(.min)), ("-0", .int(0)),
      ("9223372036854775808", "9223372036854775808"), ("18446744073709551615", "18446744073709551615"),
      ("-9223372036854775809", "-9223372036854775809"), ("1e3", .double(1000)), ("1.0", .double(1)),
      ("1e19", .double(1e19)), ("12345678901234567.0", "12345678901234567.0"),
      ("12345678901234567890.0", "12345678901234567890.0"), ("1.2345678901234567891e19", "1.2345678901234567891e19"),
      ("1.2345678901234567e19", .double(1.2345678901234567e19)), ("1e308", .double(1e308)),
      ("0.1000000000000000055511151231257827", .double(0.1)), ("100000000000000000000.5", .double(1e20)),
    ] as [(String, Value)])
  func aWholeNumberIsReadDigitByDigit(_ json: String, _ value: Value) throws {
    #expect(try JSONReader.read(json) == value)
    #expect(try JSONReader.read("[{\"id\": \(json)}]") == [["id": value]])
    // It is written so that it is read again as the same.
    #expect(try JSONReader.read(JSONWriter.text(value)) == value)
  }

  @Test(arguments: ["1e400", "-1e400", "1e99999999999999999999"])
  func aNumberBeyondAllDoublesIsRefused(_ json: String) {
    let error = #expect(throws: JSONError.self) { try JSONReader.read(json) }
    #expect(error?.message == "the number is too large")
  }

  @Test(arguments: [
    (#""no end"#, "the string does not end"), (#""no end\"#, "the string does not end"),
    ("\"a\u{1}b\"", "a control character in a string"), (#""\x""#, "unknown escape"),
    (#""\ud83d""#, "half of a surrogate pair"), ("[1, 2", "expected `,` or `]`"), ("[1] 2", "there is more"),
    (#"{"a": 1, "a": 2}"#, "a key stands twice"), ("", "ends too early"),
  ])
  func brokenJSONIsRefused(_ json: String, _ reason: String) {
    let error = #expect(throws: JSONError.self) { try JSONReader.read(json) }
    #expect(error?.message.contains(reason) == true, "\(error?.message ?? "")")
  }

  @Test func bytesThatAreNotUTF8AreRefused() {
    for bytes: [UInt8] in [[0x22, 0xff, 0x22], [0x22, 0x5c, 0x6e, 0xc3, 0x22]] {
      #expect(throws: JSONError.self) { try JSONReader.read(bytes) }
    }
  }

  // MARK: Handing over

  /// What is handed over, and the rest.
  private func handOver(_ json: String) throws(JSONError) -> (rows: [Value], rest: Value) {
    var rows: [Value] = []
    let rest = try JSONReader.read(Array(json.utf8), handingOver: "rows") { rows.append($0) }
    return (rows, rest)
  }

  @Test func rowsAreHandedOverAndNotKept() throws {
    let (rows, rest) = try handOver(#" {"count": 3, "rows" : [ 1 , {"rows": [2]}, [3] ], "next": null} "#)
    #expect(rows == [1, ["rows": [2]], [3]])
    #expect(rest == ["count": 3, "rows": [], "next": nil])
    #expect(try handOver(#"{"rows": []}"#).rows.isEmpty)
  }

  /// A list deeper down, a value of another type, a document that is no object: there is nothing to hand over.
  @Test(arguments: [#"{"deep": {"rows": [1]}}"#, #"{"rows": {"a": 1}}"#, #"{"rows": null}"#, "[[1]]", "7", "{}"])
  func whatHasNoRowsIsReadAsUsual(_ json: String) throws {
    let (rows, rest) = try handOver(json)
    #expect(rows.isEmpty)
    #expect(rest == (try JSONReader.read(json)))
  }

  @Test(arguments: [
    #"{"rows": [1, 2"#, #"{"rows": [1,]}"#, #"{"rows": [1]} 2"#, #"{"rows": [1], "rows": [2]}"#, #"{"rows": [1]"#,
    "{\"rows\": \(String(repeating: "[", count: 70))",
  ])
  func whatIsBrokenAfterRowsIsStillRefused(_ json: String) {
    #expect(throws: JSONError.self) { try handOver(json) }
    #expect(throws: JSONError.self) { try JSONReader.read(json) }
  }
}
