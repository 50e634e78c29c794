/// Facts about steps that hold others. Those about the rollback of the whole run name no scope.
extension ScopeFact {
  func coded(_ path: StepPath) -> CodedFact {
    let step = Value.string(path.text)
    // Written out, because a value has a nil of its own, which would be journaled.
    let scope = path == .root ? Value?.none : .some(step)
    switch self {
    case .opened(let opened): return ("scope.started", opened.coded.merging(["step": step]) { own, _ in own })
    case .rescuing(let error): return ("scope.rescuing", ["step": step, "error": error.value])
    case .ended(let ended): return ("scope.ended", ended.coded.merging(["step": step]) { own, _ in own })
    case .rollbackStarted(let reason): return ("rollback.started", ["scope": scope, "reason": .string(reason)])
    case .rollbackEnded(let outcome, let failedStep, let error):
      return (
        "rollback.ended",
        [
          "scope": scope, "outcome": .string(outcome.rawValue), "failed_step": ifAny(failedStep?.text),
          "error": error?.value,
        ]
      )
    }
  }

  /// nil for an entry of another group.
  static func read(_ fields: Fields) throws(StoreFailure) -> (StepPath, ScopeFact)? {
    let scope = fields.optionalText("scope").map { StepPath($0) } ?? .root
    switch fields.entry.kind {
    case "scope.started": return (try fields.step(), .opened(try ScopeOpened(fields)))
    case "scope.rescuing":
      guard let error = fields.error else { throw Fields.damage(fields.entry, "it has no `error`") }
      return (try fields.step(), .rescuing(error))
    case "scope.ended": return (try fields.step(), .ended(try ScopeEnded(fields)))
    case "rollback.started": return (scope, .rollbackStarted(reason: try fields.text("reason")))
    case "rollback.ended":
      return (
        scope,
        .rollbackEnded(
          outcome: try fields.word("outcome", RollbackOutcome.self),
          failedStep: fields.optionalText("failed_step").map { StepPath($0) }, error: fields.error)
      )
    default: return nil
    }
  }
}

extension ScopeOpened {
  fileprivate var coded: [String: Value?] {
    var fields: [String: Value?] = [
      "title": .string(title), "kind": .string(kind), "deadline": deadline.map { .timestamp($0) },
      "inputs": inputs.map { .map($0) },
    ]
    guard let items else { return fields }
    fields["items"] = .list(items)
    fields["batches"] = .list(batches.map { .int(Int64($0)) })
    fields["max_parallel"] = .int(Int64(maxParallel))
    fields["max_failures"] = .int(Int64(maxFailures))
    return fields
  }

  fileprivate init(_ fields: Fields) throws(StoreFailure) {
    self.init(
      title: try fields.text("title"), kind: try fields.text("kind"), deadline: fields.optionalInstant("deadline"))
    inputs = fields.body["inputs"]?.map
    items = fields.body["items"]?.list
    batches = (fields.body["batches"]?.list ?? []).compactMap { $0.int.flatMap { Int(exactly: $0) } }
    maxParallel = fields.body["max_parallel"]?.int.flatMap { Int(exactly: $0) } ?? 1
    maxFailures = fields.body["max_failures"]?.int.flatMap { Int(exactly: $0) } ?? 0
  }
}

extension ScopeEnded {
  fileprivate var coded: [String: Value?] {
    [
      "status": .string(status.rawValue), "outputs": .map(outputs), "error": error?.value,
      "failures": failures == 0 ? nil : .int(Int64(failures)), "undone": undone == 0 ? nil : .int(Int64(undone)),
    ]
  }

  fileprivate init(_ fields: Fields) throws(StoreFailure) {
    self.init(
      try fields.word("status", StepStatus.self), outputs: fields.body["outputs"]?.map ?? [:], error: fields.error)
    failures = fields.body["failures"]?.int.flatMap { Int(exactly: $0) } ?? 0
    undone = fields.body["undone"]?.int.flatMap { Int(exactly: $0) } ?? 0
  }
}
