/// What may still be said about a run by people, judged from its journal by the same machine that carries the run out.
/// Needs no secrets and takes nothing over: an owner at work may be ahead of it.
public struct RunOutlook: Sendable {
  private let machine: RunMachine
  private let latest: Timestamp
  private let isMarkedRestored: Bool
  /// Of the newest entry that was read.
  public let lastSequence: Int64

  /// - Parameter runbook: as it was pinned when the run was started.
  public init(of runID: String, _ runbook: ValidatedRunbook, in store: any RunStore) async throws(StoreFailure) {
    let entries = try await store.entries(of: runID, after: 0)
    try self.init(entries, runbook, isMarkedRestored: try await store.summary(of: runID).isRestored)
  }

  init(_ entries: [JournalEntry], _ runbook: ValidatedRunbook, isMarkedRestored: Bool = false) throws(StoreFailure) {
    var machine = RunMachine(runbook)
    var latest = Timestamp(seconds: 0)
    for entry in entries {
      machine.apply(try Fact(entry), at: entry.at)
      latest = max(latest, entry.at)
    }
    self.machine = machine
    self.latest = latest
    self.isMarkedRestored = isMarkedRestored
    lastSequence = entries.last?.sequence ?? 0
  }

  /// Why a cancel comes too late; nil while something can still be stopped.
  public var cancelRefusal: String? { machine.cancelRefusal }
  /// The questions that people are asked about lost outcomes. Several branches may ask at once.
  public var openQuestions: [(step: String, number: Int)] {
    machine.active.compactMap { path in machine.openQuestion(about: path).map { (path.text, $0) } }
  }
  /// The first of them; nil if none is open.
  public var openQuestion: (step: String, number: Int)? {
    machine.openQuestion.map { ($0.step.text, $0.number) }
  }
  /// The questions whether a step may go on.
  public var openApprovals: [ApprovalQuestion] { machine.openApprovals }
  /// The first of them; nil if none is open.
  public var openApproval: ApprovalQuestion? { machine.openApproval }
  /// Why an answer to it would not count; nil if it would.
  public func refusal(of answer: ApprovalAnswer) -> String? { machine.refusal(of: answer) }
  public var canResumeRollback: Bool { machine.canResumeRollback }
  /// A person must say first that a run of a restored store may go on.
  public var isRestored: Bool { isMarkedRestored || machine.isRestored }
  /// Names of the secrets without which something that is left to do would fail.
  /// - Parameter messages: posted to the run and not read yet: after a cancel its further steps are not left.
  public func neededSecrets(heeding messages: [RunControl.Message]) -> Set<String> {
    var machine = machine
    for case .cancel(let by, let rollback, let request, _) in messages {
      _ = machine.handle(.run(.cancelRequested(by: by, rollback: rollback, request: request)), at: latest)
    }
    return machine.neededSecrets
  }
  /// The number of the newest message that an owner has read and answered.
  public var lastRequest: Int64 { machine.lastRequest }

  /// The run's own time line, which goes on when somebody sets the wall clock: what its events are stamped by.
  public func clock(_ base: any EngineClock) -> RunClock { RunClock(base, last: machine.anchor, latest: latest) }
}
