import Runbook
import Testing

@Suite struct ApprovalRulesTests {
  @Test(arguments: [
    Refused(
      "- ①approve: {}",
      "① E-KEY-MISSING: `approve` needs `prompt`; the question, in one sentence; it is rendered once, when the step "
        + "begins"
    ),
    Refused(
      "- {approve: ①, id: a}",
      "① E-TYPE: `approve` is empty; the question, in one sentence; it is rendered once, when the step "
        + "begins"),
    Refused(
      "- {①approve: \"  \"}",
      "① E-RANGE: `prompt` is blank: it asks nothing; write the question that a person answers"),
    Refused(
      "- {approve: Go?, ①timeout: 1h}",
      "① E-CONTEXT: `timeout` cannot stand beside `approve`; put it below `approve:`, where it sets how "
        + "long the run waits for an answer"),
    Refused(
      "- {approve: {prompt: Go?}, ①retry: {attempts: 3}, ②rollback: none}",
      "① E-CONTEXT: `retry` cannot stand beside `approve`; take it out: a question is asked once",
      "② E-CONTEXT: `rollback` cannot stand beside `approve`; take it out: a question changes nothing"),
    Refused(
      "- {approve: {prompt: Go?}, ①expect: 'true'}",
      "① E-CONTEXT: `expect` cannot stand beside `approve`; write it as the `if` of the next step, which can read "
        + "`steps.ID.outputs`"),
    Refused(
      "- {approve: {prompt: Go?, ①on_timeout: ②accept}}",
      "② E-CHOICE: `on_timeout` must be `reject` or `continue`, not `accept`"),
    Refused(
      "- {approve: {prompt: Go?, timeout: ①100d}}", "① E-RANGE: `timeout` is 100d; it must be 1s to 90d"),
    Refused("- {approve: {prompt: Go?, min: ①0}}", "① E-RANGE: `min` is 0; it must be 1 to 20"),
    Refused(
      "- {①approve: {prompt: Go?, approvers: [alice, alice], min: 2}}",
      "① E-RANGE: `min` is 2, and `approvers` names 1; name more people, or ask fewer of them"),
    Refused(
      "always:\n- {①approve: {prompt: Go?}}",
      "① E-CONTEXT: `approve` cannot stand in `always`: the run would not end until somebody answers; ask in "
        + "`steps`, or in the `rollback` of a step"),
    Refused(
      "on_failure:\n- {①approve: Go?}",
      "① E-CONTEXT: `approve` cannot stand in `on_failure`: the run would not end until somebody answers; ask in "
        + "`steps`, or in the `rollback` of a step"),
  ])
  func isRefusedWithItsReason(_ refused: Refused) { refused.check() }

  @Test func aSecretIsNotShownInAQuestion() {
    let text = """
      runbook: v1
      name: a
      secrets: {t: {source: env, key: T}}
      steps:
      - {approve: {prompt: 'Go on with ${{ secrets.t }}?'}}

      """
    #expect(Refused.mistakes(text).map(\.code) == ["E-SECRET"])
  }

  @Test func aQuestionMayStandAmongStepsAndUndoSteps() throws {
    let runbook = try Framed.validated(
      """
      - id: a
        run: 'true'
        rollback: [{approve: {prompt: Restore?, timeout: 2h}}, {run: 'true'}]
      - {id: go, approve: Go on?}
      - {run: 'echo "$BY"', env: {BY: "${{ steps.go.outputs.by }}"}, if: steps.go.outputs.approved, rollback: none}
      """)
    #expect(runbook.steps.leaves[1].with["prompt"]?.constant == "Go on?")
    #expect(runbook.questionsForSeveral.isEmpty)
  }
}
