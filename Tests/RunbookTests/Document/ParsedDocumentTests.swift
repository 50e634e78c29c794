import Runbook
import Testing

@Suite struct ParsedDocumentTests {
  @Test(arguments: [
    Refused(
      "labels: {a: b}\n①labels: {c: d}",
      "① E-YAML-DUPLICATE: `labels` is given twice; first on line 3, column 1; keep one of them"),
    Refused(
      "labels:\n  a: b\n  c: d\n  ①a: e",
      "① E-YAML-DUPLICATE: `a` is given twice; first on line 4, column 3; keep one of them"),
    Refused(
      "labels: {①<<: {a: b}}",
      "① E-YAML-MERGE: merge keys (`<<`) are not supported; write the keys out, or use `defaults` for steps"),
    Refused(
      "labels: {a: ①!!binary aGk=}",
      "① E-YAML-TAG: YAML tags are not supported; take the tag out, or quote the whole value"),
    Refused(
      "labels: {a: ①*nobody}",
      "① E-YAML-ALIAS: there is no anchor `&nobody` above; if it is text or an expression, quote it"),
    Refused(
      "labels: &a {a: ①*a}",
      "① E-YAML-ALIAS: `*a` refers to itself; if it is text or an expression, quote it"),
    Refused(
      "labels: {a: b}\n①--- \nrunbook: v1",
      "① E-YAML-DOCUMENTS: a file holds one runbook, and here a second document begins; put it into a file of its own"),
    Refused(
      "①%YAML 1.1\n---\nrunbook: v1", "① E-YAML-DIRECTIVE: YAML directives (`%`) are not supported; take the line out"),
    Refused(
      "runbook: v1\nname: test\nsteps:\n①\t- run: x",
      "① E-YAML-TAB: a tab cannot indent in YAML; use spaces, two for each level"),
    Refused(
      "runbook: v1\nname: ①\"test\nsteps: []\n",
      "① E-YAML-SYNTAX: the quote that opens here is never closed; close it"),
    Refused(
      "runbook: v1\nname: ①\u{202e}tset\n",
      "① E-YAML-CHARACTER: the invisible character U+202E does not belong in a runbook; take it out, or write it as "
        + "an escape in "
        + "double quotes (\"\\u0007\")"),
    Refused(
      "runbook: v1\nname: a①\0b\n",
      "① E-YAML-CHARACTER: the control character U+0000 does not belong in a runbook; take it out, or write it as "
        + "an escape in "
        + "double quotes (\"\\u0007\")"),
    Refused(
      "labels: {a: 99999999999999999999999}\nvars: {v: ②99999999999999999999999}",
      "② E-YAML-NUMBER: `99999999999999999999999` fits no number (64 bits); quote it to make it text"),
    Refused(
      "vars: {①{{ x }}: 1}",
      "① E-YAML-KEY: a list or map cannot be a key; an expression is written \"${{ … }}\", in quotes"),
  ])
  func isRefusedWithItsReason(_ refused: Refused) { refused.check() }

  @Test(
    arguments: [
      ([0xef, 0xbb, 0xbf, 0x61], "E-YAML-ENCODING", 1, 1), ([0xff, 0xfe, 0x61, 0x00], "E-YAML-ENCODING", 1, 1),
      ([0xfe, 0xff, 0x00, 0x61], "E-YAML-ENCODING", 1, 1), ([0x61, 0x0a, 0x62, 0xff, 0x63], "E-YAML-ENCODING", 2, 2),
      ([0x61, 0xc0, 0x80], "E-YAML-ENCODING", 1, 2), ([0xed, 0xa0, 0x80], "E-YAML-ENCODING", 1, 1),
      ([0x61, 0x0d, 0x62], "E-YAML-CHARACTER", 1, 2), ([0xc3, 0xa9, 0x3a, 0x20, 0x1b], "E-YAML-CHARACTER", 1, 4),
      ([0xe2, 0x80, 0xa8], "E-YAML-CHARACTER", 1, 1), ([0x61, 0xe2, 0x80], "E-YAML-ENCODING", 1, 2),
    ] as [([UInt8], String, Int, Int)])
  func bytesThatAreNoTextAreRefused(_ bytes: [UInt8], code: String, line: Int, column: Int) throws {
    let refusal = #expect(throws: Diagnostics.self) { try ParsedDocument(yaml: bytes) }
    let first = try #require(refusal?.items.first)
    #expect(first.code == code)
    #expect(first.range.start == SourceRange.Place(line: line, column: column))
  }

  /// Each would take libyaml, or whoever walks its result, seconds or gigabytes.
  @Test(arguments: [
    Bomb("brackets", "[", 100_000, "E-YAML-DEPTH"), Bomb("braces", "{a: ", 50_000, "E-YAML-DEPTH"),
    Bomb("dashes", "- ", 100_000, "E-YAML-DEPTH"), Bomb("brackets on lines", "[\n", 50_000, "E-YAML-DEPTH"),
    Bomb("question marks", "? ", 50_000, "E-YAML-DEPTH"), Bomb("size", "a", 4_200_000, "E-YAML-SIZE"),
    Bomb("values", "- a\n", 600_000, "E-YAML-SIZE"), Bomb("directives", "%TAG !a! x\n", 100_000, "E-YAML-DIRECTIVE"),
    Bomb("directives after the end", before: "a: b\n...\n", "%TAG !a! x\n", 100_000, "E-YAML-DOCUMENTS"),
    Bomb("aliases", before: aliasBomb, "", 0, "E-YAML-ALIAS"), Bomb("chain", before: aliasChain, "", 0, "E-YAML-ALIAS"),
  ])
  func aBombIsRefused(_ bomb: Bomb) {
    let refusal = #expect(throws: Diagnostics.self) { try ParsedDocument(yaml: bomb.text) }
    #expect(refusal?.items.last?.code == bomb.code)
  }

  struct Bomb: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let text: String
    let code: String
    init(_ name: String, before: String = "", _ repeated: String, _ count: Int, _ code: String) {
      testDescription = name
      text = before + String(repeating: repeated, count: count)
      self.code = code
    }
  }

  /// Nine levels of nine aliases: 387 million values.
  static let aliasBomb = (1...9).reduce("a0: &a0 [x, x]\n") { text, level in
    text + "a\(level): &a\(level) [" + Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ") + "]\n"
  }

  /// Each level stands in the one before: 10 000 levels of two values each.
  static let aliasChain = (1...10_000).reduce(into: "a0: &a0 [x]\n") { text, level in
    text += "a\(level): &a\(level) [*a\(level - 1)]\n"
  }

  @Test func anAliasStandsForItsAnchor() throws {
    let document = try ParsedDocument(yaml: "base: &base {a: 1, b: [x]}\ncopy: *base\n")
    #expect(try document.value() == ["base": ["a": 1, "b": ["x"]], "copy": ["a": 1, "b": ["x"]]])
  }

  @Test func sixtyFourLevelsAreRead() throws {
    let document = try ParsedDocument(yaml: String(repeating: "[", count: 64) + String(repeating: "]", count: 64))
    #expect(document.mistakes.isEmpty)
  }

  @Test func placesAreLinesAndColumnsInCharacters() throws {
    let document = try ParsedDocument(yaml: "é: [ü, {ñ: \"日本\"}]\nb: |\n  text\n  more\nc:\n")
    let entries = try #require(document.root.entries)
    #expect(entries[0].keyRange.start == SourceRange.Place(line: 1, column: 1))
    let inner = try #require(entries[0].value.items?[1].entries?[0])
    #expect(inner.keyRange.start == SourceRange.Place(line: 1, column: 9))
    #expect(inner.value.range.start == SourceRange.Place(line: 1, column: 12))
    #expect(inner.value.range.end == SourceRange.Place(line: 1, column: 16))
    #expect(entries[1].value.scalar?.isBlock == true)
    #expect(entries[2].value.isNull)
  }

  @Test func aFileWithCarriageReturnsBeforeLineFeedsIsRead() throws {
    #expect(try ParsedDocument(yaml: "a: b\r\nc: d\r\n").value() == ["a": "b", "c": "d"])
  }

  @Test func fiftyMistakesAreTheMost() {
    let labels = (0..<80).map { "  a\($0): [x]\n" }.joined()
    let found = Refused.mistakes(Framed.runbook("labels:\n\(labels)"))
    #expect(found.count == 50)
    #expect(found.last?.range.start.line == 53)
  }
}
