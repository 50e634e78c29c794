import Dispatch

/// Where runs are decided and journaled. Everything on it runs one after the other, so that a run's state never changes
/// between two lines without an `await`.
@globalActor public actor EngineActor {
  public static let shared = EngineActor()
  nonisolated public var unownedExecutor: UnownedSerialExecutor {
    unsafe EngineExecutor.shared.asUnownedSerialExecutor()
  }
}

/// The one serial queue behind it.
final class EngineExecutor: SerialExecutor {
  static let shared = EngineExecutor()
  private let queue = DispatchQueue(label: "runbook.engine")

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async { unsafe job.runSynchronously(on: self.asUnownedSerialExecutor()) }
  }

  func asUnownedSerialExecutor() -> UnownedSerialExecutor { unsafe UnownedSerialExecutor(ordinary: self) }
}
