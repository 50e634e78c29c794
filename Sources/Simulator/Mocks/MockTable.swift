import Runbook
import Synchronization

/// Which answer a call gets: the step's own list first, then the action's, then plain success.
final class MockTable: Sendable {
  private struct State {
    var steps: [String: [MockAnswer]]
    var actions: [String: [MockAnswer]]
    var cancelled: Set<String> = []
  }
  private let state: Mutex<State>

  init(_ file: MockFile?) {
    state = Mutex(State(steps: file?.steps ?? [:], actions: file?.actions ?? [:]))
  }

  /// nil when nobody says anything about this call. Counts the call.
  func take(step: String, action: String) -> MockAnswer? {
    state.withLock { state in
      MockTable.take(&state.steps[step]) ?? MockTable.take(&state.steps[StepPath(step).withoutNumbers.text])
        ?? MockTable.take(&state.actions[action])
    }
  }

  private static func take(_ answers: inout [MockAnswer]?) -> MockAnswer? {
    guard let index = answers?.firstIndex(where: { $0.times != 0 }), let answer = answers?[index] else { return nil }
    if let times = answer.times { answers?[index].times = times - 1 }
    return answer
  }

  /// A call that is under way ends within a second of its own time.
  func cancel(_ key: String) { state.withLock { _ = $0.cancelled.insert(key) } }
  func isCancelled(_ key: String) -> Bool { state.withLock { $0.cancelled.contains(key) } }
}
