/// Runs each piece of a task on a thread of its own, so that calls that block hold up no thread that others need.
public final class ThreadExecutor: TaskExecutor {
  public static let shared = ThreadExecutor()

  public func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    do throws(PosixError) {
      try Thread.start { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    } catch {
      // No thread is to be had: the work must be done all the same.
      globalConcurrentExecutor.enqueue(job)
    }
  }
}
