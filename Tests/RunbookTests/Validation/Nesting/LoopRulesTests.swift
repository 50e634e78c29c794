import Testing

@testable import Runbook

@Suite("for_each") struct LoopRulesTests {
  @Test(
    "a loop is refused with its reason",
    arguments: [
      Refused(
        "- ①{for_each: [a]}",
        "① E-STEP-KIND: the step does not say what it does; give it one of `action`, `run`, `wait_for`, `sleep`, "
          + "`fail`, "
          + "`commit`, `approve`, `block`, `parallel`, `call`"),
      Refused(
        "- {for_each: ①[], sleep: 1s}", "① E-EMPTY: `for_each` is empty: there is nothing to do; write its items"),
      Refused(
        "- {for_each: ①, sleep: 1s}", "① E-TYPE: `for_each` is empty; write an expression, or take the key out"),
      Refused(
        "- {for_each: ①inputs.count, sleep: 1s}",
        "① E-TYPE: `for_each` must be a list, and the expression gives an int; for example `inputs.names`, or `[a, "
          + "b]`"),
      Refused(
        "- {id: a, if: inputs.count > 1, action: server.status, with: {server: a}, outputs: {l: '[1]'}}\n"
          + "- {for_each: ①steps.a.?outputs.?l, sleep: 1s}",
        "① E-TYPE: `for_each` must be a list, and the expression gives an optional list of int; give it a value: "
          + "`.orValue([])`"),
      Refused(
        "- {for_each: [3, ①3.10], sleep: 1s}",
        "① E-YAML-NUMBER: `3.10` is a number here, and would be written `3.1`; write \"3.10\" to keep its text, or "
          + "3.1 if "
          + "it is a number"),
      Refused(
        "- {for_each: ①secrets.token, sleep: 1s}",
        "① E-SECRET: `for_each` would show a secret; secrets go only into fields made for them (`env`, `headers`, "
          + "`token`, `password`, `url`, …)"),
      Refused(
        "- {①for_each: {as: x}, sleep: 1s}",
        "① E-KEY-MISSING: `for_each` needs `in`; an expression that gives a list, such as `inputs.names`"),
      Refused(
        "- {for_each: {in: [a], ①parallel: 3}, sleep: 1s}",
        "① E-KEY-UNKNOWN: `for_each` has no key `parallel`; did you mean `max_parallel`?"),
      Refused(
        "- {for_each: {in: [a], ①gate: [{sleep: 1s}]}, sleep: 1s}",
        "① E-KEY-MISSING: `gate` needs `batches`: it is passed between two of them; add `batches: [1, \"25%\"]`, "
          + "or take "
          + "it out"),
      Refused(
        "- {for_each: {in: [a], batches: 1, gate: ①[]}, sleep: 1s}",
        "① E-EMPTY: `gate` is empty; write a step, or take it out"),
      Refused(
        "- {for_each: {in: [a], batches: ①[]}, sleep: 1s}",
        "① E-EMPTY: `batches` is empty; write `[1, \"25%\"]`, or take "
          + "it out"),
      Refused(
        "- {for_each: {in: [a], batches: [①0, ②\"0%\", ③\"101%\", ④half, ⑤1.5, ⑥true]}, sleep: 1s}",
        "① E-RANGE: `batches` is 0; it must be 1 to 1000000", "② E-RANGE: `batches` is 0%; it must be 1% to 100%",
        "③ E-RANGE: `batches` is 101%; it must be 1% to 100%",
        "④ E-TYPE: `batches` must be a whole number, a share such as `\"25%\"`, or an expression, not `half`",
        "⑤ E-TYPE: `batches` must be a whole number, a share such as `\"25%\"`, or an expression, not `1.5`",
        "⑥ E-TYPE: `batches` must be a whole number, a share such as `\"25%\"`, or an expression, not `true`"),
      Refused(
        "- {for_each: {in: [a], max_parallel: ①0, max_failures: ②-1}, sleep: 1s}",
        "① E-RANGE: `max_parallel` is 0; it must be 1 to 10000",
        "② E-RANGE: `max_failures` is -1; it must be 0 to 1000000"),
      Refused(
        "- {for_each: {in: [a], max_parallel: ①inputs.names}, sleep: 1s}",
        "① E-TYPE: `max_parallel` must be a whole number, a share such as `\"25%\"`, or an expression, and the "
          + "expression gives a list of string"),
      Refused(
        "- {for_each: {in: [a], max_parallel: ①99999999999999999999}, sleep: 1s}",
        "① E-TYPE: `max_parallel` must be a whole number, a share such as `\"25%\"`, or an expression, not "
          + "`99999999999999999999`"),
      Refused(
        "- {sleep: 1s, ①batches: 3, ②max_parallel: 2, ③gate: []}",
        "① E-CONTEXT: `batches` stands inside `for_each`; write `for_each: {in: LIST, batches: …}`",
        "② E-CONTEXT: `max_parallel` stands inside `for_each`; write `for_each: {in: LIST, max_parallel: …}`",
        "③ E-CONTEXT: `gate` stands inside `for_each`; write `for_each: {in: LIST, gate: …}`"),
    ])
  func isRefusedWithItsReason(_ refused: Refused) { refused.check() }

  @Test(
    "the item's name hides no other",
    arguments: [
      Refused(
        "- for_each: [a]\n  block:\n  - {①for_each: [b], sleep: 1s}",
        "① E-NAME-RESERVED: `item` is already the item of the `for_each` on line 7; write `for_each: {in: LIST, "
          + "as: NAME}`"
      ),
      Refused(
        "- for_each: {in: [a], as: host}\n  block:\n  - parallel:\n    - {for_each: {in: [b], as: ①host}, sleep: 1s}",
        "① E-NAME-RESERVED: `host` is already the item of the `for_each` on line 7; choose another name"),
      Refused(
        "- {for_each: {in: [a], as: ①inputs}, sleep: 1s}\n- {for_each: {in: [a], as: ②index}, sleep: 1s}\n"
          + "- {for_each: {in: [a], as: ③string}, sleep: 1s}\n- {for_each: {in: [a], as: ④My-Host}, sleep: 1s}\n"
          + "- {for_each: {in: [a], as: ⑤loop}, sleep: 1s}",
        "① E-NAME-RESERVED: the item's name `inputs` is a word of expressions; write `inputs_` or another name",
        "② E-NAME-RESERVED: the item's name `index` is a word of expressions; write `index_` or another name",
        "③ E-NAME-RESERVED: the item's name `string` is a word of expressions; write `string_` or another name",
        "④ E-NAME: the item's name `My-Host` must be a lower-case letter and then letters, digits or `_`, at most 64; "
          + "write `my_host`",
        "⑤ E-NAME-RESERVED: the item's name `loop` is a word of expressions; write `loop_` or another name"),
      Refused(
        "- {id: ①steps, for_each: [a], sleep: 1s}\n- {id: ②undo, for_each: [a], sleep: 1s}",
        "① E-NAME-RESERVED: the id `steps` of a `for_each` is a word of the language: `steps[0]` is the name of "
          + "another "
          + "step; write `steps_` or another name",
        "② E-NAME-RESERVED: the id `undo` of a `for_each` is a word of the language: `undo[0]` is the name of another "
          + "step; write `undo_` or another name"),
    ])
  func theItemsNameHidesNoOther(_ refused: Refused) { refused.check() }

  @Test("a loop in the gate of another, or after it, may use the same name")
  func loopsBesideEachOtherMayUseOneName() {
    Refused(
      "- {for_each: {in: [a], batches: 1, gate: [{for_each: [b], sleep: 1s}]}, sleep: 1s}\n- {for_each: [a], sleep: 1s}"
    ).check()
  }

  @Test("the keys of a map have an order that is not the file's")
  func theKeysOfAMapAreWarnedOf() {
    Refused(
      "runbook: v1\nname: t\ninputs: {ports: {type: map}}\nsteps:\n"
        + "- {for_each: ①inputs.ports, action: log.info, with: {message: \"${{ item + 'x' }}\"}}\n",
      "① W-ITEMS: `for_each` is a map: its keys are taken in alphabetical order, not in that of the file; give it "
        + "a list "
        + "if the order matters"
    ).check()
  }

  @Test("a loop and its step have one path, and each key belongs to one of them")
  func aLoopAndItsStepHaveOnePath() throws {
    let runbook = try Framed.validated(
      """
      - id: wave
        name: All hosts
        continue_on_error: true
        if: index > 0
        timeout: 5m
        outputs: {twice: "result.exit_code * 2"}
        for_each: {in: inputs.names, as: host, batches: [1, "25%", "${{ inputs.count }}"], max_parallel: inputs.count,
          max_failures: "10%", gate: [{id: look, sleep: 1s}, {sleep: 1s}, {block: [{sleep: 1s}]}]}
        run: x
        rollback: [{sleep: 1s}]
      - {for_each: inputs.names, block: [{id: one, sleep: 1s}, {sleep: 1s}]}
      """)
    guard case .loop(let loop) = try #require(runbook.steps.steps.first), case .action(let step) = loop.step else {
      Issue.record("it is no loop over an action")
      return
    }
    #expect(loop.part.path == "wave" && step.path == "wave" && loop.part.id == "wave" && step.id == "wave")
    #expect(loop.part.title == "All hosts" && step.title == "All hosts")
    #expect(loop.part.continuesOnError && !step.continuesOnError)
    #expect(loop.part.condition == nil && step.condition?.source == "index > 0")
    #expect(loop.part.timeout == nil && step.timeout == .seconds(300))
    #expect(loop.part.outputs.isEmpty && step.outputs.map(\.name) == ["twice"])
    #expect(loop.name == "host" && loop.items.source == "inputs.names")
    #expect(loop.batches.map(\.words) == ["1", "25%", "inputs.count"])
    #expect(loop.maxParallel.words == "inputs.count" && loop.maxFailures.words == "10%")
    #expect(loop.gate.leaves.map(\.path.text) == ["wave.gate.look", "wave.gate.step[1]", "wave.gate.step[2].block[0]"])
    #expect(runbook.steps.steps[1].path == "steps[1]")
    #expect(
      runbook.steps.leaves.map(\.path.text) == [
        "wave", "wave.gate.look", "wave.gate.step[1]", "wave.gate.step[2].block[0]", "steps[1].one",
        "steps[1].block[1]",
      ])
    #expect(step.undoSteps.map(\.path.text) == ["wave.undo[0]"])
  }

  @Test(
    "a list that is written out is a list of those values",
    arguments: [
      ("[a, 'it''s \"b\"', 3, true, 1.5, {k: [x]}]", #"["a","it's \"b\"",3,true,1.5,{"k":["x"]}]"#),
      ("[\"${{ inputs.count }}\", \"n-${{ inputs.count + 1 }}.x\"]", #"[4,"n-5.x"]"#),
      ("[{host: \"${{ inputs.server }}\", port: 1}]", #"[{"host":"web","port":1}]"#),
      ("inputs.names", #"["a"]"#), ("\"${{ inputs.names + ['b'] }}\"", #"["a","b"]"#),
    ])
  func aListThatIsWrittenOutIsThatList(_ written: String, _ json: String) throws {
    let runbook = try Framed.validated("- {for_each: \(written), sleep: 1s}")
    guard case .loop(let loop)? = runbook.steps.steps.first else {
      Issue.record("it is no loop")
      return
    }
    let scope = DictionaryScope(["inputs": ["count": 4, "server": "web", "names": ["a"]]])
    #expect(try JSONWriter.text(loop.items.evaluate(in: scope)) == json)
  }

  @Test("a list may be longer than an expression")
  func aListMayBeLong() throws {
    let items = (0..<2000).map { "server-\($0)" }.joined(separator: ", ")
    let runbook = try Framed.validated(
      "- {for_each: [\(items)], action: log.info, with: {message: \"${{ item + 'x' }}\"}}")
    guard case .loop(let loop)? = runbook.steps.steps.first else {
      Issue.record("it is no loop")
      return
    }
    #expect(try loop.items.evaluate(in: DictionaryScope([:])).list?.count == 2000)
  }

  @Test("words of other tools name `for_each`")
  func wordsOfOtherToolsNameForEach() {
    Refused(
      "- {sleep: 1s, ①loop: [a], ②with_items: [a], ③matrix: {a: b}, ④needs: [a], ⑤depends_on: [a]}",
      "① E-KEY-FOREIGN: `loop` is a word of other tools; write `for_each: LIST`; the item is `item`",
      "② E-KEY-FOREIGN: `with_items` is a word of other tools; write `for_each: LIST`; the item is `item`",
      "③ E-KEY-FOREIGN: `matrix` is a word of other tools; write `for_each: LIST`; the item is `item`",
      "④ E-KEY-FOREIGN: `needs` is a word of other tools; take it out: steps run in the order of the file, and "
        + "those under "
        + "`parallel:` at once",
      "⑤ E-KEY-FOREIGN: `depends_on` is a word of other tools; take it out: steps run in the order of the file, "
        + "and those "
        + "under `parallel:` at once"
    ).check()
  }
}

extension LoopStep.Share {
  fileprivate var words: String {
    switch self {
    case .count(let number): String(number)
    case .percent(let number): "\(number)%"
    case .expression(let expression): expression.source
    }
  }
}
