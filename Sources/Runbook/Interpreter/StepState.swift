/// Where a step stands. `pending → skipped | not_run | failed | started → succeeded | failed | cancelled | unknown`;
/// `unknown → succeeded | failed | not_applied`.
public enum StepStatus: String, Sendable {
  case pending, skipped, started, succeeded, failed, cancelled, unknown
  case notRun = "not_run"
  case notApplied = "not_applied"

  public var isEnded: Bool { self != .pending && self != .started }
  /// Nothing of it is left to be done: an undo step that ended any other way is still owed.
  public var isDone: Bool { self == .succeeded || self == .skipped }
}

/// Why a step runs: decides what a failure of it means and whether it may be repeated.
public enum Purpose: String, Sendable {
  case `do`, undo, always
  case onFailure = "on_failure"
  case onRollbackFailure = "on_rollback_failure"

  /// Undo, `always` and diagnostic steps are repeated after a crash whatever their class: not cleaning up is worse.
  var isRepeatedAfterCrash: Bool { self != .do }
}

/// A failure as the journal keeps it and as an author reads it in `error`.
public struct StepError: Sendable, Equatable {
  public var kind: StepFailure.Kind
  public var message: String
  public var retryable: Bool
  public var step: String
  public var attempt: Int
  public var effect: StepFailure.Effect
  public var detail: [String: Value]

  public init(_ failure: StepFailure, step: String, attempt: Int) {
    kind = failure.kind
    message = failure.message
    retryable = failure.retryable
    effect = failure.effect
    detail = failure.detail
    self.step = step
    self.attempt = attempt
  }

  public var value: Value {
    .map([
      "kind": .string(kind.rawValue), "message": .string(message), "retryable": .bool(retryable), "step": .string(step),
      "attempt": .int(Int64(attempt)), "effect": .string(effect.rawValue), "detail": .map(detail),
    ])
  }

  public init?(_ value: Value) {
    guard let kind = value["kind"]?.string.flatMap(StepFailure.Kind.init(rawValue:)),
      let message = value["message"]?.string
    else { return nil }
    self.kind = kind
    self.message = message
    retryable = value["retryable"]?.bool ?? false
    step = value["step"]?.string ?? ""
    attempt = value["attempt"]?.int.flatMap { Int(exactly: $0) } ?? 1
    effect = value["effect"]?.string.flatMap(StepFailure.Effect.init(rawValue:)) ?? .unknown
    detail = value["detail"]?.map ?? [:]
  }
}

/// What a person said about a step whose effect nobody can know.
public enum Resolution: String, Sendable, CaseIterable {
  case applied
  case notApplied = "not-applied"
  case retry
  case fail
}

/// Everything the machine knows about one step, rebuilt from the journal.
struct StepState: Sendable {
  /// What happens next to a started step.
  enum Progress: Sendable, Equatable {
    /// The intent of the attempt is durable, its outcome is not.
    case calling
    /// As `calling`, but this process did not see how the call went: a reply was lost, or another process made it.
    case lost
    /// The attempt failed for certain; the next one begins at this instant.
    case retrying(at: Timestamp)
    /// The call is done; what it started is being waited for.
    case waiting
    /// A person is asked this question of the run.
    case parked(until: Timestamp, question: Int)
    /// A person is asked whether it may go on.
    case asking(ApprovalQuestion)
  }

  var status = StepStatus.pending
  var purpose = Purpose.do
  var progress = Progress.calling
  /// Those that count for the question which is open.
  var approvals: [ApprovalAnswer] = []
  var attempt = 1
  var key = ""
  /// When the key's first intent was journaled; a resend keeps it.
  var keySince: Timestamp?
  /// Keyed digest of the request, so that a resend with other content is noticed.
  var requestDigest = ""
  /// The evaluated fields of the intent; nil for one of an earlier release.
  var arguments: [String: Value]?
  var scriptPlace: String?
  var result = ActionResult()
  var outputs: [String: Value] = [:]
  var before: [String: Value] = [:]
  var error: StepError?
  /// The join over all requests of the step, resends included: what undo, words and exit codes go by. An unknown one
  /// falls back only when that very request is known to have had no effect.
  var effect = StepFailure.Effect.none
  /// The join over the attempts before the current one.
  var effectBefore = StepFailure.Effect.none
  /// When the newest request without an answer was given up: until its life is over it may still take effect, whatever
  /// the step's status is.
  var lostSince: Timestamp?
  /// Requests without an answer that may still arrive.
  var lostRequests = 0
  /// Requests sent, resends included.
  var sends = 0
  var startedAt: Timestamp?
  var intendedAt: Timestamp?
  var waitingSince: Timestamp?
  var endedAt: Timestamp?
  var deadline = Timestamp(seconds: 0)

  /// A request went without an answer.
  mutating func lose(at instant: Timestamp) {
    effect = effect.joined(.unknown)
    lostSince = instant
    lostRequests += 1
  }

  /// A request without an answer was found. Only when it is the last of them nothing can arrive any more.
  mutating func find() {
    effect = .applied
    if lostRequests <= 1 { lostSince = nil }
    lostRequests = max(0, lostRequests - 1)
  }

  /// No request without an answer had an effect, and none can arrive any more.
  mutating func clear() {
    effect = effectBefore
    lostSince = nil
    lostRequests = 0
  }
}
