import Dispatch

/// The one serial queue on which runs are decided and journaled. SQLite blocks while it flushes; here that holds up
/// nobody but other runs that want to flush too, never the shared pool.
public final class EngineExecutor: SerialExecutor {
  public static let shared = EngineExecutor()
  private let queue = DispatchQueue(label: "runbook.engine")

  public func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async { unsafe job.runSynchronously(on: self.asUnownedSerialExecutor()) }
  }

  public func asUnownedSerialExecutor() -> UnownedSerialExecutor { unsafe UnownedSerialExecutor(ordinary: self) }
}
