/// Why an attempt did not succeed, with the decisions that follow from it. The action or client that knows the failed
/// system makes them; the engine never reads a message to choose a retry or an undo.
public struct StepFailure: Error, Sendable, Equatable {
  /// Stable words: conditions, reports and alerts match on them. The raw value is what an author reads in `error.kind`.
  public enum Kind: String, Sendable, CaseIterable {
    case timeout, unreachable, auth, notFound = "not_found", conflict, limit, rateLimited = "rate_limited", server
    case exitCode = "exit_code", expect, stopCondition = "stop_condition", lock, expression, input, cancelled, crashed
    case rejected

    /// Whether an author's `retry.attempts` repeats it although the action does not call it retryable. Repeating does
    /// not help if the call itself is wrong.
    var mayBeRepeatedOnDemand: Bool {
      switch self {
      case .auth, .input, .expression, .cancelled, .rejected: false
      default: true
      }
    }
  }

  /// The effect of the failed attempt on the world: decides whether the probe is asked, and whether the step is undone.
  public enum Effect: String, Sendable, CaseIterable {
    /// Certainly nothing happened (no byte left, or the other side said no).
    case none
    /// It happened, and something after it failed.
    case applied
    /// The request may have arrived: no answer, or one that does not tell.
    case unknown

    /// Of two requests of one step: `none < unknown < applied`.
    public func joined(_ other: Effect) -> Effect {
      switch (self, other) {
      case (.applied, _), (_, .applied): .applied
      case (.unknown, _), (_, .unknown): .unknown
      case (.none, .none): .none
      }
    }
  }

  public var kind: Kind
  /// One sentence, safe to show: no secret, no raw output.
  public var message: String
  public var effect: Effect
  public var retryable: Bool
  /// The least pause the other side asked for (`Retry-After`), if it did.
  public var retryAfter: Duration?
  /// Facts for `error.detail`: status codes, excerpts of a reply or of output of at most 2 KiB. Never a secret.
  public var detail: [String: Value]
  /// The same call can only fail the same way: what it was given is wrong, and nothing was asked of anybody. Never
  /// repeated, not by an undo and not by an author's `retry`. Default: no.
  public var isFinal: Bool
  /// What stands in the way passes by itself: the server is on its way to another state, or another operation holds it.
  /// Nothing happened. Tried again until the step's time is over, unless its author wrote a `retry`. Default: no.
  public var passes = false
  /// The answer was read, and does not have the shape it should: asked again, the other side would answer the same. A
  /// wait goes on and an undo is as patient as ever; nothing else is repeated. Default: no.
  public var isMisshapen = false
  /// Failed before any byte left (look-up, connect, TLS): retried for `connect_timeout` and no attempt is counted.
  public var beforeFirstByte: Bool

  public init(
    _ kind: Kind, _ message: String, effect: Effect = .none, retryable: Bool = false, retryAfter: Duration? = nil,
    detail: [String: Value] = [:], beforeFirstByte: Bool = false, isFinal: Bool = false
  ) {
    self.kind = kind
    self.message = message
    self.effect = effect
    self.retryable = retryable
    self.retryAfter = retryAfter
    self.detail = detail
    self.beforeFirstByte = beforeFirstByte
    self.isFinal = isFinal
  }

  /// `input`, and final: told by the fields alone.
  public static func unfit(_ message: String) -> StepFailure {
    StepFailure(.input, message, isFinal: true)
  }
}
