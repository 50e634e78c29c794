/// A run as people and programs read it, rebuilt from its events: what `show` answers and what the closing words count.
/// Feed it every event in order; events and fields it does not know are ignored.
public struct RunReport: Sendable, Equatable {
  public var id: String
  public var name = ""
  public var file: String?
  public var isSimulated = false
  public var status: Word<RunStatus> = .known(.queued)
  public var outcome: Word<RunOutcome>?
  public var rollback: Word<RollbackOutcome>?
  public var exitCode: Int64?
  public var startedAt: Timestamp?
  public var endedAt: Timestamp?
  public var inputs: Value = .map([:])
  public var outputs: Value = .map([:])
  /// Why the outputs of the run could not be evaluated; nil if they could.
  public var outputsError: ReportedError?
  /// How the drill was judged; nil before, and for what is no drill.
  public var drill: DrillVerdict?
  /// Why the rollback began, in words.
  public var rollbackReason: String?
  /// Why the engine left the run, in words; nil again once it was resumed.
  public var leftReason: String?
  /// What people are asked, the question that was asked first comes first. Several branches may ask at once.
  public internal(set) var asked: [AskedQuestion] = []
  public var cancelledBy: String?
  /// The store was put back from an older copy, and nobody has said that the run may go on.
  public var isRestored = false
  /// A message to the run that no process has read yet; nil if there is none, or if somebody works on the run.
  public var posted: Posted?
  /// Who left the rest of the rollback undone, and why.
  public var abandoned: Decision?
  /// A person has decided about the rollback since the run ended.
  var isDecidedSinceEnd = false
  /// Questions asked so far.
  var questions: Int64 = 0
  /// Every step that something was told of, in the order in which that was: steps that have something called, and steps
  /// that hold others.
  public internal(set) var steps: [StepReport] = []
  public internal(set) var undo: [UndoReport] = []
  /// Positions of the steps around which no other stands.
  public internal(set) var roots: [Int] = []
  /// The servers that it has acted on, in the order in which it did first.
  public internal(set) var servers: [ServerReport] = []
  /// By the path of a step or undo step: the server that it acts on, by its position.
  var actsOn: [String: Int] = [:]
  var serverIndex: [String: Int] = [:]
  /// Paths of steps that only look at one, and of those that delete one.
  var looks: Set<String> = []
  var deletions: Set<String> = []
  /// What the checks before the first change found; not empty: the run was refused.
  public var problems: [String] = []
  var stepIndex: [String: Int] = [:]
  var undoIndex: [String: Int] = [:]
  /// By the path of a step: its undo steps.
  var undoOfStep: [String: [Int]] = [:]
  /// The first iteration that could not be undone by itself: the run has stopped because of it.
  var stuckIteration: Int?
  let plan: UndoPlan
  let actions: KnownActions

  /// - Parameters:
  ///   - plan: so that undo steps not begun are listed too.
  ///   - actions: without them a commit closes nothing, and no line for the log, question, script or server is told.
  public init(id: String, plan: UndoPlan = UndoPlan(), actions: KnownActions = KnownActions()) {
    self.id = id
    self.plan = plan
    self.actions = actions
  }

  public init(
    id: String, plan: UndoPlan = UndoPlan(), actions: KnownActions = KnownActions(), events: some Sequence<RunEvent>
  ) {
    self.init(id: id, plan: plan, actions: actions)
    for event in events { apply(event) }
  }

  /// The runbook says that it is one.
  public var isDrill: Bool { plan.isDrill }

  public func step(_ path: String) -> StepReport? { stepIndex[path].map { steps[$0] } }
  public func undo(_ entry: String) -> UndoReport? { undoIndex[entry].map { undo[$0] } }
  /// The undo steps of a step, in their order.
  public func undo(of step: String) -> [UndoReport] { (undoOfStep[step] ?? []).map { undo[$0] } }

  /// The step whose answer a parked run waits for, and the number of the question; of several the first.
  public var waitingStep: String? { asked.first?.step }
  public var question: Int64? { asked.first?.number }
  /// What a person is asked, if that step asks for an approval; nil for a question about a lost outcome.
  public var approval: ApprovalReport? { asked.first?.approval }
  /// A person is asked about this step.
  func isAsked(about path: String) -> Bool { asked.contains { $0.step == path } }

  /// It came to the end of its steps, and nothing of a rollback is left to be looked at: a drill that missed an
  /// objective is no failure.
  public var isGoodEnd: Bool {
    outcome.isOne(of: .succeeded, .objectiveMissed) && !rollback.isOne(of: .failed, .blocked)
  }

  public var elapsed: Duration? {
    guard let startedAt, let endedAt else { return nil }
    return endedAt - startedAt
  }

  /// An answer or a cancel that a person has posted.
  public struct Posted: Sendable, Equatable {
    public var isCancel: Bool
    public var by: String
    public var at: Timestamp
    public init(isCancel: Bool, by: String, at: Timestamp) {
      self.isCancel = isCancel
      self.by = by
      self.at = at
    }
  }

  /// What a person said about the run, for the words about it.
  public struct Decision: Sendable, Equatable {
    public var by: String
    public var reason: String
    public var at: Timestamp
  }
}
