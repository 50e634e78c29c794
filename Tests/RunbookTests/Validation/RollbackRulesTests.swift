import Runbook
import Testing

@Suite struct RollbackRulesTests {
  @Test(arguments: [
    Refused(
      "- {①run: 'true'}",
      "① W-ROLLBACK: `run` changes something and does not say how that is undone; "
        + "add `rollback:` with steps, `none` (nothing to undo) or `irreversible`"),
    Refused.strictly(
      "- {id: a, ①run: 'true'}\n- {run: 'true', effect: none}",
      "① W-ROLLBACK: `a` changes something and does not say how that is undone; "
        + "add `rollback:` with steps, `none` (nothing to undo) or `irreversible`"),
    Refused(
      "- {sleep: 1s, ①rollback: [{run: 'true'}]}",
      "① W-ROLLBACK-EFFECT: `sleep` changes nothing, and yet it has undo steps; write the undo steps at the "
        + "step whose change they undo"
    ),
    Refused(
      "- {run: 'true', rollback: ①non}",
      "① E-TYPE: `rollback` must be a list of steps, `none` or `irreversible`, not `non`; did you mean `none`?"),
    Refused(
      "- {run: 'true', rollback: ①{run: 'true'}}",
      "① E-TYPE: `rollback` is a list of steps; begin each step with `- `"),
    Refused(
      "- {run: 'true', rollback: ①[]}", "① E-EMPTY: `rollback` is empty; write `none` if there is nothing to undo"),
    Refused(
      "- {run: 'true', rollback: {undo: ①always, steps: [{run: 'true'}]}}",
      "① E-CHOICE: `rollback.undo` must be `started` or `succeeded`, not `always`"),
    Refused(
      "- run: 'true'\n  rollback:\n  - {run: 'true', ①rollback: none}\n  - {②commit: x}\n  - {③call: ./x.yaml}\n  - "
        + "{④id: a, sleep: 1s}",
      "① E-CONTEXT: `rollback` cannot stand in `rollback`; an undo step is not undone itself",
      "② E-CONTEXT: `commit` cannot stand in `rollback`; it belongs into `steps`",
      "③ E-CONTEXT: `call` cannot stand in `rollback`; write its steps into the `rollback` itself",
      "④ E-CONTEXT: an undo step has no `id`: nothing can refer to it; use `name`"),
    Refused(
      "- run: 'true'\n  rollback: [{run: 'true', ①continue_on_error: true}]",
      "① E-CONTEXT: `continue_on_error` cannot stand here; in an undo step it is `on_error: continue`"),
    Refused("- {commit: done, ①rollback: none}", "① E-CONTEXT: `commit` has nothing to undo; take the line out"),
    Refused(
      "always:\n- {run: 'true', ①rollback: none}\n- {②commit: x}",
      "① E-CONTEXT: `rollback` cannot stand in `always`; only steps of `steps` are undone",
      "② E-CONTEXT: `commit` cannot stand in `always`; it belongs into `steps`"),
    Refused(
      "- fail: stop here\n- ①{sleep: 1s}",
      "① W-UNREACHABLE: no run reaches this step: the step before it always fails"),
    Refused(
      "providers: {cloud: {type: vps_org, token: '${{ secrets.t }}'}}\nsecrets: {t: {source: env, key: T}}\n"
        + "on_failure:\n- {action: ①server.stop, with: {server: a}}",
      "① E-CONTEXT: `on_failure` only looks, and `server.stop` changes something; put it into the step's "
        + "`rollback`, or into `always`"
    ),
  ])
  func isRefusedWithItsReason(_ refused: Refused) { refused.check() }

  @Test func undoStepsAreNamedAfterTheirOwner() throws {
    let runbook = try Framed.validated(
      """
      - id: a
        run: 'true'
        rollback:
        - {run: 'true', if: self.before.x == 1, on_error: continue}
        - {sleep: 5s, name: breathe}
      - run: 'true'
        rollback: {undo: succeeded, steps: [{run: 'true'}]}
      """.replacing("self.before.x == 1", with: "self.status == 'succeeded'"))
    guard case .steps(let undo, .started) = runbook.steps.leaves[0].rollback else { return #expect(Bool(false)) }
    #expect(undo.map { $0.path } == ["a.undo[0]", "a.undo[1]"])
    #expect(undo.map { $0.title } == ["run", "breathe"])
    #expect(undo.map { $0.undoContinuesOnError } == [true, false])
    guard case .steps(let second, .succeeded) = runbook.steps.leaves[1].rollback else { return #expect(Bool(false)) }
    #expect(second.map { $0.path } == ["steps[1].undo[0]"])
  }
}
