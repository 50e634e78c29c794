/// What goes around a step's attempts: expect, retry, wait, timeout, and the flags.
extension Validation {
  func flags(_ step: inout ActionStep, _ fields: inout FieldReader, _ section: StepSection) {
    if let node = fields.take("idempotent") { step.isIdempotent = read.bool(node, "idempotent") ?? false }
    if let node = fields.take("effect"), read.choice(node, "effect", ["none"]) != nil { step.effect = .none }
    if let node = fields.take("on_crash") { step.onCrash = read.choice(node, "on_crash") }
    if section.isUndo {
      if let node = fields.take("on_error") {
        step.undoContinuesOnError = read.choice(node, "on_error", ["continue"]) != nil
      }
      refuse("continue_on_error", &fields, "in an undo step it is `on_error: continue`")
    } else if let node = fields.take("continue_on_error") {
      step.continuesOnError = read.bool(node, "continue_on_error") ?? false
    }
  }

  private func refuse(_ key: String, _ fields: inout FieldReader, _ hint: String) {
    guard let entry = fields.takeEntry(key) else { return }
    sink.error(.context, at: entry.keyRange, "`\(key)` cannot stand here", hint: hint)
  }

  /// An attempt is: call, then `outputs`, then `expect`; both see `result` and `self`.
  func attempt(_ step: inout ActionStep, _ action: ActionInfo, _ fields: inout FieldReader) {
    let outputs = fields.take("outputs")
    let expect = fields.take("expect")
    let retry = fields.takeEntry("retry")
    let wait = fields.takeEntry("wait")
    if outputs != nil || expect != nil || retry != nil || wait != nil {
      let outerSelf = environment.roots["self"]
      environment.roots["result"] = action.result
      if outerSelf == nil { declareSelf(action, step) }
      if let outputs {
        step.outputs = self.outputs(outputs, "outputs")
        if let id = step.id, step.outputs.count != outputs.entries?.count { brokenSteps.append(id) }
      }
      if outerSelf == nil, !step.outputs.isEmpty { declareSelf(action, step) }
      if let expect { step.expect = expression(expect, "expect", expecting: .bool) }
      environment.roots["error"] = .stepError
      if let wait { self.wait(&step, wait) }
      // A failed attempt has an error and no result.
      environment.roots["result"] = nil
      if let retry { self.retry(&step, retry) } else { step.retry = Validation.standardRetry(step) }
      environment.roots["error"] = nil
      environment.roots["result"] = nil
      environment.roots["self"] = outerSelf
    } else {
      step.retry = Validation.standardRetry(step)
    }
  }

  private func declareSelf(_ action: ActionInfo, _ step: ActionStep) {
    environment.roots["self"] = selfType(step)
  }

  /// `self` of this step.
  func selfType(_ step: ActionStep) -> ValueType {
    .`self`(outputs: Validation.outputTypes(of: step), before: step.action.before)
  }

  // MARK: Retry

  static func standardRetry(_ step: ActionStep) -> RetryPolicy {
    var policy = RetryPolicy.standard
    if step.effect == .none {
      policy.attempts = 5
    } else if step.effectClass == .opaque, !step.isIdempotent {
      policy.attempts = 1
    }
    return policy
  }

  private func retry(_ step: inout ActionStep, _ entry: Node.Entry) {
    step.retry = Validation.standardRetry(step)
    step.retry.isWritten = true
    if let number = entry.value.scalar?.text, Int(number) != nil {
      sink.error(.type, at: entry.value.range, "`retry` must be a map", hint: "write `{attempts: \(number)}`")
      return
    }
    guard var fields = FieldReader(entry.value, "`retry`", sink) else { return }
    if let node = fields.take("attempts"), let attempts = read.int(node, "attempts", in: Limits.attempts) {
      step.retry.attempts = Int(attempts)
      step.retry.countsSends = true
    }
    let delay = fields.take("delay")
    if let delay { step.retry.delay = read.duration(delay, "delay", in: Limits.pause) ?? step.retry.delay }
    if let node = fields.take("backoff") {
      step.retry.backoff = read.number(node, "backoff", in: Limits.backoff) ?? step.retry.backoff
    }
    if let node = fields.take("max_delay") {
      step.retry.maxDelay = read.duration(node, "max_delay", in: Limits.pause) ?? step.retry.maxDelay
      if step.retry.maxDelay < step.retry.delay {
        sink.error(.range, at: node.range, "`max_delay` is shorter than `delay` (\(step.retry.delay.text))")
      }
    } else {
      step.retry.maxDelay = max(step.retry.maxDelay, step.retry.delay)
    }
    if let node = fields.take("jitter") {
      step.retry.jitter = read.number(node, "jitter", in: Limits.jitter) ?? step.retry.jitter
    }
    if let node = fields.take("attempt_timeout") {
      step.retry.attemptTimeout = read.duration(node, "attempt_timeout", in: Limits.timeout)
    }
    if let node = fields.take("connect_timeout") {
      step.retry.connectTimeout = read.duration(node, "connect_timeout", in: Limits.pause) ?? step.retry.connectTimeout
    }
    if let node = fields.take("if") { step.retry.condition = expression(node, "retry.if", expecting: .bool) }
    fields.finish(known: [
      "attempts", "delay", "backoff", "max_delay", "jitter", "attempt_timeout", "connect_timeout", "if",
    ])
  }

  // MARK: Wait

  private func wait(_ step: inout ActionStep, _ entry: Node.Entry) {
    if let scalar = entry.value.scalar {
      switch scalar.isPlain ? CoreSchema.resolve(scalar.text) : .string {
      case .bool(false):
        step.wait.isSkipped = true
        if step.mode == .waitFor {
          sink.error(
            .context, at: entry.value.range, "`wait_for` without waiting makes no sense", hint: "write `action:`")
        }
        return
      default:
        sink.error(
          .type, at: entry.value.range, "`wait` must be a map or `false`, not \(entry.value.kindInWords)",
          hint: Duration(text: scalar.text) == nil ? nil : "write `{timeout: \(scalar.text)}`; for a pause, `sleep:`")
        return
      }
    }
    guard var fields = FieldReader(entry.value, "`wait`", sink) else { return }
    step.wait.isWritten = true
    if step.action.wait == nil, step.effect != .none {
      let isScript = step.action.runsScript
      sink.error(
        .context, at: entry.keyRange,
        "`\(step.action.name)` leaves nothing to look at, so there is nothing to wait for",
        hint: isScript
          ? "if it changes nothing, write `effect: none`: then it is run again until it ends with 0"
          : "add a step with `wait_for:` after it")
    }
    if let node = fields.take("until") { step.wait.until = expression(node, "until", expecting: .bool) }
    if let node = fields.take("fail_if") { step.wait.failIf = expression(node, "fail_if", expecting: .bool) }
    if let node = fields.take("every") { step.wait.every = read.duration(node, "every", in: Limits.pause) }
    if let node = fields.take("timeout") { step.wait.timeout = read.duration(node, "wait.timeout", in: Limits.timeout) }
    if let node = fields.take("stable"), let stable = read.int(node, "stable", in: Limits.stable) {
      step.wait.stable = Int(stable)
    }
    if let node = fields.take("settle") {
      step.wait.settle = read.duration(node, "settle", in: Limits.settle) ?? step.wait.settle
    }
    fields.finish(known: ["until", "fail_if", "every", "timeout", "stable", "settle"])
  }

  // MARK: Timeout

  func policies(_ step: inout ActionStep, _ action: ActionInfo, _ fields: inout FieldReader, _ section: StepSection) {
    if let node = fields.take("timeout"), let timeout = read.duration(node, "timeout", in: Limits.timeout) {
      step.timeout = timeout
      if section.isMain { note(timeout, of: step.title, at: step.range) }
      if let limit = step.wait.timeout, limit > timeout {
        sink.error(
          .range, at: node.range, "`timeout` covers the whole step, and its wait alone may take \(limit.text)",
          hint: "make it longer, or shorten `wait.timeout`")
      }
      return
    }
    step.timeout = Validation.standardTimeout(step)
  }

  /// Long enough for what the step is known to take: a pause ends, a wait's own deadline comes first.
  private static func standardTimeout(_ step: ActionStep) -> Duration {
    if let field = step.action.lengthField {
      guard case .duration(let length)? = step.with[field]?.constant else { return Limits.timeout.upperBound }
      return length + .seconds(60)
    }
    let usual = step.action.timeout ?? step.action.wait.map { $0.timeout + .seconds(120) } ?? .seconds(300)
    return step.wait.timeout.map { max(usual, $0 + .seconds(120)) } ?? usual
  }
}

extension RetryPolicy {
  /// For effects of class E1 to E3.
  static let standard = RetryPolicy(
    attempts: 3, delay: .seconds(2), backoff: 2, maxDelay: .seconds(60), jitter: 0.2, attemptTimeout: nil,
    condition: nil,
    connectTimeout: .seconds(120))
}

extension WaitPolicy {
  static let standard = WaitPolicy(
    isSkipped: false, until: nil, failIf: nil, every: nil, timeout: nil, stable: 1, settle: .seconds(60))
}
