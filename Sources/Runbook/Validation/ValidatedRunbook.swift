/// A runbook in which everything that can be checked without running has been: the kinds are known, the fields typed,
/// the names unique, the references resolved. The planner and the interpreter read this and never the document.
public typealias ValidatedRunbook = Boxed<RunbookDefinition>

/// What is known of a runbook.
public struct RunbookDefinition: Sendable {
  public var name: String
  public var description: String?
  public var labels: [String: String]
  public var inputs: [InputDeclaration]
  /// In file order; each may read those before it.
  public var vars: [(name: String, value: Template)]
  public var secrets: [SecretDeclaration]
  public var providers: [ProviderBlock]
  public var locks: [Template]
  /// Of the run, without its rollback. Default 24 h.
  public var timeout: Duration
  public var rollbackPolicy: RollbackPolicy
  /// nil: the run is no drill.
  public var drill: DrillDefinition?
  public var steps: [ValidatedStep]
  public var onFailure: [ValidatedStep]
  public var onRollbackFailure: [ValidatedStep]
  /// What tells somebody that the run waits for a person.
  public var onWaiting: [ValidatedStep]
  public var always: [ValidatedStep]
  public var outputs: [(name: String, value: Expression)]
  /// Files that were read while validating (`script_file`), pinned by content: path as written → bytes.
  public var pinnedFiles: [String: [UInt8]]
  public var warnings: [Diagnostic]
}

public struct InputDeclaration: Sendable {
  public enum Kind: String, Sendable, CaseIterable { case string, int, number, bool, duration, list, map, url }
  public var name: String
  public var kind: Kind
  /// nil: required.
  public var defaultValue: Value?
  public var allowed: [Value]
  public var pattern: String?
  public var minimum: Value?
  public var maximum: Value?
  public var minimumItems: Int?
  /// Of a list's items.
  public var itemKind: Kind?
  public var description: String?
}

public struct SecretDeclaration: Sendable {
  public enum Source: Sendable, Equatable {
    case environment(key: String)
    case file(path: String)
    /// What a program prints; the first word is the program.
    case command([String])
    /// What systemd hands to its service under this name.
    case credential(key: String)
  }
  public var name: String
  public var source: Source
}

public struct ProviderBlock: Sendable {
  /// The author's name for it: `cloud`.
  public var name: String
  /// `vps_org`; the path as written if a file declares it: `./my_cloud.yaml`.
  public var type: String
  /// What the file declares; nil for a provider that comes with the program.
  public var declared: (any ProviderKind)?
  /// All fields but `type`.
  public var settings: [String: Template]

  /// Whether it is of this type: the word after `type:`, or the one that its file declares.
  public func isOf(type: String) -> Bool { self.type == type || declared?.type == type }
}

public struct RollbackPolicy: Sendable {
  public enum Trigger: String, Sendable, CaseIterable { case failure, cancel, success }
  public var after: Set<Trigger>
  public var timeout: Duration
  public static let standard = RollbackPolicy(
    after: [.failure, .cancel], timeout: .seconds(4 * 3600))
}

/// One step, in `steps`, in an undo list, in `on_failure`, `on_rollback_failure` or `always`: all have the same shape.
public typealias ValidatedStep = Boxed<StepDefinition>

/// What is known of a step.
public struct StepDefinition: Sendable {
  /// Unique in the run, stable between releases: the id (`update`), or for steps without one section and position
  /// (`steps[3]`, `always[0]`); for undo steps the owner's path (`update.undo[0]`); for the steady state of a drill
  /// `drill.before.ID` and `drill.after.ID`.
  public var path: String
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
  /// `commit:` closes all earlier entries of its scope.
  public var isCommit: Bool

  /// It is asked again and again until it holds, instead of a few times until it succeeds.
  public var isWait: Bool { mode == .waitFor || effect == .none && wait.isWritten && !wait.isSkipped }
}

public enum OnCrash: String, Sendable, CaseIterable { case ask, fail }

public enum RollbackClause: Sendable {
  /// Not written.
  case absent
  /// `none`: nothing to undo, on purpose.
  case none
  case irreversible
  case steps([ValidatedStep], undo: UndoScope)
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
