import Runbook
import Synchronization

/// A filter that somebody sets in the panel is stored there, and shapes the lists that we read as well. It is cleared
/// before a list that must be whole, and before one that did not show what is looked up; otherwise only if that was
/// long ago. Of all runs of the process on one account.
final class ZomroFilters: Sendable {
  /// How long a cleared list is trusted.
  static let trust: Duration = .seconds(60)

  private let clearedAt = Mutex<[String: Duration]>([:])

  func isTrusted(_ list: String, _ now: Duration) -> Bool {
    clearedAt.withLock { times in times[list].map { now < $0 + ZomroFilters.trust } ?? false }
  }

  func cleared(_ list: String, _ now: Duration) { clearedAt.withLock { $0[list] = now } }
}
