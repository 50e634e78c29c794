/// Whether a run is certainly ours, asked at the last moment before something leaves: a byte of a request, the start of
/// a script.
///
/// From `begin` to `end` a timer of the kernel stands at the moment until which the run is certainly ours: a process
/// that is stopped in between, and would send when it wakes, is ended by the kernel. So the stretch is as short as it
/// can be: it ends when the last byte has left or the script has started, never with the answer.
public protocol Tenure: Sendable {
  /// May something be sent or started now? True opens a stretch, which `end` closes.
  func begin() -> Bool
  func end()
  var standing: TenureStanding { get }
  /// Until when a stretch may begin, as far as is known now.
  var until: BootTime { get }
}

public enum TenureLimit {
  /// How long a stretch may go on after `until`; then the kernel ends the process. The lease ends later still.
  public static let stretch: Duration = .milliseconds(500)
}

public enum TenureStanding: Sendable, Equatable {
  /// Something may be sent or started.
  case held
  /// Not now: the lease has ended and was not renewed yet. It may be again.
  case passed
  /// Never again: another process has taken the run over.
  case lost
}

extension Tenure {
  /// Waits while the run is not certainly ours.
  /// - Returns: false if it never will be again, or the task was cancelled.
  func isRegained(_ clock: any EngineClock) async -> Bool {
    while standing == .passed, !Task.isCancelled { await clock.sleep(for: .milliseconds(100)) }
    return standing == .held && !Task.isCancelled
  }
}
