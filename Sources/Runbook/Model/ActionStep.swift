/// A step that has an action called, or a person asked, at its place in the run: in `steps`, in an undo list, in
/// `on_failure`, `on_rollback_failure` or `always`, all have the same shape. A step of a loop, or of a runbook that is
/// called, has one definition and as many places as it is done at.
@dynamicMemberLookup public struct ActionStep: Sendable {
  /// Unique in the run, stable between releases: the id (`update`), or for steps without one section and position
  /// (`steps[3]`, `always[0]`); for undo steps the owner's path (`update.undo[0]`); for the steady state of a drill
  /// `drill.before.ID` and `drill.after.ID`; inside other steps after the path of these (`wave[2].one`).
  public var path: StepPath
  private var definition: Boxed<ActionStepDefinition>

  public init(_ path: StepPath, _ definition: ActionStepDefinition) {
    self.path = path
    self.definition = Boxed(definition)
  }

  /// The same step at another place.
  func at(_ path: StepPath) -> ActionStep {
    var step = self
    step.path = path
    return step
  }

  public subscript<Member>(dynamicMember member: KeyPath<ActionStepDefinition, Member>) -> Member {
    @inline(__always) get { definition.value[keyPath: member] }
  }

  public subscript<Member>(dynamicMember member: WritableKeyPath<ActionStepDefinition, Member>) -> Member {
    @inline(__always) get { definition.value[keyPath: member] }
    set { definition[dynamicMember: member] = newValue }
  }

  /// The steps of its `rollback`; none if it has nothing to undo, or cannot be undone.
  public var undoSteps: [ActionStep] {
    guard case .steps(let undo, _) = definition.value.rollback else { return [] }
    return undo.enumerated().map { index, step in step.at(path.undo(index)) }
  }
}

/// What is known of such a step, wherever it is done.
public struct ActionStepDefinition: Sendable {
  public var id: String?
  /// What people read: the `name:`, else the id, else the action.
  public var title: String
  public var range: SourceRange
  public var mode: StepMode
  /// Everything known of the action without a provider's client.
  public var action: ActionDeclaration
  /// The author's name of the provider block; nil for built-in actions.
  public var provider: String?
  /// By field name; defaults of the runbook (`defaults:`) and of the action already merged in.
  public var with: [String: Template]
  public var condition: Expression?
  public var env: [String: Template]
  public var outputs: [(name: String, value: Expression)]
  public var expect: Expression?
  public var retry: RetryPolicy
  public var wait: WaitPolicy
  /// Of the whole step: attempts, delays, wait.
  public var timeout: Duration
  public var rollback: RollbackClause
  /// `idempotent: true`: may be repeated after a lost outcome whatever its class.
  public var isIdempotent: Bool
  /// `none` when the author says `effect: none`.
  public var effect: ActionEffect
  public var effectClass: EffectClass
  public var onCrash: OnCrash?
  public var continuesOnError: Bool
  /// `on_error: continue` of an undo entry.
  public var undoContinuesOnError: Bool
  /// Of an undo step: it is carried out once for each item, one after the other. nil: once.
  public var each: EachItem?
  /// `commit:` closes all earlier entries of its scope.
  public var isCommit: Bool

  /// It is asked again and again until it holds, instead of a few times until it succeeds.
  public var isWait: Bool { mode == .waitFor || effect == .none && wait.isWritten && !wait.isSkipped }
}

/// `for_each` of an undo step.
public struct EachItem: Sendable {
  public var items: Expression
  /// The name of the item in expressions.
  public var name: String
}

public enum OnCrash: String, Sendable, CaseIterable { case ask, fail }

public enum RollbackClause: Sendable {
  /// Not written.
  case absent
  /// `none`: nothing to undo, on purpose.
  case none
  case irreversible
  case steps([ActionStep], undo: UndoScope)
}

public enum UndoScope: String, Sendable, CaseIterable { case started, succeeded }

public struct RetryPolicy: Sendable {
  /// The author wrote a `retry`.
  public var isWritten = false
  /// The author wrote its `attempts`: they count every sending, resends after a lost reply included.
  public var countsSends = false
  /// All tries.
  public var attempts: Int
  public var delay: Duration
  public var backoff: Double
  public var maxDelay: Duration
  /// Share of a delay by which it is shortened or lengthened at random, 0…1.
  public var jitter: Double
  /// nil: only the step's own timeout.
  public var attemptTimeout: Duration?
  /// nil: `error.retryable`.
  public var condition: Expression?
  /// Look-up, connect and TLS are retried this long and are no attempt.
  public var connectTimeout: Duration
}

public struct WaitPolicy: Sendable {
  /// The author wrote a `wait`.
  public var isWritten = false
  /// `wait: false`.
  public var isSkipped: Bool
  public var until: Expression?
  public var failIf: Expression?
  /// nil: the action's own rhythm.
  public var every: Duration?
  public var timeout: Duration?
  public var stable: Int
  public var settle: Duration
}
