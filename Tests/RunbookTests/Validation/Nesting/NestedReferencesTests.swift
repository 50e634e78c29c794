import Testing

@testable import Runbook

@Suite("what expressions read of steps that stand in others") struct NestedReferencesTests {
  private static func log(_ expression: String) -> String {
    "{action: log.info, with: {message: \"${{ \(expression) }}\"}}"
  }

  @Test(
    "a step reads what stands before it, in its list and in the lists around it",
    arguments: [
      "- {id: a, sleep: 1s}\n- block:\n  - {id: b, sleep: 1s}\n  - \(log("steps.a.attempts + steps.b.attempts"))\n",
      // After a parallel its branches have come to their end.
      "- parallel:\n  - {id: a, sleep: 1s}\n  - {id: b, sleep: 1s}\n- \(log("steps.a.attempts + steps.b.attempts"))\n",
      "- block:\n  - {id: b, sleep: 1s}\n- \(log("steps.b.attempts"))\n",
      // A rescue knows why it is there.
      "- block:\n  - {id: b, sleep: 1s}\n  rescue:\n  - \(log("failure.kind + steps.b.status"))\n",
      "- id: outer\n  block:\n  - {id: b, sleep: 1s}\n  outputs: {tries: steps.b.attempts}\n"
        + "- \(log("steps.outer.outputs.tries + 1"))\n",
      "- id: outer\n  parallel:\n  - {id: b, sleep: 1s}\n  outputs: {tries: steps.b.attempts}\n"
        + "- \(log("steps.outer.outputs.tries + 1"))\n",
      "- id: outer\n  block:\n  - {id: b, sleep: 1s}\n  rescue:\n  - {id: c, sleep: 1s}\n"
        + "  outputs: {how: \"steps.b.status == 'succeeded' ? 'well' : steps.c.status\"}\n- "
        + "\(log("steps.outer.outputs.how"))\n",
      "- {id: a, for_each: inputs.names, sleep: 1s}\n- \(log("steps.a.items.map(i, i.item + i.status)[0]"))\n",
      "- {id: a, for_each: inputs.names, sleep: 1s}\n- \(log("steps.a.items[0].attempts + size(steps.a.items)"))\n",
      "- for_each: inputs.names\n  block:\n  - {id: b, sleep: 1s}\n  - "
        + "\(log("item + string(index + steps.b.attempts)"))\n",
      "- {for_each: {in: [1, 2], as: number}, action: log.info, if: number > 1, with: {message: \"${{ number + "
        + "index }}\"}}\n",
      "- for_each: inputs.names\n  run: x\n  rollback: [\(log("item + self.status"))]\n",
      "- for_each: {in: inputs.names, as: outer}\n  block:\n  - for_each: {in: [1], as: inner}\n    action: log.info\n"
        + "    with: {message: \"${{ outer + string(inner) }}\"}\n",
      "- id: wave\n  for_each:\n    in: inputs.names\n    batches: 1\n    gate:\n    - {id: b, sleep: 1s}\n"
        + "    - \(log("steps.b.attempts + size(steps.wave.items)"))\n  sleep: 1s\n",
    ])
  func aStepReadsWhatStandsBefore(_ steps: String) { Refused(steps).check() }

  @Test(
    "a step that cannot be read says why",
    arguments: [
      Refused(
        "- parallel:\n  - {id: a, sleep: 1s}\n  - {action: log.info, with: {message: \"${{ ①steps.a.status }}\"}}",
        "① E-EXPR-STEP-ORDER: step `a` on line 8 cannot be read here: it is in another branch of the same `parallel`"),
      Refused(
        "- parallel:\n  - {action: log.info, with: {message: \"${{ ①steps.a.status }}\"}}\n  - block: [{id: a, "
          + "sleep: 1s}]",
        "① E-EXPR-STEP-ORDER: step `a` on line 9 cannot be read here: it is in another branch of the same `parallel`"),
      Refused(
        "- id: outer\n  block:\n  - {action: log.info, with: {message: \"${{ ①steps.outer.status }}\"}}",
        "① E-EXPR-STEP-ORDER: step `outer` on line 7 cannot be read here: it is around this step, and has not ended"),
      Refused(
        "- id: wave\n  for_each: inputs.names\n  block: [{id: one, sleep: 1s}]\n"
          + "- {action: log.info, with: {message: \"${{ ①steps.one.status }}\"}}",
        "① E-EXPR-STEP-ORDER: step `one` on line 9 cannot be read here: it is inside `for_each`: read "
          + "`steps.wave.items`"
      ),
      Refused(
        "- for_each: inputs.names\n  block: [{id: one, sleep: 1s}]\n"
          + "- {action: log.info, with: {message: \"${{ ①steps.one.status }}\"}}",
        "① E-EXPR-STEP-ORDER: step `one` on line 8 cannot be read here: it is inside `for_each`: give it an `id`, and "
          + "read `steps.ID.items`"),
      Refused(
        "- id: wave\n  for_each: {in: inputs.names, batches: 1, gate: [{id: look, sleep: 1s}]}\n"
          + "  action: log.info\n  with: {message: \"${{ ①steps.look.status }}\"}\n"
          + "- {action: log.info, with: {message: \"${{ ②steps.look.status }}\"}}",
        "① E-EXPR-STEP-ORDER: step `look` on line 8 cannot be read here: it is in the `gate` of a `for_each`, which is "
          + "passed once for each batch",
        "② E-EXPR-STEP-ORDER: step `look` on line 8 cannot be read here: it is in the `gate` of a `for_each`, which is "
          + "passed once for each batch"),
      Refused(
        "- {for_each: inputs.names, sleep: 1s}\n- {action: log.info, with: {message: \"${{ ①item }}\"}}",
        "① E-EXPR-NAME: `item` has no meaning here; `item` is the current item of a `for_each`"),
      Refused(
        "- {for_each: {in: inputs.names, batches: 1, gate: [{action: log.info, with: {message: \"${{ ①item "
          + "}}\"}}]}, sleep: 1s}",
        "① E-EXPR-NAME: `item` has no meaning here; `item` is the current item of a `for_each`"),
      Refused(
        "- {id: wave, for_each: inputs.names, sleep: 1s}\n"
          + "- {action: log.info, with: {message: \"${{ ①steps.wave.items[0].ietm }} ${{ ②steps.wave.outputs.x }}\"}}",
        "① E-EXPR-MEMBER: no member `ietm`; did you mean `item`?", "② E-EXPR-MEMBER: no member `x`; it has none"),
      Refused(
        "- {action: log.info, with: {message: \"${{ ①steps.wave.items }}\"}}\n- {id: wave, for_each: inputs.names, "
          + "sleep: 1s}",
        "① E-EXPR-STEP-ORDER: step `wave` comes later, on line 8; an expression can read only the steps before it"),
      Refused(
        "- for_each: [1, 2]\n  action: log.info\n  with: {message: \"${{ ①item + 'a' }}\"}",
        "① E-EXPR-TYPE: `+` cannot take an int and a string; convert one: `string(…)` or `int(…)`"),
    ])
  func aStepThatCannotBeReadSaysWhy(_ refused: Refused) { refused.check() }

  @Test("a step in a part that may be left out may not have run")
  func aStepInAPartThatMayBeLeftOutMayNotHaveRun() {
    func because(_ steps: String, _ reason: String) {
      Refused(
        steps + "- {action: log.info, with: {message: \"${{ ①steps.b.attempts }}\"}}",
        "① E-EXPR-OPTIONAL: step `b` may not have run: \(reason); write `steps.b.?attempts` and `.orValue(…)`, or ask "
          + "`steps.b.status == 'succeeded' &&` first"
      ).check()
    }
    because("- {if: inputs.count > 1, block: [{id: b, sleep: 1s}]}\n", "it is in a `block` that has an `if`")
    because(
      "- {continue_on_error: true, parallel: [{id: b, sleep: 1s}]}\n",
      "it is in a `parallel` that may have failed (`continue_on_error`)")
    because(
      "- {block: [{id: b, sleep: 1s}], rescue: [{sleep: 1s}]}\n", "it is in a `block` that may have failed")
    because(
      "- {block: [{sleep: 1s}], rescue: [{id: b, sleep: 1s}]}\n",
      "`rescue` is carried out only when its `block` has failed")
    because("- {if: inputs.count > 1, block: [{block: [{id: b, sleep: 1s}]}]}\n", "it is in a `block` that has an `if`")
    because("- {block: [{id: b, if: inputs.count > 1, sleep: 1s}], if: inputs.count > 2}\n", "it has an `if`")
    Refused(
      "- block: [{id: b, sleep: 1s}]\n  rescue: [{action: log.info, with: {message: \"${{ ①steps.b.attempts }}\"}}]",
      "① E-EXPR-OPTIONAL: step `b` may not have run: it is in a `block` that has failed; write `steps.b.?attempts` and "
        + "`.orValue(…)`, or ask `steps.b.status == 'succeeded' &&` first"
    ).check()
    Refused(
      "- id: wave\n  for_each: {in: inputs.names, batches: 1, gate: [{action: log.info, with: {message: \"${{ "
        + "①steps.wave.finished_at }}\"}}]}\n  sleep: 1s",
      "① E-EXPR-OPTIONAL: step `wave` may not have run: it has not come to its end; write "
        + "`steps.wave.?finished_at` and "
        + "`.orValue(…)`, or ask `steps.wave.status == 'succeeded' &&` first"
    ).check()
  }

  @Test("mistakes in a step are not told again where its neighbours read it")
  func aBrokenStepIsToldOnce() {
    Refused(
      "- {id: outer, block: [{id: b, ①slep: 1s}]}\n- {action: log.info, with: {message: \"${{ steps.b.attempts }}\"}}",
      "① E-STEP-KIND: unknown step kind `slep`; did you mean `sleep`?"
    ).check()
  }
}
