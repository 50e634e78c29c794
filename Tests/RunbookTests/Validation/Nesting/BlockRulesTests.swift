import Testing

@testable import Runbook

@Suite("block, rescue and parallel") struct BlockRulesTests {
  @Test(
    "a step that holds others is refused with its reason",
    arguments: [
      Refused("- {block: ①[]}", "① E-EMPTY: `block` is empty; write a step, or take it out"),
      Refused("- {parallel: ①[]}", "① E-EMPTY: `parallel` is empty; write a step, or take it out"),
      Refused(
        "- {block: ①{sleep: 1s}}", "① E-TYPE: `block` must be a list, not a map; begin each step with `- `"),
      Refused(
        "- {parallel: ①two}",
        "① E-TYPE: `parallel` must be a list, not `two`; a list of steps, each beginning with `- `"),
      Refused(
        "- {sleep: 1s, ①block: [{sleep: 1s}]}",
        "① E-STEP-KIND: a step does one thing, and this one has `sleep` and `block`; make two steps of it"),
      Refused(
        "- {①rescue: [{sleep: 1s}]}",
        "① E-KEY-MISSING: `rescue` needs `block`; put the steps that may fail under `block:`, beside it"),
      Refused(
        "- {sleep: 1s, ①rescue: [{sleep: 1s}]}",
        "① E-KEY-MISSING: `rescue` needs `block`; put the steps that may fail under `block:`, beside it"),
      Refused(
        "- {parallel: [{sleep: 1s}], ①rescue: [{sleep: 1s}]}",
        "① E-CONTEXT: `rescue` belongs to `block`; put the step into a `block:`, and `rescue:` beside that"),
      Refused(
        "- {block: [{sleep: 1s}], ①always: [{sleep: 1s}]}",
        "① E-CONTEXT: `always` cannot stand in a step; write `always:` at the top level"),
      Refused(
        "- {block: [{sleep: 1s}], ①blok: 1}",
        "① E-KEY-UNKNOWN: the step has no key `blok`; did you mean `block`?"),
      Refused(
        "- {block: [{sleep: 1s}], ①resque: []}",
        "① E-KEY-UNKNOWN: the step has no key `resque`; did you mean `rescue`?"),
      Refused("- {①blok: [{sleep: 1s}]}", "① E-STEP-KIND: unknown step kind `blok`; did you mean `block`?"),
    ])
  func isRefusedWithItsReason(_ refused: Refused) { refused.check() }

  @Test("a key that means nothing beside a block says where it belongs")
  func aKeyBesideABlockSaysWhereItBelongs() {
    Refused(
      """
      - block: [{sleep: 1s}]
        ①retry: {attempts: 3}
        ②wait: {timeout: 1m}
        ③expect: "true"
        ④env: {A: b}
        ⑤provider: cloud
        ⑥effect: none
        ⑦rollback: none
        ⑧with: {a: b}
        ⑨on_crash: fail
      """,
      "① E-CONTEXT: a `block` is not repeated as a whole; write `retry` at its steps",
      "② E-CONTEXT: a `block` has nothing of its own to wait for; write `wait` at its steps, or a `wait_for` after "
        + "them",
      "③ E-CONTEXT: a `block` has no result of its own to check; write `expect` at its steps",
      "④ E-CONTEXT: a `block` runs no script itself, so `env` means nothing to it; write `env` at its steps",
      "⑤ E-CONTEXT: a `block` reaches no cloud itself; write `provider` at its steps",
      "⑥ E-CONTEXT: a `block` changes nothing itself, so `effect` means nothing to it; write `effect` at its steps",
      "⑦ E-CONTEXT: a `block` has nothing to undo but what its steps have done; write `rollback` at its steps",
      "⑧ E-CONTEXT: `with` belongs to `action`, `wait_for` and `call`; take it out",
      "⑨ E-CONTEXT: a `block` changes nothing itself, so `on_crash` means nothing to it; write `on_crash` at its steps"
    ).check()
  }

  @Test("only `steps` hold steps that hold others")
  func onlyStepsHoldOthers() {
    let top = "runbook: v1\nname: t\nsteps:\n- sleep: 1s\n"
    Refused(
      top + "always:\n- {①block: [{sleep: 1s}]}\n- {②parallel: [{sleep: 1s}]}\n- {③call: ./x.yaml}\n"
        + "- {④for_each: [a], sleep: 1s}\n",
      "① E-CONTEXT: `block` cannot stand in `always`; write its steps there one by one",
      "② E-CONTEXT: `parallel` cannot stand in `always`; write its steps one after the other",
      "③ E-CONTEXT: `call` cannot stand in `always`; write its steps there one by one",
      "④ E-CONTEXT: `for_each` cannot stand in `always`; write a step for each item"
    ).check()
    for section in ["on_failure", "on_rollback_failure"] {
      Refused(
        top + "\(section):\n- {①block: [{sleep: 1s}]}\n",
        "① E-CONTEXT: `block` cannot stand in `\(section)`; write its steps there one by one"
      ).check()
    }
    Refused(
      top + "on_waiting:\n- {①block: [{sleep: 1s}]}\n",
      "① E-CONTEXT: `block` cannot stand in `on_waiting`; write one step for each message"
    ).check()
    Refused(
      top + "drill:\n  steady_state:\n  - {①parallel: [{sleep: 1s}]}\n",
      "① E-CONTEXT: `parallel` cannot stand in `drill.steady_state`; write its steps one after the other"
    ).check()
    Refused(
      "- {run: x, rollback: [{①block: [{sleep: 1s}]}, {for_each: {in: [a], ②max_parallel: 2}, sleep: 1s}]}",
      "① E-CONTEXT: `block` cannot stand in `rollback`; write its steps into the `rollback` itself",
      "② E-CONTEXT: `max_parallel` cannot stand in the `for_each` of an undo step; its items are undone one after the "
        + "other: take the line out"
    ).check()
  }

  @Test("the rules for a step hold inside others, too")
  func theRulesForAStepHoldInside() {
    Refused(
      "- block:\n  - {①run: x}\n  rescue:\n  - parallel:\n    - {②run: y}\n    - {action: ③nothing.here}",
      "① W-ROLLBACK: `run` changes something and does not say how that is undone; add `rollback:` with steps, `none` "
        + "(nothing to undo) or `irreversible`",
      "② W-ROLLBACK: `run` changes something and does not say how that is undone; add `rollback:` with steps, `none` "
        + "(nothing to undo) or `irreversible`",
      "③ E-ACTION: unknown action `nothing.here`; `runbook schema` lists them"
    ).check()
    Refused(
      "- block:\n  - block:\n    - {fail: now}\n    - ①{sleep: 1s}\n  - ②{sleep: 1s}\n- ③{sleep: 1s}",
      "① W-UNREACHABLE: no run reaches this step: the step before it always fails",
      "② W-UNREACHABLE: no run reaches this step: the step before it always fails",
      "③ W-UNREACHABLE: no run reaches this step: the step before it always fails"
    ).check()
  }

  @Test(
    "what comes after a step that need not fail is reached",
    arguments: [
      "- {block: [{fail: x}], rescue: [{sleep: 1s}]}\n- {sleep: 1s}",
      "- {block: [{fail: x}], continue_on_error: true}\n- {sleep: 1s}",
      "- {block: [{fail: x}], if: inputs.server == 'a'}\n- {sleep: 1s}",
      "- {parallel: [{fail: x}, {sleep: 1s}]}",
      "- {for_each: inputs.names, fail: x}\n- {sleep: 1s}",
    ])
  func whatComesAfterIsReached(_ steps: String) { Refused(steps).check() }

  @Test("ids are unique over all depths")
  func idsAreUniqueOverAllDepths() {
    Refused(
      "- id: a\n  block:\n  - {id: b, sleep: 1s}\n  rescue:\n  - {id: ①a, sleep: 1s}\n"
        + "- parallel:\n  - {id: ②b, sleep: 1s}\n"
        + "- {for_each: {in: [x], batches: 1, gate: [{id: ③b, sleep: 1s}]}, sleep: 1s}",
      "① E-ID-DUPLICATE: the id `a` is given twice; first on line 7; ids are unique in a file",
      "② E-ID-DUPLICATE: the id `b` is given twice; first on line 9; ids are unique in a file",
      "③ E-ID-DUPLICATE: the id `b` is given twice; first on line 13; ids are unique in a file"
    ).check()
    Refused(
      "- {id: ①drill, block: [{sleep: 1s}]}",
      "① E-NAME-RESERVED: the id `drill` of a step that holds others is a word of the language; write `drill_` or "
        + "another name"
    ).check()
  }

  @Test("a step that holds others ends no sooner than the steps in it may take")
  func aTimeoutCoversTheStepsInside() {
    Refused(
      "- {id: outer, ①timeout: 5m, block: [{id: slow, sleep: 1s, timeout: 10m}]}\n"
        + "- {②timeout: 5m, parallel: [{block: [{sleep: 1s, timeout: 6m}, {id: slower, sleep: 1s, timeout: 7m}]}]}",
      "① W-TIMEOUT: `outer` ends after 5m, and `slow` (line 7) in it may take 10m; make this `timeout` longer, or that "
        + "one shorter",
      "② W-TIMEOUT: `parallel` ends after 5m, and `slower` (line 8) in it may take 7m; make this `timeout` longer, or "
        + "that one shorter"
    ).check()
    Refused("- {timeout: 10m, block: [{sleep: 1s, timeout: 10m}]}\n- {sleep: 1s, timeout: 1h}").check()
    // What is undone later is not bounded by it.
    Refused("- {timeout: 1m, block: [{run: x, timeout: 1m, rollback: [{sleep: 1s, timeout: 1h}]}]}").check()
  }

  // MARK: parallel

  @Test("a commit does not stand where sibling branches share what it closes")
  func aCommitDoesNotStandInABranch() {
    Refused(
      "- parallel:\n  - {①commit: done}\n  - block: [{②commit: done}]\n"
        + "  - {for_each: {in: [x], batches: 1, gate: [{③commit: done}]}, commit: of this item alone}",
      "① E-CONTEXT: `commit` cannot stand in a branch of `parallel` (line 7): the other branches could then no "
        + "longer be "
        + "undone; put it behind the `parallel`",
      "② E-CONTEXT: `commit` cannot stand in a branch of `parallel` (line 7): the other branches could then no "
        + "longer be "
        + "undone; put it behind the `parallel`",
      "③ E-CONTEXT: `commit` cannot stand in a branch of `parallel` (line 7): the other branches could then no "
        + "longer be "
        + "undone; put it behind the `parallel`"
    ).check()
    Refused("- {parallel: [{sleep: 1s}]}\n- {commit: done}\n- {block: [{commit: done}]}").check()
  }

  @Test("two branches that change one server are refused with both lines")
  func twoBranchesDoNotChangeOneServer() {
    let stop = "{id: stop, action: server.stop, with: {server: a}}"
    let two = "- parallel:\n  - \(stop)\n  - block:\n    - {id: copy, action: backup.create, with: {server: a}}\n"
    #expect(
      CloudRunbook.mistakes(two) == [
        "8 E-BRANCH: two branches change the same server: `stop` (line 6) and `copy` (line 8); put both steps into one "
          + "branch, or one of them before or after the `parallel`"
      ])
    let template = two.replacing("server: a", with: "server: '${{ run.name }}'")
    #expect(CloudRunbook.mistakes(template).map { $0.prefix(10) } == ["8 E-BRANCH"])
    #expect(
      CloudRunbook.mistakes(
        "- for_each: [x]\n  parallel:\n  - \(stop.replacing("server: a", with: "server: '${{ item }}'"))\n"
          + "  - {action: backup.create, with: {server: '${{ item }}'}}\n"
      ).map { $0.prefix(10) } == ["8 E-BRANCH"])
  }

  @Test(
    "branches that may change different servers, or one of which may not change any, are accepted",
    arguments: [
      "- parallel:\n  - {action: server.stop, with: {server: a}}\n  - {action: server.stop, with: {server: b}}\n",
      "- parallel:\n  - {action: server.stop, with: {server: a}}\n  - {action: server.status, with: {server: a}}\n",
      "- parallel:\n  - {if: run.name == 'x', action: server.stop, with: {server: a}}\n"
        + "  - {action: server.stop, with: {server: a}}\n",
      "- parallel:\n  - {action: server.stop, with: {server: a}}\n"
        + "  - {block: [{sleep: 1s}], rescue: [{action: server.stop, with: {server: a}}]}\n",
      "- parallel:\n  - {for_each: [x], action: server.stop, with: {server: '${{ item }}'}}\n"
        + "  - {for_each: [y], action: server.stop, with: {server: '${{ item }}'}}\n",
      "- parallel:\n  - block:\n    - {action: server.stop, with: {server: a}}\n    - {action: server.start, with: "
        + "{server: a}}\n",
    ])
  func branchesThatMayBeInOrderAreAccepted(_ steps: String) { #expect(CloudRunbook.mistakes(steps) == []) }

  // MARK: Model

  @Test("each step has the path of what holds it, and a name of its own")
  func eachStepHasThePathOfWhatHoldsIt() throws {
    let runbook = try Framed.validated(
      """
      - id: outer
        if: inputs.server == 'a'
        timeout: 1h
        continue_on_error: true
        block:
        - {id: inner, sleep: 1s}
        - {sleep: 1s}
        - {run: x, rollback: [{sleep: 1s}]}
        rescue:
        - {sleep: 1s}
        outputs: {one: "steps.inner.status"}
      - parallel:
        - {id: left, sleep: 1s}
        - {block: [{sleep: 1s}, {id: deep, sleep: 1s}]}
      """)
    #expect(
      runbook.steps.leaves.map(\.path.text) == [
        "outer.inner", "outer.block[1]", "outer.block[2]", "outer.rescue[0]", "steps[1].left",
        "steps[1].parallel[1].block[0]", "steps[1].parallel[1].deep",
      ])
    #expect(runbook.steps.leaves[2].undoSteps.map(\.path.text) == ["outer.block[2].undo[0]"])
    guard case .block(let block) = try #require(runbook.steps.steps.first) else {
      Issue.record("it is no block")
      return
    }
    #expect(block.part.title == "outer" && block.part.timeout == .seconds(3600) && block.part.continuesOnError)
    #expect(block.part.condition?.source == "inputs.server == 'a'" && block.part.outputs.map(\.name) == ["one"])
    #expect(block.steps.steps.count == 3 && block.rescue?.steps.count == 1)
  }

  @Test("how much goes on at once is bounded by `limits`")
  func limitsAreRead() throws {
    #expect(try Framed.validated("limits: {parallel: 7}").maxParallel == 7)
    #expect(try Framed.validated("labels: {}").maxParallel == 50)
    Refused("limits: {parallel: ①0}", "① E-RANGE: `limits.parallel` is 0; it must be 1 to 10000").check()
    Refused(
      "limits: {①paralel: 3}", "① E-KEY-UNKNOWN: `limits` has no key `paralel`; did you mean `parallel`?"
    ).check()
  }
}
