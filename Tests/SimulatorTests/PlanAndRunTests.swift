import Runbook
import Simulator
import Stores
import TestSupport
import Testing

/// A plan tells the truth: what it says would run, ran, and what it says would be undone, was. In worlds that a seed
/// makes: scripts and requests that fail here and there, conditions, undo steps of every kind, commits.
@Suite struct PlanAndRunTests {
  /// One generated runbook, and what becomes of its steps.
  private struct Generated {
    var random: SeededRandom
    var rules: [SimulatedScripts.Rule] = []
    var lines: [String] = []
    private(set) var names: [String] = []

    init(seed: UInt64) {
      random = SeededRandom(seed: seed)
      for number in 0..<(3 + number(6)) { addStep(number) }
    }

    private mutating func number(_ limit: UInt64) -> Int { Int(random.next() % limit) }
    private mutating func one<T>(of choices: [T]) -> T { choices[number(UInt64(choices.count))] }

    private mutating func addStep(_ number: Int) {
      let name = "s\(number)"
      let condition = one(of: ["", "", "", "if: inputs.wanted, ", "if: inputs.unwanted, ", "if: \"CONDITION\", "])
        .replacing("CONDITION", with: names.isEmpty ? "inputs.wanted" : "steps.\(one(of: names)).status == 'succeeded'")
      let kind = one(of: ["run: \(name)x", "run: \(name)x", "PUT", "DELETE", "GET", "sleep: 1s", "commit: kept"])
      if kind.hasPrefix("run:"), self.number(8) == 0 { rules.append(.init(matching: "\(name)x", exitCode: 3)) }
      var words = kind
      if kind.uppercased() == kind {
        let fate = one(of: ["200", "200", "200", "200", "409"])
        words = "action: http.\(kind.lowercased()), with: {url: \"http://127.0.0.1:8099/do/\(fate)/\(name)\"}"
      }
      let isChange = kind.hasPrefix("run:") || kind == "PUT" || kind == "DELETE"
      let undo = one(of: [
        "", ", rollback: none", ", rollback: irreversible", ", rollback: [{run: undo\(name)}]",
        ", rollback: [{run: undo\(name)}, {run: more\(name)}]", ", rollback: [{run: undo\(name), if: inputs.wanted}]",
        ", rollback: [{run: undo\(name), if: inputs.unwanted}]",
      ])
      lines.append("  - {id: \(name), \(condition)\(words)\(isChange ? undo : "")}")
      names.append(name)
    }

    var text: String {
      """
      runbook: v1
      name: generated
      inputs: {wanted: {type: bool, default: true}, unwanted: {type: bool, default: false}}
      steps:
      \(lines.joined(separator: "\n"))
        - {id: last, fail: the end}
      """
    }
  }

  @Test func whatThePlanSaysIsWhatTheRunDoes() async throws {
    var (rolledBack, blocked, committed, skipped) = (0, 0, 0, 0)
    for seed in UInt64(0)..<(Campaign.isLong ? 2000 : 100) {
      let generated = Generated(seed: seed)
      let world = try MovingWorld(
        generated.text, inputs: ["wanted": true, "unwanted": false], scripts: generated.rules)
      let plan = Plan(world.runbook, inputs: ["wanted": true, "unwanted": false], at: world.clock.now)
      _ = try await world.start()
      let report = RunReport(id: MovingWorld.runID, plan: UndoPlan(world.runbook), events: world.observer.events)
      let story: Comment = "seed \(seed)\n\(generated.text)\n\(world.story)"

      // What runs.
      let failed = try #require(report.failedStep, story)
      let reached = plan.steps.prefix { $0.path != failed.path }
      for step in reached {
        let status = report.step(step.path)?.status
        switch step.decision {
        case .runs: #expect(status == "succeeded", story)
        case .skipped: #expect(status == "skipped", story)
        case .depends: #expect(status == "succeeded" || status == "skipped", story)
        }
        if status == "skipped" { skipped += 1 }
      }
      for step in plan.steps.dropFirst(reached.count + 1) {
        #expect(["pending", "not_run", nil].contains(report.step(step.path)?.status), story)
      }

      // What is undone: of the steps before the one that failed, whose own effect the plan cannot know.
      let unrun = Set(report.steps.filter { $0.status == "skipped" }.map(\.path))
      guard let last = reached.last else { continue }
      let predicted = plan.rollback(after: last.path, skipped: unrun)
      let standing = Standing(report)
      let isBlockedByItself =
        report.rollback == "blocked" && failed.happened != "none"
        && plan.steps[reached.count].undo.isIrreversible
      guard !isBlockedByItself else { continue }
      #expect(Set(standing.undone).subtracting([failed.path]) == Set(predicted.undone), story)
      #expect((report.rollback == "blocked") == (predicted.blockedBy != nil), story)
      if !predicted.undone.isEmpty { rolledBack += 1 }
      if predicted.blockedBy != nil { blocked += 1 }
      if reached.contains(where: { $0.isCommit && !unrun.contains($0.path) }) { committed += 1 }
    }
    #expect(rolledBack > 10)
    #expect(blocked > 2)
    #expect(committed > 5)
    #expect(skipped > 20)
  }

  @Test func aPlanTellsHowLongItsWaitsTookInEarlierRuns() async throws {
    let world = try MovingWorld("runbook: v1\nname: naps\nsteps:\n  - {id: nap, sleep: 10s}\n")
    let plan = Plan(world.runbook, inputs: [:], at: world.clock.now)
    #expect(!PlanText.lines(plan, usual: UsualTimes([])).contains { $0.contains("earlier") })
    #expect(try await world.start().exitCode == 0)
    let entries = try world.store.entries(of: MovingWorld.runID, after: 0)
    let events = entries.compactMap { RunEvent($0, runID: MovingWorld.runID) }
    var report = RunReport(id: MovingWorld.runID, events: events)
    // What is simulated tells nothing about the real thing.
    report.isSimulated = true
    #expect(UsualTimes([report]).count == 0)
    report.isSimulated = false
    let lines = PlanText.lines(plan, usual: UsualTimes([report]))
    #expect(lines.contains("       took 10s in earlier runs"), "\(lines)")
    #expect(lines.last == "Earlier runs took 10s (the median of 1).", "\(lines)")
  }
}
