@testable import Runbook

/// Where mistakes of the machine are looked for: few runbooks, and yet each kind of mistake shows.
enum MutantHunt {
  static let bounds = Bounds(surprises: 2)
  static let runbooks: [SearchedRunbook] = {
    let kinds = RunbookGenerator.kinds
    func runbook(_ steps: Int..., after success: Bool = false) -> SearchedRunbook {
      var runbook = RunbookGenerator.runbook(RunbookGenerator.full, steps.map { kinds[$0] })
      if success { runbook.after.insert(.success) }
      return runbook
    }
    return [runbook(5), runbook(9), runbook(5, 5), runbook(5, 2, after: true), runbook(5, 18)]
  }()

  /// Each kind of step alone; steps with undo steps also in a runbook that is undone after success, with a clean-up
  /// that changes something.
  static let planted: [SearchedRunbook] = {
    var undoing = RunbookGenerator.full
    undoing.after = [.success, .failure]
    undoing.alwaysChanges = true
    return RunbookGenerator.kinds.flatMap { kind -> [SearchedRunbook] in
      let runbook = RunbookGenerator.runbook(RunbookGenerator.full, [kind])
      guard case .steps(_, false) = kind.rollback, kind.call.isFoundInTheWorld else { return [runbook] }
      return [runbook, RunbookGenerator.runbook(undoing, [kind])]
    }
  }()
}
