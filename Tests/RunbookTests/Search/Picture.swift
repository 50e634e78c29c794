@testable import Runbook

typealias Effect = StepFailure.Effect

/// Everything that the machine knows, in small numbers. Properties are checked on it, and keys are made of it.
struct Picture: Equatable, Sendable {
  enum Progress: UInt8 { case calling, lost, retrying, waiting, parked, asking }

  struct Leaf: Equatable, Sendable {
    var status = StepStatus.pending
    var purpose = Purpose.do
    var progress = Progress.calling
    var question: UInt8 = 0
    var attempt: UInt8 = 1
    /// Attempts since it was begun.
    var tries: UInt8 = 1
    var sends: UInt8 = 0
    var effect = Effect.none
    var effectBefore = Effect.none
    var isLost = false
    var lostRequests: UInt8 = 0
    /// The effect of its error; nil: it has none.
    var error: Effect?
    var approvals: UInt8 = 0
    var hasStarted = false
    /// The attempt that its key was made for.
    var key: UInt8 = 0
    /// A person left it out.
    var isLeftOut = false
  }

  struct Entry: Equatable, Sendable {
    enum State: UInt8 {
      case open, settled, failed
      case undone, leftStanding, committed, neverHappened, onlyAfterSuccess, conditionFalse, leftOut, skipped, abandoned
      case undoFailed
    }
    var place: UInt8
    var state: State
    var isOpen: Bool
  }

  enum Stop: UInt8 { case nothing, failure, cancel, cancelWithoutRollback, refused }

  struct Flags: OptionSet, Sendable {
    let rawValue: UInt16
    static let isChecked = Flags(rawValue: 1)
    static let isJudged = Flags(rawValue: 1 << 1)
    static let hasMissed = Flags(rawValue: 1 << 2)
    static let rollbackStarted = Flags(rawValue: 1 << 3)
    static let wasResumed = Flags(rawValue: 1 << 4)
    static let hasOutputs = Flags(rawValue: 1 << 5)
    static let outputsFailed = Flags(rawValue: 1 << 6)
    static let alwaysFailed = Flags(rawValue: 1 << 7)
    static let isLeftOut = Flags(rawValue: 1 << 8)
    static let isDecidedSinceEnd = Flags(rawValue: 1 << 9)
    // These follow from the others.
    static let owesRollback = Flags(rawValue: 1 << 10)
    static let releasesLocks = Flags(rawValue: 1 << 11)
    static let canResumeRollback = Flags(rawValue: 1 << 12)
    static let isCancellable = Flags(rawValue: 1 << 13)
    static let isRestored = Flags(rawValue: 1 << 14)
  }

  struct End: Equatable, Sendable {
    var outcome: RunOutcome
    var rollback: RollbackOutcome
    var exitCode: UInt8
  }

  var leaves: [Leaf] = []
  var entries: [Entry] = []
  var active: Int8 = -1
  var cursor: UInt8 = 0
  var stop = Stop.nothing
  var flags: Flags = []
  var rollback: RollbackOutcome?
  var failedStep: Int8 = -1
  var questions: UInt8 = 0
  /// People were told of the newest question.
  var isTold = false
  var end: End?

  func entry(of place: Int) -> Entry? { entries.first { Int($0.place) == place } }
}
