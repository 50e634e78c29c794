import Runbook

/// An action in a simulated world. A sealed one never reaches its real counterpart: it answers what the mock file says,
/// else success. An open one (it touches nothing outside, or `--real` names it) is itself unless the mock file speaks
/// of it.
struct MockedAction<Real: Action>: Action {
  var declaration: ActionDeclaration { real.declaration }

  let real: Real
  let isSealed: Bool
  let table: MockTable

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    guard let answer = table.take(step: call.step, action: real.declaration.name) else {
      return isSealed ? try MockAnswer().outcome(of: real.declaration, call) : try await real.perform(call)
    }
    try await pass(answer.after, call)
    return try answer.outcome(of: real.declaration, call)
  }

  /// In slices, so that a cancel is heeded.
  private func pass(_ duration: Duration, _ call: ActionCall) async throws(StepFailure) {
    let end = min(call.clock.now + duration, call.deadline)
    while call.clock.now < end {
      if Task.isCancelled || table.isCancelled(call.key) {
        throw StepFailure(
          .cancelled, "it was told to stop", effect: real.declaration.effect == .none ? .none : .applied)
      }
      await call.clock.sleep(for: min(end - call.clock.now, .seconds(1)))
    }
    guard duration <= .zero || call.clock.now < call.deadline else {
      let effect: StepFailure.Effect = real.declaration.effect == .none ? .none : .applied
      throw StepFailure(.timeout, "it ran longer than the step's timeout", effect: effect)
    }
  }

  func cancel(_ call: ActionCall) async throws(StepFailure) {
    table.cancel(call.key)
    if !isSealed { try await real.cancel(call) }
  }

  func capture(_ call: ActionCall) async throws(StepFailure) -> [String: Value] {
    isSealed ? [:] : try await real.capture(call)
  }

  /// A sealed call leaves no trace: what became of one whose reply was lost cannot be known, as with most scripts.
  func probe(_ call: ActionCall) async throws(StepFailure) -> ProbeAnswer {
    isSealed ? .unsure : try await real.probe(call)
  }

  func observe(_ call: ActionCall, after result: ActionResult) async throws(StepFailure) -> Observation {
    isSealed ? Observation(.done, result: result) : try await real.observe(call, after: result)
  }

  func isSettled(_ call: ActionCall) async throws(StepFailure) -> Bool {
    isSealed ? true : try await real.isSettled(call)
  }

  func liveCheck(_ call: ActionCall) async throws(StepFailure) -> [String] {
    isSealed ? [] : try await real.liveCheck(call)
  }

  var answersAtOnce: Bool { isSealed || real.answersAtOnce }
  func answersAtOnce(_ call: ActionCall) -> Bool { isSealed || real.answersAtOnce(call) }
  func forget(_ call: ActionCall, keys: [String]) async {
    if !isSealed { await real.forget(call, keys: keys) }
  }
  var maxRequestLife: Duration { isSealed ? .zero : real.maxRequestLife }
  func maxRequestLife(of call: ActionCall) -> Duration { isSealed ? .zero : real.maxRequestLife(of: call) }
  func lateBound(of call: ActionCall, lostSince: Timestamp) -> Timestamp {
    isSealed ? lostSince : real.lateBound(of: call, lostSince: lostSince)
  }
}
