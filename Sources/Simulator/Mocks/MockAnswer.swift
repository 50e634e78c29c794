import Runbook

/// What a mocked call answers: success with these values laid over neutral ones, or a failure.
struct MockAnswer: Sendable {
  var outputs: [String: Value] = [:]
  var result: [String: Value] = [:]
  var failure: StepFailure?
  /// How long the call takes, on the simulated clock.
  var after: Duration = .zero
  /// How many calls it holds for before the next answer of its list is asked; nil: for ever.
  var times: Int?

  /// The answer as the action would have given it: an exit code or an HTTP status that means failure is one.
  func outcome(of action: ActionDeclaration, _ call: ActionCall) throws(StepFailure) -> ActionResult {
    if let failure { throw failure }
    let result = Self.neutral(action.result, at: call).merging(self.result) { _, mine in mine }
    let outputs = Self.neutral(action.outputs, at: call).merging(self.outputs) { _, mine in mine }
    if call.with["_accept_any_exit_code"] == nil, let code = result["exit_code"]?.int, code != 0 {
      throw StepFailure(
        .exitCode, "the script ended with exit code \(code)", effect: .applied, detail: Self.excerpt(result))
    }
    if call.with["_accept_any_status"] == nil, action.result["status"] != nil, let status = result["status"]?.int,
      !(200...299).contains(status)
    {
      throw Self.failure(status: status, isRead: action.effect == .none)
    }
    return ActionResult(outputs: outputs, result: result)
  }

  /// What success looks like when nobody says: 200 and `{}`, exit code 0, and an empty value for everything else.
  private static func neutral(_ types: [String: ValueType], at call: ActionCall) -> [String: Value] {
    var values: [String: Value] = [:]
    for (name, type) in types {
      switch name {
      case "status": values[name] = 200
      case "body": values[name] = "{}"
      case "json": values[name] = [:]
      default: values[name] = neutral(type, at: call)
      }
    }
    return values
  }

  private static func neutral(_ type: ValueType, at call: ActionCall) -> Value {
    switch type {
    case .any, .null, .optional: .null
    case .bool: false
    case .int: 0
    case .double: .double(0)
    case .string, .secret: ""
    case .duration: .duration(.zero)
    case .timestamp: .timestamp(call.clock.now)
    case .list: []
    case .map: [:]
    case .object(let members): .map(members.mapValues { neutral($0, at: call) })
    }
  }

  private static func excerpt(_ result: [String: Value]) -> [String: Value] {
    result.filter { ["exit_code", "stdout", "stderr"].contains($0.key) }
  }

  private static func failure(status: Int64, isRead: Bool) -> StepFailure {
    let kind: StepFailure.Kind =
      switch status {
      case 401, 403: .auth
      case 404: .notFound
      case 409: .conflict
      case 429: .rateLimited
      case 500...: .server
      default: .rejected
      }
    let mayPass = status == 429 || status >= 500
    return StepFailure(
      kind, "answered \(status)", effect: status >= 500 && !isRead ? .unknown : .none, retryable: mayPass,
      detail: ["status": .int(status)])
  }
}
