/// The line in which runs wait for locks: a lock goes to the run that began to wait first.
public protocol LockLine: Sendable {
  /// Takes a place at the end of the line.
  /// - Parameters:
  ///   - runbook: the name of the waiting run's runbook.
  ///   - now: of the boot-time clock.
  ///   - number: tells apart two that come at the same moment.
  /// - Returns: nil if there is no line: then nobody waits in order.
  func join(_ locks: [String], runbook: String, now: Duration, number: UInt64) async -> (any LockPlace)?
}

/// A place in the line, until it is left.
public protocol LockPlace {
  /// No run that began to wait earlier wants one of these locks.
  var isNext: Bool { get async }
  /// A later run of the same runbook replaces this one.
  var isSuperseded: Bool { get async }
  /// Tells the runs that wait for one of these locks with the same runbook, and began earlier, to give way.
  /// - Returns: how many there are.
  func supersede(runbook: String) async -> Int
  func leave() async
}

/// How a run waits for its locks.
public struct LockWait: Sendable {
  public var limit: Duration
  /// Earlier waiting runs of the same runbook are told to give way.
  public var supersedes: Bool
  public var line: any LockLine

  public init(limit: Duration, supersedes: Bool, line: any LockLine) {
    self.limit = limit
    self.supersedes = supersedes
    self.line = line
  }
}
