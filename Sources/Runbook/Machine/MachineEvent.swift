/// What the interpreter reports to the machine.
public enum MachineEvent: Sendable {
  /// Of one step that has something called.
  case step(StepPath, StepEvent)
  /// Of one step that holds others.
  case scope(StepPath, ScopeEvent)
  case run(RunReported)
}

/// What was seen when an order about one step was carried out.
public enum StepEvent: Sendable {
  /// `if` was false, or a `rollback`'s condition.
  case skipped(Purpose)
  /// Failed before its intent: an expression, a missing field, a lock. Nothing was called.
  case refused(Purpose, StepFailure)
  case began(StepStarted)
  /// A person is asked whether the step may go on.
  case asked(ApprovalQuestion)
  /// The call succeeded and nothing is left to wait for.
  case succeeded(outputs: [String: Value])
  /// The call succeeded; what it started is to be waited for.
  case called(ActionResult)
  /// `retries`: the retry condition held; `delay` before the next attempt.
  case failed(StepFailure, retries: Bool, delay: Duration)
  /// The call may have arrived; nobody knows what became of it.
  case replyLost(StepFailure)
  /// The same attempt is sent again. `cleared`: what was sent before had no effect and can no longer arrive.
  case resend(cleared: Bool)
  /// A request without an answer has taken effect.
  case found
  /// No request without an answer had an effect, and none can arrive any more.
  case cleared
  /// Its script was started before the store was put back; what came of it then is taken.
  case adopted
  /// The effect cannot be known.
  case unknowable(StepFailure, asks: Bool = false)
  case attemptDue(key: String)
  case observed(nativeState: String?, until: String, deadline: Timestamp, ActionResult)
  /// Ended by a cancel; the failure's effect is what its call did.
  case cancelled(StepFailure)
  /// It is at rest, and this is what its probe says.
  case settled(ProbeAnswer)
  /// It did not come to rest before the rollback's time was over.
  case unsettled(StepFailure)
  case approvalTimedOut
  /// Nobody said in time what became of it.
  case askTimedOut

  /// For the journal.
  var name: String {
    switch self {
    case .skipped: "skipped"
    case .refused: "refused"
    case .began: "began"
    case .asked: "asked"
    case .succeeded: "succeeded"
    case .called: "called"
    case .failed: "failed"
    case .replyLost: "reply_lost"
    case .resend: "resend"
    case .found: "found"
    case .cleared: "cleared"
    case .adopted: "adopted"
    case .unknowable: "unknowable"
    case .attemptDue: "attempt_due"
    case .observed: "observed"
    case .cancelled: "cancelled"
    case .settled: "settled"
    case .unsettled: "unsettled"
    case .approvalTimedOut: "approval_timed_out"
    case .askTimedOut: "ask_timed_out"
    }
  }
}

/// What was found when a step that holds others was begun or ended.
public enum ScopeEvent: Sendable {
  /// Its `if` was false.
  case skipped
  /// What it holds could not be found out: an expression failed. Nothing of it was begun.
  case refused(StepFailure)
  case opened(ScopeOpened)
  /// Its steps have come to their end, and these are its outputs.
  case closed(outputs: [String: Value], StepFailure?)

  /// For the journal.
  var name: String {
    switch self {
    case .skipped: "skipped"
    case .refused: "refused"
    case .opened: "opened"
    case .closed: "closed"
    }
  }
}

/// What was seen of the run as a whole, and what people said.
public enum RunReported: Sendable {
  case checked(problems: [String])
  /// What the moments of a drill are.
  case measured(DrillMoments)
  case outputs([String: Value], StepFailure?)
  case cancelRequested(by: String, rollback: Bool, request: Int64)
  /// `question`: the one that is answered; nil in requests of an earlier release.
  case resolved(StepPath, Resolution, by: String, request: Int64, question: Int?)
  case answered(ApprovalAnswer)
  case told(WaitingTold)
  case restored
  case restoredAccepted(by: String)
  case clockSet(by: Duration)
}
