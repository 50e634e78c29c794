/// What the interpreter is to do. Orders follow from the state alone: nobody holds one, and an order that is carried
/// out is recognised by its step.
public enum Order: Sendable, Equatable {
  /// Ask the live checks before the first change.
  case check
  /// Evaluate the step's `if` and fields, capture `before`, and report.
  case begin(StepPath, Purpose)
  /// Evaluate the `if` of a step that holds others, and what it holds.
  case open(StepPath)
  /// Evaluate the outputs of a step that holds others.
  case close(StepPath)
  /// The intent is durable: make the call.
  case call(StepPath)
  /// Nobody saw how the call went: find out, by the effect's class.
  case reconcile(StepPath)
  /// Pause until then, and begin the next attempt.
  case retry(StepPath, at: Timestamp)
  /// Poll until it holds.
  case watch(StepPath)
  /// Tell people that the run waits for one of them.
  case tell(StepPath)
  /// Wait for the answer to the question whether the step may go on.
  case ask(StepPath, until: Timestamp)
  /// Ask a person; nothing else can be done.
  case park(StepPath, until: Timestamp)
  /// Ask a person whether a run of a restored store may go on.
  case awaitRestored
  /// Probe a step that did not succeed, and let it come to rest, before it is undone.
  case settle(StepPath)
  /// Read the moments that the drill is measured by.
  case judge
  case evaluateOutputs
  case done(RunEnded)

  var isPark: Bool { if case .park = self { true } else { false } }

  /// The step that it is about; `StepPath.root` for an order about the run.
  public var path: StepPath {
    switch self {
    case .check, .awaitRestored, .judge, .evaluateOutputs, .done: .root
    case .begin(let path, _), .retry(let path, _), .ask(let path, _), .park(let path, _): path
    case .open(let path), .close(let path): path
    case .call(let path), .reconcile(let path), .watch(let path), .tell(let path), .settle(let path): path
    }
  }
}
