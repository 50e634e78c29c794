import Runbook
import Testing

@Suite struct InputRulesTests {
  @Test(arguments: [
    Refused(
      "inputs: {①a: {}}",
      "① E-KEY-MISSING: `inputs.a` needs `type`; one of string, int, number, bool, duration, list, map, url"),
    Refused("inputs: {a: ①string}", "① E-TYPE: `inputs.a` must be a map; write `{type: string}`"),
    Refused("inputs: {a: {type: ①integer}}", "① E-CHOICE: `inputs.a.type` cannot be `integer`; did you mean `int`?"),
    Refused(
      "inputs: {a: {type: ①secret}}", "① E-CHOICE: `inputs.a.type` cannot be `secret`; declare it under `secrets:`"),
    Refused("inputs: {a: {type: int, default: ①x}}", "① E-TYPE: `inputs.a.default` must be a whole number, not `x`"),
    Refused("inputs: {a: {type: int, min: 3, default: ①2}}", "① E-TYPE: `inputs.a.default` is `2`; at least `3`"),
    Refused(
      "inputs: {a: {type: string, enum: [x, y], default: ①z}}",
      "① E-TYPE: `inputs.a.default` must be one of `x`, `y`, not `z`"),
    Refused(
      "inputs: {a: {type: string, default: ①}}",
      "① E-TYPE: `inputs.a.default` is null: give it text, or leave it out"),
    Refused(
      "inputs: {a: {type: string, min: ①1, ②required: true}}",
      "① E-CONTEXT: `inputs.a`: `min` means something for an int, number or duration only",
      "② E-KEY-UNKNOWN: `inputs.a` has no key `required`; known here: `type`, `default`, `enum`, `pattern`, `min`, "
        + "`max`, "
        + "`min_items`, `items`, `description`"),
    Refused(
      "inputs: {①Server: {type: int}}",
      "① E-NAME: the input `Server` must be a lower-case letter and then letters, digits or `_`, at most 64; write "
        + "`server`"
    ),
    Refused(
      "inputs: {a: {type: list, items: ①text}}", "① E-CHOICE: `inputs.a.items` cannot be `text`; did you mean `string`?"
    ),
  ])
  func isRefusedWithItsReason(_ refused: Refused) { refused.check() }

  static let declared = """
    inputs:
      id: {type: string, pattern: '^[0-9]{1,12}$', description: Server id}
      count: {type: int, default: 3, min: 1, max: 10}
      share: {type: number, default: 0.5}
      force: {type: bool, default: false}
      grace: {type: duration, default: 5m, max: 1h}
      hosts: {type: list, items: string, min_items: 1, default: [a]}
      extra: {type: map, default: {}}
      site: {type: url, default: "https://example.com"}
      mode: {type: string, enum: [clean, hard], default: clean}
    """

  @Test func textsAreReadByTheirType() throws {
    let inputs = try Framed.validated(Self.declared).inputs
    let values = try InputReader.read(
      texts: [
        ("id", "012"), ("count", "7"), ("share", "1"), ("force", "true"), ("grace", "90s"), ("hosts", "[\"x\",\"y\"]"),
        ("extra", "{\"a\":1}"), ("site", "https://a.b/c"),
      ], for: inputs)
    #expect(
      values == [
        "id": "012", "count": 7, "share": .double(1), "force": true, "grace": .duration(.seconds(90)),
        "hosts": ["x", "y"],
        "extra": ["a": 1], "site": "https://a.b/c", "mode": "clean",
      ])
  }

  @Test(
    arguments: [
      ([("count", "7")], ["input `id` is missing: Server id; give it with `--input id=…`"]),
      ([("id", "x")], ["input `id` is `x`, which does not match `^[0-9]{1,12}$`"]),
      (
        [
          ("id", "1"), ("count", "11"), ("force", "yes"), ("grace", "2h"), ("hosts", "[]"), ("site", "ftp://x"),
          ("mode", "soft"),
        ],
        [
          "input `count` is `11`; at most `10`", "input `force` must be `true` or `false`, not `yes`",
          "input `grace` is `2h`; at most `1h`", "input `hosts` has 0 items; at least 1",
          "input `site` must begin with `https://` or `http://`, not `ftp://x`",
          "input `mode` must be one of `clean`, `hard`, not `soft`",
        ]
      ),
      ([("id", "1"), ("cuont", "1")], ["there is no input `cuont`; did you mean `count`?"]),
      ([("id", "1"), ("id", "2")], ["input `id` is given twice"]),
      (
        [("id", "1"), ("hosts", "[\"a\", 1, true]")], ["input `hosts` item 2 must be text, not `1`; put it in quotes"]
      ),
      ([("id", "1"), ("count", "1e300")], ["input `count` must be a whole number, not `1e+300`"]),
      ([("id", "1"), ("extra", "{")], ["input `extra` must be a map, as JSON, not `{`: expected a key in quotes"]),
      ([("id", "1"), ("count", "")], ["input `count` must be a whole number, not ``"]),
    ] as [([(String, String)], [String])])
  func everyMistakeIsToldAtOnce(_ texts: [(String, String)], messages: [String]) throws {
    let inputs = try Framed.validated(Self.declared).inputs
    let mistakes = #expect(throws: InputMistakes.self) {
      try InputReader.read(texts: texts.map { (name: $0.0, text: $0.1) }, for: inputs)
    }
    #expect(mistakes?.messages == messages)
  }

  @Test func aFileOfInputsMayBeOverruled() throws {
    let inputs = try Framed.validated(Self.declared).inputs
    let values = try InputReader.read(texts: [("id", "2")], values: ["id": 1, "count": 4], for: inputs)
    #expect(values["id"] == "2")
    #expect(values["count"] == 4)
  }
}
