import Runbook
import Synchronization

/// When calls of a rebuild were last seen not to have taken effect, by their keys. Of all runs of the process on one
/// account; a new process knows only when the intent was journaled.
final class ZomroRebuildLooks: Sendable {
  /// No rebuild begins and ends within this time (a minute is the least that is known), so that two looks that are no
  /// further apart miss none.
  static let shortestRebuild: Duration = .seconds(45)
  /// More than any process has under way.
  private static let most = 1000

  private let seen = Mutex<[String: Timestamp]>([:])

  /// It is about to be sent: until now it has certainly had no effect.
  func note(_ key: String, at now: Timestamp) {
    seen.withLock { seen in
      if seen.count >= ZomroRebuildLooks.most, let oldest = seen.min(by: { $0.value < $1.value }) {
        seen[oldest.key] = nil
      }
      seen[key] = now
    }
  }

  /// A look that saw no rebuild.
  /// - Returns: whether there certainly was none since the request.
  func look(_ key: String, at now: Timestamp, since intended: Timestamp) -> Bool {
    let last = seen.withLock { $0[key] } ?? intended
    guard now - last <= ZomroRebuildLooks.shortestRebuild else { return false }
    note(key, at: now)
    return true
  }
}
