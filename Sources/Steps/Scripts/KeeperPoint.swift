/// Where a keeper is on the way of a script, for tests that kill it there or deny it what comes next.
package enum KeeperPoint: String, CaseIterable, Sendable {
  /// It has read the order.
  case ordered
  /// It holds the lock of the folder; what comes next is a new process.
  case locked
  /// The child waits; nothing tells of it.
  case forked
  /// The child is told of on the disk.
  case recorded
  /// The child has become its program.
  case released
  /// The engine was told.
  case answered
  /// The program has ended.
  case ended
  /// Its end is on the disk.
  case written
}

/// Called at each point with the key of the script. - Returns: 0, or the number of an error that happens there.
package typealias KeeperProbe = (_ key: String, _ point: KeeperPoint) -> Int32

/// Where an engine is on the way of a start, for tests that end it there.
package enum EnginePoint: String, CaseIterable, Sendable {
  case called
  /// The script's folder is there.
  case folderMade
  /// The keeper has its order, or will read it.
  case ordered
  /// The keeper has said that it runs.
  case answered
}
