/// `on_waiting`: telling people that the run waits for one of them. It changes nothing about the run, and its failure
/// ends nothing.
extension StepRunner {
  /// How long all messages about one cause may take.
  private static let patience = Duration.seconds(120)
  /// How long a state that nobody knows may be shown before a person is told.
  private static let unheardLimit = Duration.seconds(15 * 60)

  /// The reason for which the run waits, as the messages tell it.
  private struct Cause {
    var told: WaitingTold
    var message: String
    var until: Timestamp
    /// The words of the command to type, after `runbook`.
    var command: [String]
  }

  func tellOfQuestion() async throws(Interruption) {
    heedsAnswers = true
    defer { heedsAnswers = false }
    if let question = run.machine.openApproval(about: path) {
      return try await tell(
        Cause(
          told: WaitingTold(.approval, step: path, question: question.number), message: question.prompt,
          until: question.until, command: ["approve", runID, path.text, "--seen", question.digest]))
    }
    guard let question = run.machine.openQuestion(about: path),
      case .parked(let until, _) = run.machine.state(of: path).progress
    else {
      return
    }
    try await tell(
      Cause(
        told: WaitingTold(.resolve, step: path, question: question),
        message: "the outcome of `\(path)` is not known: \(lostFailureWords)",
        until: until, command: ["show", runID]))
  }

  private var lostFailureWords: String { run.machine.state(of: path).error?.message ?? "its reply was lost" }

  /// The wait has shown a word that nobody has heard of for a quarter of an hour, and nobody was told.
  var isUnheardTooLong: Bool {
    @inline(never) get {
      guard !run.launch.runbook.onWaiting.isEmpty, let watch = watched, let since = watch.unheardSince else {
        return false
      }
      return clock.now - since >= StepRunner.unheardLimit && !run.machine.questions.toldStates.contains(watch.step.path)
    }
  }

  func tellOfState() async throws(Interruption) {
    guard let watch = watched else { return }
    let path = watch.step.path
    try await tell(
      Cause(
        told: WaitingTold(.state, step: path),
        message: "`\(path)` has shown `\(watch.nativeState ?? "?")` for 15 minutes, a state that is not known here",
        until: watch.deadline, command: ["show", runID]))
  }

  private func tell(_ cause: Cause) async throws(Interruption) {
    try await flushed()
    let end = min(clock.now + StepRunner.patience, cause.until)
    let root: Value = [
      "for": .string(cause.told.cause.rawValue), "step": .string(cause.told.step.text),
      "message": .string(masker.mask(cause.message)), "until": .timestamp(cause.until),
      "command": .string(AdvisedCommands().line(cause.command)),
    ]
    var told = cause.told
    for step in run.launch.runbook.onWaiting.leaves {
      let message = "\(told.question) \(step.path)"
      if told.question > 0, run.arrivedMessages.contains(message) { continue }
      if let failure = try await send(step, root, told, until: end) {
        told.failures.append("`\(step.path)`: \(failure)")
      } else {
        run.arrivedMessages.insert(message)
      }
    }
    record(.told(told))
  }

  /// - Returns: why the message was not sent; nil if it was, or if its `if` is false.
  private func send(
    _ step: ActionStep, _ root: Value, _ told: WaitingTold, until end: Timestamp
  ) async throws(Interruption) -> String? {
    let scope = run.scope(for: nil, attempt: ["waiting": root])
    let action: any Action
    let call: ActionCall
    do throws(StepFailure) {
      if let condition = step.condition {
        do throws(ExpressionFailure) {
          guard try run.evaluate(condition, in: scope).bool == true else { return nil }
        } catch {
          throw StepFailure(.expression, "`if`: \(error.message)")
        }
      }
      action = try run.action(for: step)
      call = run.actionCall(
        step, key: StepKey.make(runID, StepPath("\(step.path)/\(told.step)/\(told.question)"), .onFailure, 1),
        with: try run.evaluatedFields(step, in: scope), deadline: min(end, clock.now + step.timeout))
    } catch {
      return masker.mask(error).message
    }
    guard clock.now < call.deadline else { return "the time to answer is over" }
    var tries = 1
    while true {
      guard case .failure(let failure) = try await perform(action, call, step) else { return nil }
      let masked = masker.mask(failure)
      let pause = RetrySchedule.undo.delay(after: tries, asked: masked.retryAfter, random: run.launch.world.random)
      guard masked.retryable, clock.now + pause < call.deadline else { return masked.message }
      try await pauseOrInterrupt(pause)
      tries += 1
    }
  }
}
