@testable import Runbook

/// Where mistakes of the machine are looked for: few runbooks, and yet each kind of mistake shows.
enum MutantHunt {
  static let bounds = Bounds(surprises: 2)
  static let runbooks: [SearchedRunbook] = {
    func runbook(_ steps: SearchedStep..., after success: Bool = false) -> SearchedRunbook {
      var runbook = RunbookGenerator.runbook(RunbookGenerator.full, steps)
      if success { runbook.after.insert(.success) }
      return runbook
    }
    let (undone, parking) = (RunbookGenerator.undone, RunbookGenerator.parking)
    return [
      runbook(undone), runbook(parking), runbook(undone, undone),
      runbook(undone, RunbookGenerator.commit, after: true), runbook(undone, RunbookGenerator.standing),
    ]
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
