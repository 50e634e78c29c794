/// The life of one step that has something called: calling, lost, retrying, waiting, asking, ended. It knows no other
/// step, and everything it knows follows from the facts of its own.
struct StepMachine: Sendable {
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
  /// The attempt with which it was begun: 1, but for an undo step that a person has let begin anew.
  var firstAttempt = 1
  /// How many attempts were made since it was begun, the current one counted.
  var tries: Int { attempt - firstAttempt + 1 }
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

// MARK: - Facts to state

extension StepMachine {
  /// - Parameter step: nil for a step that the runbook no longer has.
  mutating func apply(_ fact: StepFact, of step: ActionStep?, at instant: Timestamp) {
    switch fact {
    case .started(let started): begin(started, at: instant)
    case .attemptStarted(let attempt, let key, let cleared):
      if cleared { clear() }
      beginAttempt(attempt, key: key, of: step, at: instant)
    case .requestFound: find()
    case .requestCleared: clear()
    case .scriptAdopted: break
    case .attemptEnded(let ended): end(ended, of: step, at: instant)
    case .waiting(_, _, _, let result):
      if progress != .waiting { waitingSince = instant }
      progress = .waiting
      if let result { self.result = result }
    case .ended(let ended): end(ended, of: step, at: instant)
    case .parked(let until, let error, let question):
      progress = .parked(until: until, question: question)
      self.error = error
    case .resolved(let answer, _, _): resolve(answer, at: instant)
    case .approvalAsked(let question): progress = .asking(question)
    case .approvalAnswered(let answer): if answer.isApproval { approvals.append(answer) }
    }
  }

  private mutating func begin(_ started: StepStarted, at instant: Timestamp) {
    // A step that is begun anew goes on counting, so that each attempt has a key that no other has had.
    let attempt = PlantedMistake.keysRepeated.isMade ? 1 : self.attempt
    self = StepMachine()
    self.attempt = attempt
    firstAttempt = attempt
    status = .started
    purpose = started.purpose
    progress = started.isWait ? .waiting : .calling
    key = started.key
    requestDigest = started.digest
    arguments = started.keepsArguments ? started.with : nil
    scriptPlace = started.scriptPlace
    sends = started.isWait ? 0 : 1
    before = started.before
    startedAt = instant
    intendedAt = instant
    keySince = instant
    waitingSince = started.isWait ? instant : nil
    deadline = started.deadline
  }

  private mutating func beginAttempt(_ attempt: Int, key: String, of step: ActionStep?, at instant: Timestamp) {
    if attempt > self.attempt { effectBefore = effect }
    sends += 1
    self.attempt = attempt
    if self.key != key { keySince = instant }
    self.key = key
    progress = .calling
    intendedAt = instant
    // Each try of a clean-up has its whole time.
    if let step, purpose != .do { deadline = instant + step.timeout }
  }

  private mutating func end(_ ended: AttemptEnded, of step: ActionStep?, at instant: Timestamp) {
    error = ended.error
    result = ended.result
    if step?.effect != ActionEffect.none {
      switch ended.error?.effect {
      case nil, .applied: effect = .applied
      case .unknown: lose(at: instant)
      case .some(.none): break
      }
    }
    if let retryAt = ended.retryAt {
      progress = .retrying(at: retryAt)
    } else if ended.error == nil {
      progress = .waiting
      waitingSince = instant
    } else {
      progress = .lost
    }
  }

  private mutating func end(_ ended: StepEnded, of step: ActionStep?, at instant: Timestamp) {
    status = ended.status
    purpose = ended.purpose
    attempt = ended.attempt
    outputs = ended.outputs
    error = ended.error
    endedAt = instant
    guard step?.effect != ActionEffect.none else { return }
    if ended.error?.effect == .unknown, lostSince == nil { lose(at: instant) }
    let own = ended.error?.effect ?? (ended.status == .succeeded ? .applied : .none)
    effect = ended.effect ?? effect.joined(own)
    if PlantedMistake.effectsOverwritten.isMade { effect = own }
  }

  /// `applied` leaves the started step to be waited for; the answers that end it come with the fact of its end.
  private mutating func resolve(_ answer: Resolution, at instant: Timestamp) {
    switch answer {
    case .applied:
      find()
      progress = .waiting
      waitingSince = instant
    case .retry: progress = .retrying(at: instant)
    case .notApplied, .fail: break
    }
  }

  /// The process that made a call is gone: nobody saw how it went.
  mutating func loseCall(of step: ActionStep?, at instant: Timestamp) {
    guard progress == .calling else { return }
    progress = .lost
    if step?.effect != ActionEffect.none { lose(at: instant) }
  }
}

// MARK: - What comes next

/// What is to be done next for a started step.
enum StepOrder: Sendable, Equatable {
  /// The intent is durable: make the call.
  case call
  /// Nobody saw how the call went: find out, by the effect's class.
  case reconcile
  /// Pause until then, and begin the next attempt.
  case retry(at: Timestamp)
  /// Poll until it holds.
  case watch
  /// Wait for the answer to this question whether the step may go on.
  case ask(ApprovalQuestion)
  /// Ask a person; nothing else can be done.
  case park(until: Timestamp, question: Int)
}

extension StepMachine {
  /// nil for a step that is not started, or has ended.
  var order: StepOrder? {
    guard status == .started else { return nil }
    return switch progress {
    case .calling: .call
    case .lost: .reconcile
    case .retrying(let instant): .retry(at: instant)
    case .waiting: .watch
    case .parked(let until, let question): .park(until: until, question: question)
    case .asking(let question): .ask(question)
    }
  }
}
