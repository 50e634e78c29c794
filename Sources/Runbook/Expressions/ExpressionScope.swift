/// What an expression or a template may read while it is evaluated.
public protocol ExpressionScope {
  /// A root variable: `inputs`, `steps`, `self`, `run` …; nil if there is none (checked at load, so this is a bug
  /// or an absent context).
  func root(_ name: String) -> Value?
  /// `root.name` without building the whole root; nil if it has no such member. Default: through `root`.
  func member(of root: String, _ name: String) -> Value??
  /// What `now()` answers: one instant for a whole evaluation, journaled.
  var now: Timestamp { get }
  /// Masks what a message shows of a value, before it is cut; nil: there is nothing to hide.
  var messageMasker: Masker? { get }
  /// Whether a value in it may hold a text that lies in the store. Default: no.
  var holdsStored: Bool { get }
}

extension ExpressionScope {
  public var messageMasker: Masker? { nil }
  public var holdsStored: Bool { false }
  /// `.none`: ask `root`; `.some(nil)`: there is no such member.
  public func member(of root: String, _ name: String) -> Value?? { .none }
}

/// Root variables from a dictionary: for `eval`, for inputs that are checked before a run exists, and for tests.
public struct DictionaryScope: ExpressionScope, Sendable {
  public var roots: [String: Value]
  public var now: Timestamp
  public var messageMasker: Masker?
  public init(_ roots: [String: Value], now: Timestamp = Timestamp(seconds: 0), masker: Masker? = nil) {
    self.roots = roots
    self.now = now
    messageMasker = masker
  }
  public func root(_ name: String) -> Value? { roots[name] }
}

/// Why an evaluation gave no value: shown with the expression's text and the values in it, never with a secret's value.
public struct ExpressionFailure: Error, Sendable, Equatable {
  public var message: String
  /// A part of `result` or `error` that it needs is not there, or null. In a wait it may still come.
  public var isNotYet: Bool
  public init(_ message: String, isNotYet: Bool = false) {
    self.message = message
    self.isNotYet = isNotYet
  }
}
