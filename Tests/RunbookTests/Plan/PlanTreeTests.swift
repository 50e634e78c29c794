import Runbook
import TestSupport
import Testing

/// What a plan says of steps that hold others.
@Suite struct PlanTreeTests {
  private static let called = """
    runbook: v1
    name: part
    inputs: {server: {type: string}}
    providers: {metal: {type: iron}}
    steps:
      - {id: stop, action: server.stop, with: {server: "${{ inputs.server }}"},
         rollback: [{action: server.start, with: {server: "${{ inputs.server }}"}}]}
    """

  private func plan(_ steps: String, inputs: [String: Value] = [:]) throws -> Plan {
    let text =
      "runbook: v1\nname: plan\ninputs: {names: {type: list, default: [a, b, c]}, open: {type: list}}\n"
      + "providers: {cloud: {type: iron}}\nsteps:\n"
    var context = CloudRunbook.context()
    context.readFile = { (path, _) throws(FileRefusal) -> [UInt8] in
      guard path == "lib/part.yaml" else { throw FileRefusal("there is no such file") }
      return Array(PlanTreeTests.called.utf8)
    }
    return Plan(
      try ValidatedRunbook(try ParsedDocument(yaml: text + steps), in: context), inputs: inputs,
      at: Timestamp(seconds: 0))
  }

  private static let loop = """
      - {id: before, action: server.stop, with: {server: x}, rollback: [{action: server.start, with: {server: x}}]}
      - id: wave
        for_each: {in: inputs.names, batches: [1, "50%"], max_parallel: 2, max_failures: 1,
          gate: [{id: look, run: check, rollback: none, effect: none}]}
        block:
          - {id: stop, action: server.stop, with: {server: "${{ item }}"},
             rollback: [{action: server.start, with: {server: "${{ item }}"}}]}
          - {id: work, run: work, rollback: [{run: undo}]}

    """

  @Test func aLoopIsShownWithItsItemsItsBatchesAndWhatIsUndone() throws {
    let lines = PlanText.lines(try plan(PlanTreeTests.loop))
    for line in [
      "  2. wave  for_each  (3 items)", "       over `inputs.names`, at most 2 at once",
      "       in batches of 1, then 50%, the last size repeated",
      "       each iteration is undone by itself when it fails; once more than 1 have failed, the loop fails, "
        + "and nothing "
        + "further is begun",
      "       for each item:", "       - stop  server.stop  (changes, E3)", "       between two batches:",
      "       - look  run  (reads)", "locks iron/(account)/server/a", "locks iron/(account)/server/c",
      "A step in a loop is counted once, however many items there are.",
    ] { #expect(lines.contains(line), "`\(line)` is missing in \(lines.joined(separator: "\n"))") }
    let open = PlanText.lines(try plan("  - {id: wave, for_each: inputs.open, run: work, rollback: none}\n"))
    #expect(open.contains("  1. wave  for_each  (number of items known after apply)"), "\(open)")
  }

  @Test func aFailureInALoopUndoesTheIterationFirst() throws {
    let plan = try plan(PlanTreeTests.loop)
    let rollback = plan.rollback(after: "wave[*].work")
    #expect(rollback.first == ["wave[*].work", "wave[*].stop"])
    #expect(rollback.finished == ["wave[*].work", "wave[*].stop"])
    #expect(rollback.undone == ["wave[*].work", "wave[*].stop", "before"])
    #expect(
      PlanText.lines(plan, isVerbose: true).contains(
        "  after wave[*].stop: this iteration by itself: wave[*].stop; if the loop fails: finished iterations "
          + "(wave[*].work, wave[*].stop), before"))
  }

  @Test func aCommitInAnIterationKeepsThatIteration() throws {
    let more = "      - {id: keep, commit: it works}\n  - {run: after, id: after, rollback: none}\n"
    let plan = try plan(PlanTreeTests.loop + more)
    #expect(plan.rollback(after: "wave[*].work").finished == [])
    #expect(plan.rollback(after: "wave[*].work").first == ["wave[*].work", "wave[*].stop"])
    #expect(plan.rollback(after: "after").undone == ["before"])
  }

  @Test func otherBranchesAndARescueMayHaveRun() throws {
    let plan = try plan(
      """
        - id: outer
          block:
            - id: both
              parallel:
                - {id: a, run: a, rollback: [{run: undo}]}
                - {id: b, run: b, rollback: [{run: undo}]}
          rescue:
            - {id: mend, run: mend, rollback: [{run: undo}]}
        - {id: last, run: last, rollback: none}

      """)
    let first = plan.rollback(after: "outer.both.a")
    #expect(first.undone == ["outer.both.b", "outer.both.a"] && first.ifRun == ["outer.both.b"])
    let last = plan.rollback(after: "last")
    #expect(last.undone == ["outer.mend", "outer.both.b", "outer.both.a"] && last.ifRun == ["outer.mend"])
    let lines = PlanText.lines(plan)
    for line in [
      "  1. outer  block", "       - both  parallel  (2 branches at the same time)",
      "            - a  run  (changes, E4)", "       if one of these fails:", "       - mend  run  (changes, E4)",
    ] { #expect(lines.contains(line), "`\(line)` is missing in \(lines.joined(separator: "\n"))") }
  }

  @Test func aCallIsShownWithItsFileItsInputsItsProvidersAndItsUndo() throws {
    let plan = try plan(
      """
        - {id: part, call: ./lib/part.yaml, with: {server: db-1}, rollback: [{run: undo all}]}
        - {id: last, run: last, rollback: none}

      """)
    let lines = PlanText.lines(plan)
    for line in [
      "  1. part  call lib/part.yaml", "       server: db-1",
      "       its steps use the providers of that file: metal (iron)", "       - stop  server.stop  (changes, E3)",
      "            server: db-1", "  undo part: run  (changes, E4)",
      "  undo part.stop (as long as `part` has not succeeded): server.start  (changes, E3)",
      "locks iron/(account)/server/db-1",
    ] { #expect(lines.contains(line), "`\(line)` is missing in \(lines.joined(separator: "\n"))") }
    #expect(plan.rollback(after: "part.stop").undone == ["part.stop"])
    #expect(plan.rollback(after: "last").undone == ["part"])
  }

  @Test func theDocumentIsNested() throws {
    let json = PlanText.json(try plan(PlanTreeTests.loop))
    let wave = try #require(json["steps"]?.list?.last)
    #expect(wave["kind"] == "for_each" && wave["items"] == 3 && wave["max_failures"] == "1")
    let block = try #require(wave["steps"]?.list?.first)
    #expect(block["kind"] == "block" && block["step"] == "wave[*]")
    #expect(block["steps"]?.list?.compactMap { $0["step"]?.string } == ["wave[*].stop", "wave[*].work"])
    #expect(wave["gate"]?.list?.first?["step"] == "wave.gate[*].look")
    #expect(json["steps"]?.list?.first?["kind"] == nil)
  }

  @Test func allIterationsCountForTheUsualTimeOfAStep() {
    let story = RunStory.wave(of: 9, failing: [])
    let times = UsualTimes([RunReport(id: story.runID, plan: RunStory.wavePlan, events: story.events)])
    #expect(times.steps["wave[*].stop"] == .seconds(5))
    #expect(times.steps["wave[3].stop"] == nil)
  }
}
