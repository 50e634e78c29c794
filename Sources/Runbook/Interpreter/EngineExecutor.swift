import Glibc
import Synchronization

/// The one thread on which runs are decided and journaled. SQLite blocks while it flushes; here that holds up nobody but
/// other runs that want to flush too, never the shared pool.
public final class EngineExecutor: SerialExecutor {
  public static let shared = EngineExecutor()

  /// Guarded by `mutex`; `condition` says that `jobs` is not empty.
  @safe private final class Queue: @unchecked Sendable {
    private var mutex = unsafe pthread_mutex_t()
    private var condition = unsafe pthread_cond_t()
    private var jobs: [UnownedJob] = []

    init() {
      unsafe pthread_mutex_init(&mutex, nil)
      unsafe pthread_cond_init(&condition, nil)
    }

    func push(_ job: UnownedJob) {
      unsafe pthread_mutex_lock(&mutex)
      jobs.append(job)
      unsafe pthread_cond_signal(&condition)
      unsafe pthread_mutex_unlock(&mutex)
    }

    func popAll() -> [UnownedJob] {
      unsafe pthread_mutex_lock(&mutex)
      while jobs.isEmpty { unsafe pthread_cond_wait(&condition, &mutex) }
      let due = jobs
      jobs.removeAll(keepingCapacity: true)
      unsafe pthread_mutex_unlock(&mutex)
      return due
    }
  }

  private let queue = Queue()

  private init() {
    var attributes = unsafe pthread_attr_t()
    unsafe pthread_attr_init(&attributes)
    unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    // Recursive walks over documents and expressions are bounded, but not by 512 KiB.
    unsafe pthread_attr_setstacksize(&attributes, 4 << 20)
    var thread = pthread_t()
    let context = unsafe Unmanaged.passRetained(self).toOpaque()
    let code = unsafe pthread_create(
      &thread, &attributes,
      { context in
        if let context = unsafe context {
          unsafe Unmanaged<EngineExecutor>.fromOpaque(context).takeUnretainedValue().work()
        }
        return nil
      }, context)
    unsafe pthread_attr_destroy(&attributes)
    precondition(code == 0, "the engine's thread could not be started")
  }

  private func work() {
    while true {
      for job in queue.popAll() { unsafe job.runSynchronously(on: asUnownedSerialExecutor()) }
    }
  }

  public func enqueue(_ job: consuming ExecutorJob) { queue.push(UnownedJob(job)) }

  public func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }
}
