/// A keyword an author can write as what a step does (`action`, `run`, `sleep` …), and the action it becomes. The
/// validator, `schema` and help find it through `standardSteps`.
public protocol StepKind: Sendable {
  static var keyword: String { get }
  static var summary: String { get }
  /// One step in YAML, as it would stand in `steps:`. A test validates it.
  static var example: String { get }
  /// The values that may follow the keyword.
  static var shape: StepShape { get }
  /// The actions that come with this keyword or family; empty for `action` and `wait_for`, which name one.
  static var actions: [any Action] { get }
}

/// What stands after a step's keyword. The action that a keyword becomes has the keyword's name.
public enum StepShape: Sendable {
  /// `action: NAME` + `with`: the author names a declared action.
  case namedAction(mode: StepMode)
  /// `sleep: DURATION`, `fail: TEXT`: the scalar becomes the one field of the action of that name.
  case scalar(action: String, field: Field)
  /// `run: TEXT` or `run: {command|script_file: …}`: a scalar becomes `scalarField`, a map the fields by name.
  case scalarOrFields(action: String, scalarField: String)

  /// The name of the one action that the keyword becomes; nil: the author names it.
  var action: String? {
    switch self {
    case .scalar(let action, _), .scalarOrFields(let action, _): action
    case .namedAction: nil
    }
  }
}

public enum StepMode: Sendable, Equatable {
  case call
  /// `wait_for`: the call is a probe, repeated until it holds.
  case waitFor
}
