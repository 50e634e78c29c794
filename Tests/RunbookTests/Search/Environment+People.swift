@testable import Runbook

/// The words and decisions of people.
extension Environment {
  mutating func addWords() {
    switch situation.order {
    case .awaitRestored: add(.acceptsRestored)
    case .ask(let place): addApprovals(place, 0)
    case .park(let place): addResolutions(place, 0)
    case .tell(let place):
      if leaf(place).progress == .asking { addApprovals(place, 1) } else { addResolutions(place, 1) }
    default: break
    }
    if situation.picture.flags.contains(.isCancellable) {
      add(.cancels(rollback: true), 1)
      add(.cancels(rollback: false), 1)
    }
    guard situation.picture.flags.contains(.canResumeRollback) else { return }
    let isInterrupted: UInt8 = situation.order == .done ? 0 : 1
    add(.decides(.resumes), isInterrupted)
    add(.decides(.abandons), isInterrupted)
    for place in situation.machine.skippable { add(.decides(.skips(place)), 1) }
  }

  private mutating func addApprovals(_ place: Int, _ cost: UInt8) {
    add(.approves(place), cost)
    add(.rejects(place), cost)
  }

  /// People tell the truth.
  private mutating func addResolutions(_ place: Int, _ cost: UInt8) {
    let deed = deed(place)
    if deed.now != .no { add(.resolves(place, .applied), cost) }
    if deed.now != .yes { add(.resolves(place, .notApplied), cost) }
    if mayBeRetried(place), situation.picture.questions < bounds.questions { add(.resolves(place, .retry), cost) }
    add(.resolves(place, .fail), cost)
  }
}
