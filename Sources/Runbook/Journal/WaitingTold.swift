/// That people were told of something for which a run waits.
public struct WaitingTold: Sendable, Equatable {
  /// What a run can wait for.
  public enum Cause: String, Sendable {
    /// Whether a step may go on.
    case approval
    /// What became of a step whose outcome was lost.
    case resolve
    /// A state whose word nobody has heard of.
    case state
  }

  public var cause: Cause
  public var step: StepPath
  /// The number of the question; 0 for a state.
  public var question: Int
  /// Of the messages that could not be sent, each with its reason.
  public var failures: [String]

  public init(_ cause: Cause, step: StepPath, question: Int = 0, failures: [String] = []) {
    self.cause = cause
    self.step = step
    self.question = question
    self.failures = failures
  }
}
