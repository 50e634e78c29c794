/// A failure as the journal keeps it and as an author reads it in `error`.
public struct StepError: Sendable, Equatable {
  public var kind: StepFailure.Kind
  public var message: String
  public var retryable: Bool
  public var step: String
  public var attempt: Int
  public var effect: StepFailure.Effect
  public var detail: [String: Value]

  init(_ failure: StepFailure, step: StepPath, attempt: Int) { self.init(failure, step: step.text, attempt: attempt) }

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
