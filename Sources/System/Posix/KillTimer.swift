import CPosix

/// A timer of the kernel that ends this process at a moment of the boot-time clock, whether it runs or is stopped: the
/// signal is SIGKILL, so no instruction of ours comes after it.
///
/// The first process of a pid namespace (PID 1 of a container) gets no such signal from its own timer.
public struct KillTimer: Sendable {
  private let number: Int32

  /// The one of this process, made with its first use.
  public static let ofProcess: Result<KillTimer, PosixError> = {
    do throws(PosixError) { return .success(try KillTimer()) } catch { return .failure(error) }
  }()

  /// - Throws: the kernel has no timer left for this user, or forbids them.
  public init() throws(PosixError) {
    number = posix_make_kill_timer()
    if number < 0 { throw PosixError("timer_create") }
  }

  /// - Parameter moment: of `BootClock`; one that is over ends the process at once.
  public func arm(at moment: Duration) {
    let (seconds, attoseconds) = (max(moment, .zero) + BootClock.namespaceOffset).components
    // Zero would disarm it.
    let nanoseconds = max(attoseconds / 1_000_000_000, seconds <= 0 ? 1 : 0)
    _ = posix_set_kill_timer(number, max(seconds, 0), nanoseconds)
  }

  public func disarm() { _ = posix_set_kill_timer(number, 0, 0) }
}
