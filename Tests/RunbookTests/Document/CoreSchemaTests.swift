import Runbook
import Testing

@Suite struct CoreSchemaTests {
  @Test(arguments: [
    ("no", "no"), ("on", "on"), ("yes", "yes"), ("12:30", "12:30"), ("12:30:45", "12:30:45"), ("012", "012"),
    ("0o18", "0o18"),
    ("1_000", "1_000"), ("2024-01-02", "2024-01-02"), ("True", "True"), ("e5", "e5"), ("1e", "1e"), ("-", "-"),
    (".", "."),
    ("1.2.3", "1.2.3"), ("0x", "0x"), ("--1", "--1"), ("+", "+"), ("'12'", "12"), ("\"true\"", "true"), ("nan", "nan"),
    ("12345678901234567890s", "12345678901234567890s"),
  ])
  func isText(_ yaml: String, text: String) throws {
    #expect(try ParsedDocument(yaml: "[\(yaml)]").value() == [.string(text)])
  }

  @Test(
    arguments: [
      ("true", .bool(true)), ("false", .bool(false)), ("~", .null), ("null", .null), ("12", .int(12)), ("-7", .int(-7)),
      ("+3", .int(3)), ("0", .int(0)), ("0x1F", .int(31)), ("0o17", .int(15)), ("1.5", .double(1.5)),
      (".5", .double(0.5)),
      ("1e3", .double(1000)), ("-2.5E-1", .double(-0.25)), ("9223372036854775807", .int(.max)),
    ] as [(String, Value)])
  func isAValue(_ yaml: String, value: Value) throws {
    #expect(try ParsedDocument(yaml: "[\(yaml)]").value() == [value])
  }

  @Test(arguments: ["9223372036854775808", "1e999", ".inf", ".nan", "0xFFFFFFFFFFFFFFFFF", "12345678901234567890.0"])
  func aNumberThatFitsNoneOfOursIsRefused(_ yaml: String) {
    let refusal = #expect(throws: Diagnostics.self) { try ParsedDocument(yaml: "[\(yaml)]").value() }
    #expect(refusal?.items.first?.code == "E-YAML-NUMBER")
  }
}
