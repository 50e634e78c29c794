import Synchronization

/// The tasks in which orders are carried out. They end with the task that works on the run.
final class LeafTasks: Sendable {
  private struct State {
    var tasks: [StepPath: Task<Void, Never>] = [:]
    var isCancelled = false
  }

  private let state = Mutex(State())

  /// A task that has come back already is not kept.
  func keep(_ task: Task<Void, Never>, of path: StepPath, unless hasComeBack: Bool) {
    let isCancelled = state.withLock { state in
      if !hasComeBack { state.tasks[path] = task }
      return state.isCancelled
    }
    if isCancelled { task.cancel() }
  }

  func remove(_ path: StepPath) { state.withLock { $0.tasks[path] = nil } }

  func cancelAll() {
    let tasks = state.withLock { state in
      state.isCancelled = true
      return state.tasks
    }
    for task in tasks.values { task.cancel() }
  }
}
