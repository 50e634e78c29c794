/// One thing that happened to a run. The journal is a list of facts; the machine is what follows from them. Each is
/// stored as one entry whose kind is the public event's name and whose body holds the event's fields; fields that begin
/// with `_` are the engine's own and are not shown.
///
/// There are four groups, one for each part of the machine that follows from them. A switch over a group has no
/// `default`: a new fact must be met wherever facts are read.
public enum Fact: Sendable {
  case run(RunFact)
  case step(StepPath, StepFact)
  /// About a step that holds others; `StepPath.root` is the run.
  case scope(StepPath, ScopeFact)
  case rollback(RollbackFact)
}

/// About the run as a whole.
public enum RunFact: Sendable {
  case started(RunStarted)
  /// The text the run was started with, so that it can be carried on after the file changed. Not shown.
  case pinned(PinnedSource)
  case resumed(RunResumed)
  case checked(problems: [String])
  case cancelRequested(by: String, rollback: Bool, request: Int64)
  /// A message to the owner that changed nothing, with the reason: the question was answered already, it is too late.
  case requestIgnored(request: Int64, reason: String)
  /// Something was reported of a step that does not fit its state, and changed nothing: a mistake of the engine, which
  /// this entry makes known.
  case eventIgnored(event: String, step: StepPath?, reason: String)
  /// The store was put back from an older copy: the run may have done more than its journal says. A question that only
  /// `restoredAccepted` answers.
  case storeRestored
  case restoredAccepted(by: String)
  /// A person freed one of the run's locks by hand.
  case lockFreed(lock: String, reason: String, by: String)
  /// The machine's wall clock was set while the run was going on; the times of the run go on without the jump.
  case clockSet(by: Duration)
  /// `on_waiting` has told people that the run waits.
  case told(WaitingTold)
  /// What a drill was measured by, and whether its objectives are met.
  case drillJudged(DrillVerdict)
  case outputsReady(outputs: [String: Value], error: StepError?)
  case ended(RunEnded)
  case left(reason: String)
}

/// About one step that has something called, undo steps included.
public enum StepFact: Sendable {
  case started(StepStarted)
  /// `cleared`: the request before it certainly had no effect, and none of it can still arrive.
  case attemptStarted(attempt: Int, key: String, cleared: Bool)
  /// A request without an answer was found to have taken effect.
  case requestFound
  /// No request without an answer had an effect, and none can arrive any more.
  case requestCleared
  /// A script that was started in the life of a store which was put back since: it is not started again, and how it
  /// ended then is taken for this step.
  case scriptAdopted
  case attemptEnded(AttemptEnded)
  case waiting(nativeState: String?, until: String, deadline: Timestamp, result: ActionResult?)
  case ended(StepEnded)
  /// A person is asked what became of it. Questions are numbered from 1 in each run.
  case parked(until: Timestamp, error: StepError?, question: Int)
  case resolved(answer: Resolution, by: String, request: Int64)
  /// A person is asked whether the step may go on. The number is one of those of `parked`.
  case approvalAsked(ApprovalQuestion)
  case approvalAnswered(ApprovalAnswer)
}

/// About a step that holds others, or a list of steps that is undone as a whole.
public enum ScopeFact: Sendable {
  case opened(ScopeOpened)
  /// One of a block's steps has failed, and its `rescue` begins.
  case rescuing(StepError)
  case ended(ScopeEnded)
  /// It is being undone from here on.
  case rollbackStarted(reason: String)
  case rollbackEnded(outcome: RollbackOutcome, failedStep: StepPath?, error: StepError?)
}

/// About what is owed, and what people say about it.
public enum RollbackFact: Sendable {
  /// The step is at rest: its undo steps may run.
  case settled(step: StepPath)
  case closed(step: StepPath, UndoClosure)
  case resumed(by: String, request: Int64)
  /// - Parameter entry: an undo step, or a step for its whole entry.
  case skipped(entry: StepPath, reason: String, by: String, request: Int64)
  case abandoned(reason: String, by: String, request: Int64)
}

/// Why nothing more is done about an entry of the rollback. The text is what the journal keeps.
public enum UndoClosure: Sendable, Equatable {
  case undone
  case neverHappened
  case onlyAfterSuccess
  case leftStanding
  case conditionFalse
  case leftOut
  /// None of its undo steps succeeded, and `on_error: continue` let the rollback go on.
  case undoFailed
  case committed
  /// The call in whose file it stands has succeeded, and has undo steps of its own.
  case replaced
  /// A person's reason, or a word of another release.
  case other(String)

  private static let texts: [(UndoClosure, String)] = [
    (.undone, "undone"), (.neverHappened, "nothing happened"), (.onlyAfterSuccess, "undone only after success"),
    (.leftStanding, "left standing"), (.conditionFalse, "its condition was false"), (.leftOut, "left out"),
    (.undoFailed, "its undo steps failed"), (.committed, "committed"),
    (.replaced, "its call has a rollback of its own"),
  ]

  public init(_ text: String) { self = UndoClosure.texts.first { $0.1 == text }?.0 ?? .other(text) }

  public var text: String {
    if case .other(let text) = self { return text }
    return UndoClosure.texts.first { $0.0 == self }?.1 ?? ""
  }
}

extension Fact {
  /// A text that lies in the store is among its values.
  var holdsStored: Bool {
    switch self {
    case .run(.started(let run)): Value.map(run.inherited).holdsStored
    case .run(.outputsReady(let outputs, _)): Value.map(outputs).holdsStored
    case .step(_, .attemptEnded(let ended)): Value.map(ended.result.result).holdsStored
    case .step(_, .waiting(_, _, _, let result)): result.map { Value.map($0.result).holdsStored } ?? false
    case .step(_, .ended(let ended)): Value.map(ended.outputs).holdsStored
    case .scope(_, .ended(let ended)): Value.map(ended.outputs).holdsStored
    case .scope(_, .opened(let opened)): Value.list(opened.items ?? []).holdsStored
    case .run, .step, .scope, .rollback: false
    }
  }
}

public enum RollbackOutcome: String, Sendable {
  case none, succeeded, failed, blocked, pending
  case notNeeded = "not_needed"
}

public enum RunOutcome: String, Sendable {
  case succeeded, failed, cancelled
  /// A drill whose steps succeeded and which missed an objective.
  case objectiveMissed = "objective_missed"

  /// Its steps came to their end: the run has outputs to answer with.
  public var isReached: Bool { self == .succeeded || self == .objectiveMissed }
}

public struct RunStarted: Sendable {
  public var name: String
  public var file: String
  public var inputs: [String: Value]
  public var key: String?
  public var requester: String
  public var simulated: Bool
  /// The run this one repeats (`rerun`), and the first step it does itself.
  public var rerunOf: String?
  public var fromStep: String?
  /// Outputs taken over from the earlier run, by step.
  public var inherited: [String: Value]
  /// The boot in which the run was started: its durations go on from there. nil in journals of earlier releases.
  public var boot: BootTime?
  /// Keyed digests of the declared secrets, by name: a later process tells which of them have changed.
  public var secretDigests: [String: String] = [:]
  /// Names of secrets that are too short to be searched for in output.
  public var unsearched: [String] = []

  public init(
    name: String, file: String, inputs: [String: Value], key: String? = nil, requester: String, simulated: Bool = false,
    rerunOf: String? = nil, fromStep: String? = nil, inherited: [String: Value] = [:], boot: BootTime? = nil
  ) {
    self.name = name
    self.file = file
    self.inputs = inputs
    self.key = key
    self.requester = requester
    self.simulated = simulated
    self.rerunOf = rerunOf
    self.fromStep = fromStep
    self.inherited = inherited
    self.boot = boot
  }
}

/// Another process carries the run on.
public struct RunResumed: Sendable, Equatable {
  public var epoch: Int64
  public var host: String
  public var pid: Int64
  /// See `RunStarted.boot`.
  public var boot: BootTime?
  /// Names of declared secrets that this process goes on without (`--without-secret`).
  public var without: [String] = []
  /// Names of declared secrets that are no longer what the run was started with.
  public var changed: [String] = []
}

/// The runbook's text and the files it names, as they were when the run started.
public struct PinnedSource: Sendable, Equatable {
  public var text: String
  /// Path as written → content.
  public var files: [String: [UInt8]]
  /// The runbook's folder, which relative paths and scripts start from.
  public var folder: String
  public init(text: String, files: [String: [UInt8]], folder: String) {
    self.text = text
    self.files = files
    self.folder = folder
  }
}

public struct StepStarted: Sendable {
  public var purpose: Purpose
  public var title: String
  public var action: String
  public var effectClass: EffectClass
  public var effect: ActionEffect
  public var key: String
  /// Keyed digest of the request in journals of earlier releases, which kept no arguments. Empty now.
  public var digest: String
  /// The evaluated fields, and `_env` for a script's variables. Shown masked; secrets are journaled by reference.
  public var with: [String: Value]
  /// `with` is what every later attempt, wait, probe and process uses. False in journals of earlier releases, where it
  /// is masked text and the fields are evaluated again.
  public var keepsArguments: Bool = true
  /// Where the host keeps the script, if it is one.
  public var scriptPlace: String?
  public var before: [String: Value]
  public var deadline: Timestamp
  /// Nothing is called: the first probe is the call (`wait_for`, reads).
  public var isWait: Bool
}

/// A step that holds others is begun: what it was found to hold.
public struct ScopeOpened: Sendable, Equatable {
  public var title: String
  /// `block`, `parallel`, `for_each`, `call`, or `gate` for the steps between two batches of a loop.
  public var kind: String
  /// When the time of everything in it is over; nil: it has none of its own.
  public var deadline: Timestamp?
  /// Of a loop: what it is done for.
  public var items: [Value]?
  /// Of a loop: how many iterations each batch holds; together as many as there are items.
  public var batches: [Int] = []
  /// Of a loop: how many iterations go on at once, and how many may fail before the loop does.
  public var maxParallel = 1
  public var maxFailures = 0
  /// Of a call: what its file is given.
  public var inputs: [String: Value]?

  public init(title: String, kind: String, deadline: Timestamp? = nil) {
    self.title = title
    self.kind = kind
    self.deadline = deadline
  }
}

/// A step that holds others has come to its end.
public struct ScopeEnded: Sendable, Equatable {
  public var status: StepStatus
  public var outputs: [String: Value] = [:]
  public var error: StepError?
  /// Of a loop: iterations that failed and were borne, and how many of them had something that was undone.
  public var failures = 0
  public var undone = 0

  public init(_ status: StepStatus, outputs: [String: Value] = [:], error: StepError? = nil) {
    self.status = status
    self.outputs = outputs
    self.error = error
  }
}

public struct AttemptEnded: Sendable {
  public var attempt: Int
  /// nil: the call succeeded, and what it started is now waited for.
  public var error: StepError?
  public var result: ActionResult
  public var retryAt: Timestamp?
}

public struct StepEnded: Sendable {
  public var purpose: Purpose
  public var status: StepStatus
  public var attempt: Int
  public var outputs: [String: Value]
  public var error: StepError?
  /// The join over all requests of the step. nil in journals of earlier releases, where it follows from the entries.
  public var effect: StepFailure.Effect?
}

public struct RunEnded: Sendable, Equatable {
  public var outcome: RunOutcome
  public var rollback: RollbackOutcome
  public var exitCode: Int32
  public var outputs: [String: Value]
  /// nil: no drill, or one that was not judged.
  public var drill: DrillVerdict?
}
