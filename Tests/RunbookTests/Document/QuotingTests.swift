import Runbook
import Testing

/// What libyaml makes of natural ways of writing an expression is said to the author with the text quoted correctly.
@Suite struct QuotingTests {
  static let comma = "inside `{ }` and `[ ]` it ends at the first comma or bracket"

  @Test(arguments: [
    Refused(
      "- {id: a, run: 'true', rollback: none}\n- run: 'true'\n  rollback: none\n  if: ①inputs.count > 0 ? true : false",
      "① E-YAML-QUOTE: YAML does not read `inputs.count > 0 ? true : false` as one value: a colon and a space begin "
        + "a value; "
        + "write \"inputs.count > 0 ? true : false\""),
    Refused(
      "- run: 'true'\n  rollback: none\n  if: ①!inputs.names.exists(x, x == inputs.server)",
      "① E-YAML-QUOTE: YAML does not read `!inputs.names.exists(x, x == inputs.server)` as one value: a leading `!` "
        + "is a tag; "
        + "write \"!inputs.names.exists(x, x == inputs.server)\""),
    Refused(
      "- run: 'true'\n  rollback: none\n  if: ①!(inputs.count == 1) && !false",
      "① E-YAML-QUOTE: YAML does not read `!(inputs.count == 1) && !false` as one value: a leading `!` is a tag; "
        + "write \"!(inputs.count == 1) && !false\""),
    Refused(
      "- run: 'true'\n  rollback: none\n  if: ①'a' == inputs.server",
      "① E-YAML-QUOTE: YAML does not read `'a' == inputs.server` as one value: it goes on after the closing quote; "
        + "write \"'a' == inputs.server\""),
    Refused(
      "- run: 'true'\n  rollback: none\n  if: ①\"a\" == inputs.server",
      "① E-YAML-QUOTE: YAML does not read `\"a\" == inputs.server` as one value: it goes on after the closing quote; "
        + "write '\"a\" == inputs.server'"),
    Refused(
      "- run: 'true'\n  rollback: none\n  if: ①[1, 2].exists(x, x == inputs.count)",
      "① E-YAML-QUOTE: YAML does not read `[1, 2].exists(x, x == inputs.count)` as one value: a leading `[` or `{` "
        + "begins a list "
        + "or map; write \"[1, 2].exists(x, x == inputs.count)\""),
    Refused(
      "- {action: server.stop, with: {server: ①${{ inputs.server }}}, rollback: none}",
      "① E-YAML-QUOTE: YAML does not read `${{ inputs.server }}` as one value: \(comma); write \"${{ inputs.server }}\""
    ),
    Refused(
      "- {run: 'true', rollback: none, if: ①inputs.server in ['a', 'b']}",
      "① E-YAML-QUOTE: YAML does not read `inputs.server in ['a', 'b']` as one value: \(comma); "
        + "write \"inputs.server in ['a', 'b']\""),
    Refused(
      "- action: log.info\n  with: {message: ①names[0]}",
      "① E-YAML-QUOTE: YAML does not read `names[0]` as one value: \(comma); write \"names[0]\""),
    Refused(
      "- action: log.info\n  with:\n    message: ①Restored: everything is well",
      "① E-YAML-QUOTE: YAML does not read `Restored: everything is well` as one value: a colon and a space begin a "
        + "value; "
        + "write \"Restored: everything is well\""),
    Refused(
      "- {run: 'true', rollback: none, if: ①inputs.server.matches('a{1,2}', 'b')}",
      "① E-YAML-QUOTE: YAML does not read `inputs.server.matches('a{1,2}', 'b')` as one value: \(comma); "
        + "write \"inputs.server.matches('a{1,2}', 'b')\""),
    Refused(
      "- {action: log.info, with: {message: ①stopped, snapshotted and started}}",
      "① E-YAML-QUOTE: YAML does not read `stopped, snapshotted and started` as one value: \(comma); "
        + "write \"stopped, snapshotted and started\""),
    Refused(
      "- {run: 'true', rollback: none, if: ①'a #b' == inputs.server}\n- {run: 'true', rollback: none}",
      "① E-YAML-QUOTE: YAML does not read `'a #b' == inputs.server` as one value: it goes on after the closing quote; "
        + "write \"'a #b' == inputs.server\""),
  ])
  func aTextThatYamlTakesApartIsPrintedQuoted(_ refused: Refused) { refused.check() }

  @Test(
    "an escape that YAML does not know is shown as the character that it means",
    arguments: [
      Refused(
        "- action: log.info\n  with: {message: \"a ①\\ud83d\\udc22\"}",
        "① E-YAML-SYNTAX: YAML does not know a character as two escapes, which JSON does; write the character itself, "
          + "`🐢`, or `\\U0001F422`"),
      Refused(
        "- action: log.info\n  with: {message: \"a ①\\ud83d\"}",
        "① E-YAML-SYNTAX: this escape names no character; "
          + "write the character itself, or `\\u` and the four digits of one"
      ),
    ])
  func anEscapeThatYamlDoesNotKnowIsShownAsTheCharacterThatItMeans(_ refused: Refused) { refused.check() }

  @Test func severalOnOneLineAreAllFound() {
    Refused(
      """
      - {action: log.info, with: {message: ①ü ${{ inputs.count }} ü}, name: ②a [x] ü, if: ③inputs.server in ['a']}
      - {sleep: 1s, ④tiemout: 5m}
      """
    ).checkCodes(["E-YAML-QUOTE", "E-YAML-QUOTE", "E-YAML-QUOTE", "E-KEY-UNKNOWN"])
  }

  @Test func theRestOfTheFileIsCheckedToo() {
    Refused(
      """
      - {action: log.info, with: {mesage: hello, message: hello}}
      - {run: 'true', rollback: none, if: ①inputs.server in ['a', 'b']}
      - run: 'true'
        rollback: none
        if: ②inputs.count > 0 ? true : false
      - {run: 'true', rollback: none, ③tiemout: 5m}
      """,
      "3:30 x"
    ).checkCodes(["E-KEY-UNKNOWN", "E-YAML-QUOTE", "E-YAML-QUOTE", "E-KEY-UNKNOWN"])
  }
}

extension Refused {
  /// Only the codes, in order.
  func checkCodes(_ codes: [String]) {
    let source = String(Framed.runbook(text).filter { !"①②③④⑤⑥⑦⑧⑨".contains($0) })
    #expect(Refused.mistakes(source).map { $0.code } == codes)
  }
}
