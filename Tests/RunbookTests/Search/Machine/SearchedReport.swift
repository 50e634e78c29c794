@testable import Runbook

/// The report that people read about a run, as far as it can be compared with the truth.
struct SearchedReport {
  let hasEnded: Bool
  let exitCode: Int64?
  let rollback: String?
  /// Commands that it offers.
  let canCancel, canResumeRollback: Bool
  let skippable: Set<String>
  /// The step about which a person is asked, and the number of the question.
  let waitingStep: String?
  let question: Int64?
  let headline: String
  /// Steps by the state that their changes are said to be in.
  let undone, undoneInPart, standing, unknown, conditionFalse, notUndone, leftOut: Set<String>

  /// The actions of `SearchedMachine.runbook`, as far as the report asks what they declare.
  private static let actions = KnownActions(
    builtIn: [MachineFixture.step("keep", effect: .none, isCommit: true).action])

  /// - Parameter facts: the whole journal.
  init(_ facts: [Fact], _ runbook: ValidatedRunbook, at instant: Timestamp) {
    var report = RunReport(id: "r", plan: UndoPlan(runbook), actions: Self.actions)
    for (index, fact) in facts.enumerated() {
      let event = RunEvent(fact, runID: "r", sequence: Int64(index + 1), at: instant)
      if let event { report.apply(event) }
    }
    hasEnded = report.status == .ended
    exitCode = report.exitCode
    rollback = report.rollback?.text
    canCancel = report.canCancel
    canResumeRollback = report.canResumeRollback
    skippable = Set(report.skippable)
    waitingStep = report.waitingStep
    question = report.question
    headline = ClosingWords.lines(for: report).first?.plain ?? ""
    let states = Standing(report)
    undone = Set(states.undone)
    undoneInPart = Set(states.undoneInPart)
    standing = Set(states.standing.map(\.path))
    unknown = Set(states.unknown)
    conditionFalse = Set(states.conditionFalse)
    notUndone = Set(states.notUndone.map(\.step))
    leftOut = Set(states.leftOut.map(\.step))
  }
}
