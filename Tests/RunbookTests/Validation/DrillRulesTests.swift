import Runbook
import Testing

@Suite struct DrillRulesTests {
  private static let measured = "measure: {outage_at: run.started_at, restored_at: steps.only.finished_at}"

  private static func drill(_ keys: String) -> String { "drill: {\(keys)}" }

  @Test(arguments: [
    Refused(
      "①drill: {}",
      "① E-KEY-MISSING: `drill` has neither `objectives` nor `steady_state`: there is nothing to judge; write "
        + "`objectives: {rto: 30m, rpo: 26h}` and what `measure`s them"),
    Refused(
      drill("①objectives: {rto: 30m}"),
      "① E-KEY-MISSING: the objective `rto` needs `drill.measure` with `outage_at` and `restored_at`; `outage_at: "
        + "run.started_at`"),
    Refused(
      drill("①objectives: {rpo: 26h}, measure: {outage_at: run.started_at}"),
      "① E-KEY-MISSING: the objective `rpo` needs `drill.measure` with `data_as_of`; `data_as_of: "
        + "steps.ID.outputs.created_at`"),
    Refused(
      drill(
        "objectives: {rto: 30m}, measure: {outage_at: run.started_at, restored_at: run.started_at, "
          + "①data_as_of: run.started_at}"),
      "① E-CONTEXT: no objective needs `data_as_of`; add `objectives: {rpo: 26h}`, or take the line out"),
    Refused(
      drill("objectives: {rto: ①30, ②rtp: 1h}, \(measured)"),
      "① E-TYPE: `drill.objectives.rto` must be a duration such as `30s`, `5m` or `1h30m`, not `30`; did you mean "
        + "`30s`?",
      "② E-KEY-UNKNOWN: `drill.objectives` has no key `rtp`; did you mean `rto`?"),
    Refused(
      drill("objectives: {rto: 30m}, \(measured), stop_if: ①[]"),
      "① E-EMPTY: `drill.stop_if` is empty; write a step, or take it out"),
    Refused(
      drill("objectives: {rto: 30m}, \(measured), stop_if: [{①run: x}]"),
      "① E-CONTEXT: `drill.stop_if` is a list of `wait_for` steps, and this is `run`; write `wait_for: ACTION` and "
        + "what must hold: `wait: {until: …}`"),
    Refused(
      drill(
        "objectives: {rto: 30m}, \(measured), stop_if: [{wait_for: net.tcp, with: {host: a.example.com, port: 1}, "
          + "①timeout: 1m}]"),
      "① E-CONTEXT: `timeout` cannot stand in `drill.stop_if`; the condition is asked as long as the steps of the "
        + "drill go on: take the line out"),
    Refused(
      drill("objectives: {rto: 30m}, \(measured), ①steady: []"),
      "① E-KEY-UNKNOWN: `drill` has no key `steady`; known here: `objectives`, `measure`, `steady_state`, "
        + "`stop_if`"),
    Refused("drill: {steady_state: ①[]}", "① E-EMPTY: `drill.steady_state` is empty; write a step, or take it out"),
  ])
  func isRefusedWithItsReason(_ refused: Refused) { refused.check() }

  @Test(arguments: [
    Refused(
      drill("objectives: {rto: 30m}, measure: {outage_at: run.started_at, restored_at: ①run.id}"),
      "① E-TYPE: `drill.measure.restored_at` must be a timestamp, and the expression gives a string; a timestamp is "
        + "written `timestamp('2025-01-16T16:15:00Z')`"),
    Refused(
      drill("objectives: {rto: 30m}, measure: {outage_at: ①\"[run.started_at]\", restored_at: run.started_at}"),
      "① E-TYPE: `drill.measure.outage_at` must be a timestamp, and the expression gives a list of timestamp; for "
        + "example `run.started_at`"),
    Refused(
      drill("objectives: {rpo: 1h}, measure: {outage_at: run.started_at, data_as_of: ①\"['a']\"}"),
      "① E-TYPE: `drill.measure.data_as_of` must be a timestamp, or a list of them, and the expression gives a list "
        + "of string; for example `steps.ID.outputs.created_at`"),
    Refused(
      drill("objectives: {rpo: 1h}, measure: {outage_at: run.started_at, data_as_of: ①[now(), run.started_at]}"),
      "① E-TYPE: `drill.measure.data_as_of` must be an expression, not a list; write the list in quotes: "
        + "`\"[steps.ID.outputs.created_at, …]\"`"),
    Refused(
      drill("objectives: {rto: 1h}, measure: {outage_at: run.started_at, restored_at: ①[now()]}"),
      "① E-TYPE: `drill.measure.restored_at` must be an expression, not a list"),
    Refused(
      drill("objectives: {rto: 30m}, measure: {outage_at: run.started_at, restored_at: ①steps.gone.finished_at}"),
      "① E-EXPR-STEP: there is no step `gone`"),
  ])
  func aMomentOfAnotherTypeIsRefused(_ refused: Refused) { refused.check() }

  @Test(arguments: [
    "outage_at: run.started_at, restored_at: steps.only.started_at",
    "outage_at: steps.only.ended_at, restored_at: steps.only.finished_at",
    "outage_at: \"${{ timestamp('2026-01-01T00:00:00Z') }}\", restored_at: now()",
    "outage_at: \"steps.only.?finished_at\", restored_at: \"steps.only.outputs.message == '' ? null : now()\"",
  ])
  func aTimestampOrNoneMayBeMeasured(_ moments: String) {
    Refused(DrillRulesTests.drill("objectives: {rto: 30m}, measure: {\(moments)}")).check()
  }

  @Test(arguments: ["\"[now(), run.started_at]\"", "now()", "\"[steps.only.?started_at]\""])
  func theAgeOfDataMayComeAsAList(_ expression: String) {
    Refused(
      DrillRulesTests.drill("objectives: {rpo: 1h}, measure: {outage_at: now(), data_as_of: \(expression)}")
    ).check()
  }

  private static func steady(_ step: String) -> String {
    "drill:\n  steady_state:\n    - \(step)"
  }

  @Test(arguments: [
    Refused(
      steady("{run: ①touch x}"),
      "① E-CONTEXT: `drill.steady_state` only looks, and `run` changes something; if it changes nothing, write "
        + "`effect: none` beside it"),
    Refused(
      steady("{action: ①http.post, with: {url: \"https://example.com\"}}"),
      "① E-CONTEXT: `drill.steady_state` only looks, and `http.post` changes something; put it into `steps`"),
    Refused(
      steady("{action: ①notify.webhook, with: {url: \"https://example.com\", text: x}}"),
      "① E-CONTEXT: `drill.steady_state` only looks, and `notify.webhook` sends a message; put it into `steps`"),
    Refused(
      steady("{fail: ①never}"),
      "① E-CONTEXT: `drill.steady_state` only looks, and `fail` always fails; put it into `steps`"),
    Refused(
      steady("{①commit: done}"),
      "① E-CONTEXT: `commit` cannot stand in `drill.steady_state`; it belongs into `steps`"),
    Refused(
      steady("{action: assert, with: {that: \"${{ 1 < 2 }}\"}, ①continue_on_error: true}"),
      "① E-CONTEXT: `continue_on_error` cannot stand in `drill.steady_state`; a step that may fail says nothing about "
        + "the state: take the line, or the step, out"),
    Refused(
      steady("{action: assert, with: {that: \"${{ 1 < 2 }}\"}, ①rollback: none}"),
      "① E-CONTEXT: `rollback` cannot stand in `drill.steady_state`; only steps of `steps` are undone"),
    Refused(
      "runbook: v1\nname: x\ndrill:\n"
        + "  steady_state:\n    - {id: look, action: assert, with: {that: \"${{ 1 < 2 }}\"}}\n"
        + "steps:\n  - {id: ①look, sleep: 1s}\n",
      "① E-ID-DUPLICATE: the id `look` is given twice; first on line 5; ids are unique in a file"),
  ])
  func aSteadyStateOnlyLooks(_ refused: Refused) { refused.check() }

  @Test func nothingReadsWhatIsDoneTwice() {
    Refused(
      "runbook: v1\nname: x\ndrill:\n"
        + "  steady_state:\n    - {id: fit, action: assert, with: {that: \"${{ 1 < 2 }}\"}}\n"
        + "steps:\n  - {action: log.info, with: {message: \"${{ ①steps.fit.status }}\"}}\n",
      "① E-EXPR-STEP-ORDER: step `fit` on line 5 cannot be read here: it stands in `drill.steady_state`, which is done "
        + "twice"
    ).check()
  }

  @Test func theStepsOfTheSteadyStateHavePathsOfTheirOwn() throws {
    let text = Framed.runbook(
      "drill:\n  steady_state:\n    - {id: fit, action: assert, with: {that: \"${{ 1 < 2 }}\"}}\n"
        + "    - {run: ./see.sh, effect: none}\n")
    let runbook = try ValidatedRunbook(ParsedDocument(yaml: text), in: Framed.context())
    #expect(
      runbook.mainSteps.map(\.path) == [
        "drill.before.fit", "drill.before[1]", "only", "drill.after.fit", "drill.after[1]",
      ])
  }
}
