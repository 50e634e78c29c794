/// What is told of a run while it runs and by `logs`: one for every journal entry, with the entry's sequence number.
/// The names and fields are the public JSON of `docs/language.md`; readers ignore those they do not know.
public struct RunEvent: Sendable, Equatable {
  /// `run.started step.started attempt.ended step.waiting step.ended run.waiting rollback.started undo.started
  /// undo.ended rollback.ended run.ended run.left` and others.
  public var event: String
  public var runID: String
  public var sequence: Int64
  public var at: Timestamp
  /// The other fields: `step`, `status`, `outputs`, `error` …
  public var fields: [String: Value]

  public init(event: String, runID: String, sequence: Int64, at: Timestamp, fields: [String: Value]) {
    self.event = event
    self.runID = runID
    self.sequence = sequence
    self.at = at
    self.fields = fields
  }

  /// One JSON object: `{"v":1,"event":…,"run_id":…,"seq":…,"at":…,…}`.
  public var json: Value {
    var object = fields
    object["v"] = 1
    object["event"] = .string(event)
    object["run_id"] = .string(runID)
    object["seq"] = .int(sequence)
    object["at"] = .timestamp(at)
    return .map(object)
  }
}

/// What goes on between two events and is not journaled: the provider's own word for the state of the thing waited for,
/// what an action is doing.
public struct RunProgress: Sendable, Equatable {
  /// The path of the step.
  public var step: String
  public var nativeState: String?
  public var message: String?
  /// The last lines that its script has written, masked; nil: no news of them.
  public var output: [String]?
  public init(step: StepPath, nativeState: String? = nil, message: String? = nil, output: [String]? = nil) {
    self.step = step.text
    self.nativeState = nativeState
    self.message = message
    self.output = output
  }
}

/// Watches a run: the live tree, the line printer, the JSON stream, a test.
public protocol RunObserver: Sendable {
  func observe(_ event: RunEvent)
  func progress(_ progress: RunProgress)
}
