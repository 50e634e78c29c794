import Synchronization

/// How others speak to a run while it goes on: cancel, leave, answers to questions. Handed to the interpreter; safe to
/// call from anywhere.
public final class RunControl: Sendable {
  public enum Message: Sendable, Equatable {
    /// `restored`: the person who cancels has also said that a run of a restored store may go on.
    case cancel(by: String, rollback: Bool, request: Int64, restored: Bool = false)
    /// `question`: the number of the question that is answered; nil in requests of an earlier release.
    case resolve(step: StepPath, Resolution, by: String, request: Int64, question: Int?)
    case answer(ApprovalAnswer)

    /// The number of its row in the store; 0: it has none.
    var request: Int64 {
      switch self {
      case .cancel(_, _, let request, _), .resolve(_, _, _, let request, _): request
      case .answer(let answer): answer.request
      }
    }
  }

  private struct State {
    var messages: [Message] = []
    /// The highest number of a message so far: rows are read in their order, by more than one reader.
    var lastRequest: Int64 = 0
    var isLeaving = false
    var cancelRefusal: String?
    var isUndoing = false
    var leaveReason = ""
    var waiters: [UInt64: Waiter] = [:]
    var nextWaiter: UInt64 = 0
    /// Steps whose work is to be ended, because a sibling has failed or the run is being cancelled.
    var ending: Set<StepPath> = []
    var hasCancel: Bool { messages.contains { if case .cancel = $0 { true } else { false } } }

    func isDue(_ wanted: Arrival, _ step: StepPath) -> Bool {
      switch wanted {
      case .leave: isLeaving
      case .cancel: isLeaving || hasCancel || ending.contains(step)
      case .message: isLeaving || !messages.isEmpty || ending.contains(step)
      }
    }
  }

  /// The arrivals that interrupt the current work; each case includes the cases before it.
  enum Arrival { case leave, cancel, message }

  /// Somebody who is told, once, that there is something to interrupt the current work for.
  private struct Waiter {
    var wanted: Arrival
    var step: StepPath
    var wake: @Sendable () -> Void
  }

  private let state = Mutex(State())

  public init() {}

  /// A row of the store that was posted before is not posted again.
  public func post(_ message: Message) {
    arrive { state in
      let number = message.request
      guard number == 0 || number > state.lastRequest else { return }
      state.lastRequest = max(state.lastRequest, number)
      state.messages.append(message)
    }
  }

  /// The highest number of a message so far.
  var lastRequest: Int64 { state.withLock { $0.lastRequest } }

  /// Why a cancel would come too late now; nil while something can still be stopped.
  public var cancelRefusal: String? { state.withLock { $0.cancelRefusal } }
  /// What was done is being undone, or will be next.
  public var isUndoing: Bool { state.withLock { $0.isUndoing || $0.hasCancel } }
  func note(cancelRefusal: String?, isUndoing: Bool) {
    state.withLock {
      $0.cancelRefusal = cancelRefusal
      $0.isUndoing = isUndoing
    }
  }

  /// Stop at the next durable point; the run stays resumable.
  public func leave(_ reason: String) {
    arrive {
      $0.isLeaving = true
      $0.leaveReason = reason
    }
  }

  /// Why to leave; nil if nobody asked.
  var leaveReason: String? { state.withLock { $0.isLeaving ? $0.leaveReason : nil } }

  func takeMessages() -> [Message] {
    state.withLock { state in
      guard !state.messages.isEmpty else { return [] }
      defer { state.messages = [] }
      return state.messages
    }
  }

  /// Something has come in that the current work should be interrupted for.
  func isInterrupted(by wanted: Arrival, _ step: StepPath) -> Bool { state.withLock { $0.isDue(wanted, step) } }

  /// The work on these steps, and on no others, is to be ended.
  func end(_ steps: Set<StepPath>) { arrive { $0.ending = steps } }

  private func arrive(_ change: (inout State) -> Void) {
    let due = state.withLock { state in
      change(&state)
      let due = state.waiters.filter { state.isDue($0.value.wanted, $0.value.step) }
      for number in due.keys { state.waiters[number] = nil }
      return due.values
    }
    for waiter in due { waiter.wake() }
  }

  /// Returns when there is something to interrupt the current work for, or the task is cancelled.
  func wait(for wanted: Arrival, _ step: StepPath) async {
    let number = number()
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isKept = keep(Waiter(wanted: wanted, step: step) { continuation.resume() }, as: number)
        if !isKept { continuation.resume() }
      }
    } onCancel: {
      remove(number)?.wake()
    }
  }

  /// Does something that ends early when its task is cancelled.
  /// - Returns: nil if something came in, to be interrupted for, before it came to its end.
  @inline(never) func untilArrival<Outcome: Sendable>(
    of wanted: Arrival, _ step: StepPath, _ body: @escaping @Sendable () async -> Outcome
  ) async -> Outcome? {
    let outcome = await until(wanted, step, body)
    return isInterrupted(by: wanted, step) ? nil : outcome
  }

  /// The same, and every message ends it.
  @inline(never) func untilMessage(_ step: StepPath, _ body: @escaping @Sendable () async -> Void) async {
    await until(.message, step, body)
  }

  @inline(never) private func until<Outcome: Sendable>(
    _ wanted: Arrival, _ step: StepPath, _ body: @escaping @Sendable () async -> Outcome
  ) async -> Outcome {
    let number = number()
    let work = Task(operation: { await body() })
    if !keep(Waiter(wanted: wanted, step: step) { work.cancel() }, as: number) { work.cancel() }
    let outcome = await work.valueUnlessCancelled()
    _ = remove(number)
    return outcome
  }

  private func number() -> UInt64 {
    state.withLock { state in
      state.nextWaiter += 1
      return state.nextWaiter
    }
  }

  /// False: it need not wait.
  private func keep(_ waiter: Waiter, as number: UInt64) -> Bool {
    state.withLock { state in
      guard !state.isDue(waiter.wanted, waiter.step), !Task.isCancelled else { return false }
      state.waiters[number] = waiter
      return true
    }
  }

  private func remove(_ number: UInt64) -> Waiter? { state.withLock { $0.waiters.removeValue(forKey: number) } }
}

extension Task where Failure == Never {
  /// Waits for a task that was made for this one alone, and cancels it with this one. What a task group does with a
  /// larger frame, and with a second task for whatever may end the first.
  func valueUnlessCancelled() async -> Success {
    await withTaskCancellationHandler {
      await value
    } onCancel: {
      cancel()
    }
  }
}

extension RunRequest {
  /// It is an answer to this question of a run, whatever it says. One answer a question: of two people who answer at
  /// once one is told of the other.
  public func answers(question: Int) -> Bool {
    switch RunControl.Message(self) {
    case .resolve(_, _, _, _, let number): (number ?? 1) == question
    case .answer(let answer): answer.question == question
    default: false
    }
  }
}
