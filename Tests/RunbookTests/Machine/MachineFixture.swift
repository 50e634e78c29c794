@testable import Runbook

/// A runbook made by hand, so that the machine is tested without a parser: steps that change something, each with an
/// undo.
enum MachineFixture {
  static let start = Timestamp(seconds: 1_737_044_100)

  static func step(
    _ path: StepPath, effect: ActionEffect = .change, class effectClass: EffectClass = .convergent,
    rollback: RollbackClause = .absent, onCrash: OnCrash? = nil, continuesOnError: Bool = false, isCommit: Bool = false,
    undoContinuesOnError: Bool = false
  ) -> ActionStep {
    ActionStep(
      path,
      ActionStepDefinition(
        id: path.text, title: path.text, range: .beginning, mode: .call,
        action: ActionDeclaration(
          isCommit ? "commit" : "test.act", "Acts.", fields: [], effect: effect, class: effectClass
        ).setting(\.isCommit, to: isCommit), provider: nil,
        with: [:], condition: nil, env: [:], outputs: [], expect: nil,
        retry: RetryPolicy(
          attempts: 3, delay: .seconds(2), backoff: 2, maxDelay: .seconds(60), jitter: 0, attemptTimeout: nil,
          condition: nil, connectTimeout: .seconds(120)),
        wait: WaitPolicy(
          isSkipped: false, until: nil, failIf: nil, every: nil, timeout: nil, stable: 1, settle: .seconds(60)),
        timeout: .seconds(300), rollback: rollback, isIdempotent: false, effect: effect, effectClass: effectClass,
        onCrash: onCrash, continuesOnError: continuesOnError, undoContinuesOnError: undoContinuesOnError,
        isCommit: isCommit))
  }

  /// A step with one undo step.
  static func undoable(_ path: StepPath, class effectClass: EffectClass = .convergent, scope: UndoScope = .started)
    -> ActionStep
  {
    step(path, class: effectClass, rollback: .steps([step(path.undo(0))], undo: scope))
  }

  static func runbook(
    _ steps: [ActionStep], onFailure: [ActionStep] = [], onRollbackFailure: [ActionStep] = [],
    always: [ActionStep] = [], policy: RollbackPolicy = .standard
  ) -> ValidatedRunbook {
    ValidatedRunbook(
      RunbookDefinition(
        name: "test", description: nil, labels: [:], inputs: [], vars: [], secrets: [], providers: [], locks: [],
        timeout: .seconds(86_400), rollbackPolicy: policy, steps: Body(steps), onFailure: Body(onFailure),
        onRollbackFailure: Body(onRollbackFailure), onWaiting: Body([Step]()), always: Body(always), outputs: [],
        pinnedFiles: [:], warnings: []
      ))
  }
}

/// Drives a machine by hand and keeps what it journaled.
struct Driver {
  var machine: RunMachine
  var facts: [Fact] = []
  /// What was to be done next behind each transaction, by the number of facts until then.
  var orders: [Int: Order] = [:]
  /// Steps whose call fails, with what.
  var failures: [StepPath: StepFailure] = [:]
  /// What a drill is measured by.
  var moments = DrillMoments()
  /// In the order in which they were called.
  var calls: [StepPath] = []

  /// - Parameter fromStep: as `rerun` says it.
  init(_ runbook: ValidatedRunbook, fromStep: String? = nil) {
    machine = RunMachine(runbook)
    let started = RunStarted(name: "test", file: "test.yaml", inputs: [:], requester: "operator", fromStep: fromStep)
    apply(.run(.started(started)))
  }

  mutating func apply(_ fact: Fact) {
    machine.apply(fact, at: MachineFixture.start)
    facts.append(fact)
  }

  mutating func handle(_ path: StepPath, _ event: StepEvent) { handle(.step(path, event)) }
  mutating func handle(_ reported: RunReported) { handle(.run(reported)) }

  mutating func handle(_ event: MachineEvent) {
    facts += machine.handle(event, at: MachineFixture.start)
    orders[facts.count] = machine.next
  }

  /// Begins the step the machine asks for.
  mutating func begin() {
    guard case .begin(let path, let purpose) = machine.next, let step = machine.step(at: path) else { return }
    handle(
      path,
      .began(
        StepStarted(
          purpose: purpose, title: path.text, action: step.action.name, effectClass: step.effectClass,
          effect: step.effect, key: "key-\(path)", digest: "", with: [:], before: [:],
          deadline: MachineFixture.start + .seconds(300), isWait: false)))
  }

  /// Carries out orders until the run has ended, parks, or `limit` orders were done; every call succeeds but
  /// `failures`.
  mutating func carryOn(limit: Int = 200) -> RunEnded? {
    for _ in 0..<limit {
      switch machine.next {
      case .begin: begin()
      case .open(let path):
        let kind = machine.tree.place(at: path)?.step?.keyword ?? "gate"
        facts += machine.handle(
          .scope(path, .opened(ScopeOpened(title: path.text, kind: kind))), at: MachineFixture.start)
      case .close(let path):
        facts += machine.handle(.scope(path, .closed(outputs: [:], nil)), at: MachineFixture.start)
      case .call(let path):
        calls.append(path)
        if let failure = failures[path] {
          if failure.effect == .unknown {
            handle(path, .replyLost(failure))
          } else {
            handle(path, .failed(failure, retries: false, delay: .zero))
          }
        } else {
          handle(path, .succeeded(outputs: [:]))
        }
      case .reconcile(let path): handle(path, .unknowable(StepFailure(.crashed, "lost", effect: .unknown)))
      case .settle(let path): handle(path, .settled(.unsure))
      case .check: handle(.checked(problems: []))
      case .judge: handle(.measured(moments))
      case .evaluateOutputs: handle(.outputs([:], nil))
      case .retry(let path, _): handle(path, .attemptDue(key: "again"))
      case .watch(let path): handle(path, .succeeded(outputs: [:]))
      case .tell(let path): handle(.told(WaitingTold(.resolve, step: path)))
      case .ask, .park, .awaitRestored: return nil
      case .done(let ended): return ended
      }
    }
    return nil
  }
}

extension RunMachine {
  /// The one order of a run whose steps are done one after the other.
  var next: Order { orders.first ?? .awaitRestored }

  mutating func handle(_ path: StepPath, _ event: StepEvent, at instant: Timestamp) -> [Fact] {
    handle(.step(path, event), at: instant)
  }
}
