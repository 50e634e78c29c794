import Testing

@testable import Runbook

private typealias F = MachineFixture
private let applied = StepFailure(.exitCode, "exited with 1", effect: .applied)

/// What the report recommends is what the machine, which judges the command, accepts: after every single entry.
@Suite struct HintTests {
  struct Story: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var tell: @Sendable (inout Driver) -> Void
    var runbook: @Sendable () -> ValidatedRunbook = { HintTests.threeSteps }
    init(
      _ name: String, _ runbook: @escaping @Sendable () -> ValidatedRunbook = { HintTests.threeSteps },
      _ tell: @escaping @Sendable (inout Driver) -> Void
    ) {
      testDescription = name
      self.runbook = runbook
      self.tell = tell
    }
  }

  static var threeSteps: ValidatedRunbook {
    F.runbook(
      [
        F.undoable("one"),
        F.step("two", rollback: .steps([F.step("two.undo[0]"), F.step("two.undo[1]")], undo: .started)),
        F.step("three"),
      ], always: [F.step("bell")])
  }

  private static func failing(_ driver: inout Driver, undo: StepPath? = nil) {
    driver.failures["three"] = applied
    if let undo { driver.failures[undo] = applied }
    _ = driver.carryOn()
  }

  static let stories: [Story] = [
    Story("a success") { _ = $0.carryOn() },
    Story("a failure that is undone") { failing(&$0) },
    Story(
      "a borne failure", { F.runbook([F.step("one", continuesOnError: true), F.undoable("two"), F.step("three")]) }
    ) {
      $0.failures["one"] = applied
      _ = $0.carryOn()
    },
    Story("a rollback that stops, and is resumed") {
      failing(&$0, undo: "two.undo[0]")
      $0.failures = [:]
      $0.handleFact(.rollback(.resumed(by: "ops", request: 0)))
      _ = $0.carryOn()
    },
    Story("an undo step that is left out") {
      failing(&$0, undo: "two.undo[0]")
      $0.handleFact(.rollback(.skipped(entry: "two.undo[0]", reason: "by hand", by: "ops", request: 0)))
      $0.handleFact(.rollback(.resumed(by: "ops", request: 0)))
      _ = $0.carryOn()
    },
    Story("everything that is owed is left out") {
      failing(&$0, undo: "two.undo[1]")
      for entry: StepPath in ["two.undo[1]", "one"] {
        $0.handleFact(.rollback(.skipped(entry: entry, reason: "by hand", by: "ops", request: 0)))
      }
      $0.handleFact(.rollback(.resumed(by: "ops", request: 0)))
      _ = $0.carryOn()
    },
    Story("a rollback that is abandoned") {
      failing(&$0, undo: "two.undo[0]")
      $0.handleFact(.rollback(.abandoned(reason: "replaced", by: "ops", request: 0)))
      $0.handleFact(.run(.ended($0.machine.result)))
    },
    Story("a cancel without rollback") {
      _ = $0.carryOn(limit: 3)
      $0.handle(.cancelRequested(by: "ops", rollback: false, request: 1))
      _ = $0.carryOn()
    },
    Story(
      "a commit",
      {
        F.runbook([
          F.undoable("one"), F.step("keep", effect: .none, isCommit: true), F.undoable("two"), F.step("three"),
        ])
      }
    ) {
      failing(&$0)
    },
    Story(
      "a step that cannot be undone",
      {
        F.runbook([F.undoable("one"), F.step("two", rollback: .irreversible), F.step("three")])
      }
    ) { failing(&$0) },
    Story("a parked run that is cancelled", { F.runbook([F.undoable("one"), F.step("two", class: .opaque)]) }) {
      $0.failures["two"] = StepFailure(.unreachable, "no reply", effect: .unknown)
      _ = $0.carryOn()
      $0.handle(.cancelRequested(by: "ops", rollback: true, request: 1))
      if let event = $0.machine.cancelled($0.machine.next) { $0.handle("two", event) }
      _ = $0.carryOn()
    },
  ]

  @Test func aPersonWhoSaysNotAppliedTakesTheUnknownEffectBack() {
    let step = F.step("one", class: .opaque, rollback: .steps([F.step("one.undo[0]")], undo: .started), onCrash: .ask)
    var driver = Driver(F.runbook([step]))
    driver.failures["one"] = StepFailure(.unreachable, "no reply", effect: .unknown)
    #expect(driver.carryOn() == nil)
    driver.handle(.resolved("one", .notApplied, by: "ops", request: 1, question: 1))
    let ended = driver.carryOn()
    #expect(driver.calls == ["one"])
    #expect(ended?.exitCode == 1)
    #expect(driver.machine.state(of: "one").effect == .none)
  }

  @Test(arguments: stories)
  func whatTheReportRecommendsIsAccepted(_ story: Story) {
    let runbook = story.runbook()
    var driver = Driver(runbook)
    story.tell(&driver)
    var machine = RunMachine(runbook)
    var report = RunReport(id: "r1", plan: UndoPlan(runbook))
    for (index, fact) in driver.facts.enumerated() {
      machine.apply(fact, at: F.start)
      guard let event = RunEvent(fact, runID: "r1", sequence: Int64(index + 1), at: F.start) else { continue }
      report.apply(event)
      let place = "after \(index + 1) entries, the last of which is \(event.event) \(event.fields)"
      #expect(report.canResumeRollback == machine.canResumeRollback, "\(place)")
      if report.canCancel { #expect(machine.cancelRefusal == nil, "\(place)") }
      #expect(report.waitingStep == machine.openQuestion?.step.text, "\(place)")
      #expect(report.question == machine.openQuestion.map { Int64($0.number) }, "\(place)")
      if report.canResumeRollback { #expect(report.skippable == machine.skippable, "\(place)") }
      guard report.status == .ended else { continue }
      #expect(report.rerunFrom == nil || !machine.hasUndone(before: report.rerunFrom ?? ""), "\(place)")
      let words = ClosingWords.lines(for: report).map(\.plain).joined(separator: "\n")
      #expect(words.contains("runbook rollback") == machine.canResumeRollback, "\(place): \(words)")
    }
    #expect(report.status.text == machine.status || machine.ended == nil)
  }
}

extension RunMachine {
  /// As `RollbackDesk` tells it.
  fileprivate var skippable: [String] {
    stack.entries.reversed().filter(\.isOpen).flatMap { entry -> [String] in
      guard case .steps(let undo, _) = entry.kind else { return [entry.step.text] }
      return (undo.filter { !state(of: $0).status.isDone } + [entry.step]).map(\.text)
    }
  }

  fileprivate func hasUndone(before step: String) -> Bool {
    runbook.steps.leaves.prefix { $0.path.text != step }.contains { wasUndone($0.path) }
  }
}

extension Driver {
  /// A decision of a person, as `RollbackDesk` journals it.
  fileprivate mutating func handleFact(_ fact: Fact) { apply(fact) }
}
