import CPosix

/// A thread of its own, for calls that block. It ends with its work.
public enum Thread {
  private final class Work: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  public static func start(_ body: @escaping @Sendable () -> Void) throws(PosixError) {
    let context = unsafe Unmanaged.passRetained(Work(body))
    let code = unsafe posix_start_thread(
      { context in
        guard let context = unsafe context else { return nil }
        unsafe Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body()
        return nil
      }, context.toOpaque())
    if code != 0 {
      unsafe context.release()
      throw PosixError(code, in: "pthread_create")
    }
  }

  /// Runs blocking work on a thread of its own and suspends the caller meanwhile.
  public static func run<T: Sendable>(_ body: @escaping @Sendable () -> T) async throws(PosixError) -> T {
    let outcome: Result<T, PosixError> = await withCheckedContinuation { continuation in
      do throws(PosixError) {
        try start { continuation.resume(returning: .success(body())) }
      } catch {
        continuation.resume(returning: .failure(error))
      }
    }
    return try outcome.get()
  }
}
