import Runbook
import SQLite

// How long waits took: advice, kept for the rhythm of later ones.
extension SQLiteStore {
  /// So many of each kind are kept.
  private static let kept: Int64 = 20

  public func usualDuration(of key: String) -> Duration? {
    let all = try? read { database in
      try database.connection.all("SELECT took FROM durations WHERE key = ? ORDER BY took", .text(key)) {
        $0.integer(0)
      }
    }
    guard let all, !all.isEmpty else { return nil }
    return .nanoseconds(max(all[all.count / 2], 0))
  }

  public func noteDuration(_ duration: Duration, of key: String) {
    guard key.utf8.count <= 1000, !isOutOfSpace else { return }
    let took = min(max(duration, .zero), .seconds(366 * 86_400))
    let nanoseconds = took.components.seconds * 1_000_000_000 + took.components.attoseconds / 1_000_000_000
    _ = try? write(.forNewWork) { database in
      let connection = database.connection
      try connection.run("INSERT INTO durations (key, took) VALUES (?, ?)", .text(key), .integer(nanoseconds))
      try connection.run(
        """
        DELETE FROM durations WHERE key = ?1 AND number <= (
          SELECT number FROM durations WHERE key = ?1 ORDER BY number DESC LIMIT 1 OFFSET ?2)
        """, .text(key), .integer(Self.kept))
    }
  }
}
