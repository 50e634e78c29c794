import Synchronization

/// How others speak to a run while it goes on: cancel, leave, answers to questions. Handed to the interpreter; safe to
/// call from anywhere.
public final class RunControl: Sendable {
  public enum Message: Sendable, Equatable {
    case cancel(by: String, rollback: Bool, request: Int64)
    case resolve(step: String, Resolution, by: String, request: Int64)
  }

  private struct State {
    var messages: [Message] = []
    var isLeaving = false
    var leaveReason = ""
    var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
    var nextWaiter: UInt64 = 0
    var hasCancel: Bool { messages.contains { if case .cancel = $0 { true } else { false } } }
  }

  private let state = Mutex(State())

  public init() {}

  public func post(_ message: Message) { arrive { $0.messages.append(message) } }

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
  func isInterrupted(includingCancel: Bool) -> Bool {
    state.withLock { $0.isLeaving || includingCancel && $0.hasCancel }
  }

  private func arrive(_ change: (inout State) -> Void) {
    let waiters = state.withLock { state in
      change(&state)
      defer { state.waiters = [:] }
      return Array(state.waiters.values)
    }
    for waiter in waiters { waiter.resume() }
  }

  /// Returns when the run is to be left (or, with `includingCancel`, cancelled), or the task is cancelled.
  func waitForArrival(includingCancel: Bool) async {
    while !Task.isCancelled, !isInterrupted(includingCancel: includingCancel) { await nextArrival(includingCancel) }
  }

  private func nextArrival(_ includingCancel: Bool) async {
    let ticket = state.withLock { state in
      state.nextWaiter += 1
      return state.nextWaiter
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isDue = state.withLock { state in
          if state.isLeaving || includingCancel && state.hasCancel || Task.isCancelled { return true }
          state.waiters[ticket] = continuation
          return false
        }
        if isDue { continuation.resume() }
      }
    } onCancel: {
      state.withLock { $0.waiters.removeValue(forKey: ticket) }?.resume()
    }
  }
}
