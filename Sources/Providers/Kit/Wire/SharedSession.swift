package import Runbook
import Synchronization

/// The session of one account, shared by all runs of the process: opened once however many ask, prolonged before its
/// end where it has a known one, and opened anew when the other side does not know it any more.
package final class SharedSession: Sendable {
  package struct Held: Sendable {
    package let id: Secret
    /// Whose it is, as the other side tells it.
    package var account: String?
    /// On the monotonic clock.
    let openedAt: Duration
    /// nil: it lasts until it is refused.
    var life: Duration?
    /// Counts the sessions, so that one that was refused is replaced once.
    package fileprivate(set) var number = 0

    package init(id: Secret, account: String? = nil, openedAt: Duration, life: Duration? = nil) {
      self.id = id
      self.account = account
      self.openedAt = openedAt
      self.life = life
    }

    package var endsAt: Duration? { life.map { openedAt + $0 } }
    /// A quarter of its life before its end, ten minutes at most.
    fileprivate var prolongAt: Duration? { life.map { openedAt + $0 - min(.seconds(600), $0 / 4) } }
  }

  private struct State {
    var held: Held?
    var count = 0
    var isOpening = false
    var waiters: [CheckedContinuation<Result<Held, StepFailure>?, Never>] = []
  }

  private enum Claim {
    case held(Held)
    /// The caller opens one, or prolongs this one.
    case mine(prolonging: Held?)
    case busy
  }

  private let state = Mutex(State())

  package init() {}

  /// What is held now, if anything; for reports.
  package var current: Held? { state.withLock { $0.held } }

  /// A session that is good now.
  /// - Parameters:
  ///   - now: on the monotonic clock.
  ///   - refused: number of one that was not accepted; it is not handed out again.
  ///   - open: logs in, or prolongs the one it is given. Called by one caller at a time; the others get its outcome.
  package func held(
    at now: Duration, refused: Int?, open: (_ prolonging: Held?) async throws(StepFailure) -> Held
  ) async throws(StepFailure) -> Held {
    while true {
      switch claim(at: now, refused: refused) {
      case .held(let held): return held
      case .mine(let old):
        let outcome: Result<Held, StepFailure>
        do throws(StepFailure) { outcome = .success(try await open(old)) } catch { outcome = .failure(error) }
        return try finish(outcome).get()
      case .busy:
        // nil: the caller that opened it was cancelled, so the next caller opens it.
        if let outcome = await wait() { return try outcome.get() }
      }
    }
  }

  private func claim(at now: Duration, refused: Int?) -> Claim {
    state.withLock { state in
      if let held = state.held, held.number != refused, held.endsAt.map({ now < $0 }) ?? true {
        guard let prolongAt = held.prolongAt, now >= prolongAt, !state.isOpening else { return .held(held) }
        state.isOpening = true
        return .mine(prolonging: held)
      }
      guard !state.isOpening else { return .busy }
      state.isOpening = true
      return .mine(prolonging: nil)
    }
  }

  private func wait() async -> Result<Held, StepFailure>? {
    await withCheckedContinuation { continuation in
      let isOver = state.withLock { state in
        if state.isOpening { state.waiters.append(continuation) }
        return !state.isOpening
      }
      if isOver { continuation.resume(returning: nil) }
    }
  }

  private func finish(_ outcome: Result<Held, StepFailure>) -> Result<Held, StepFailure> {
    let (numbered, waiters) = state.withLock { state in
      state.isOpening = false
      let waiters = state.waiters
      state.waiters = []
      guard case .success(var held) = outcome else { return (outcome, waiters) }
      state.count += 1
      held.number = state.count
      state.held = held
      return (.success(held), waiters)
    }
    let shared: Result<Held, StepFailure>? =
      if case .failure(let failure) = numbered, failure.kind == .cancelled { nil } else { numbered }
    for waiter in waiters { waiter.resume(returning: shared) }
    return numbered
  }
}
