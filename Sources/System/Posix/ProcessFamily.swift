import CPosix

/// A process that was started in a session of its own, and everything that came from it.
///
/// Found by session and group, by descent, and, for those that left both (`setsid` and an ended parent), by the
/// process that adopts our orphans and by a variable of their environment. What began before the family did
/// (`bystanders`) is not part of it. One that left its session and cleared its environment while nobody adopts orphans
/// is not found.
public struct ProcessFamily: Sendable {
  public let root: ProcessIdentity
  /// Pid of the process that adopts the orphans; 0 if there is none.
  public let adopter: Int32
  /// Children of the adopter that belong to others.
  public let bystanders: Set<Int32>
  /// `NAME=value`, which the root was given and its descendants inherit; nil: none.
  public let mark: String?

  public init(root: ProcessIdentity, adopter: Int32 = 0, bystanders: Set<Int32> = [], mark: String? = nil) {
    self.root = root
    self.adopter = adopter
    self.bystanders = bystanders
    self.mark = mark
  }

  /// All that live now, zombies left out.
  public func members() -> [ProcessEntry] {
    let wanted = mark.map { Array($0.utf8) }
    return members(of: ProcessEntry.all()) { entry in
      guard let wanted, entry.start >= root.start else { return nil }
      return isMarked(entry, wanted)
    }
  }

  private func isMarked(_ entry: ProcessEntry, _ wanted: [UInt8]) -> Bool? {
    let name = wanted.prefix { $0 != UInt8(ascii: "=") } + [UInt8(ascii: "=")]
    var environment = entry.environment
    // In the middle of exec(2) a process has no environment for a moment; one that has cleared its own stays so.
    for _ in 0..<5 where environment.isEmpty && entry.parent == adopter {
      guard ProcessEntry(entry.pid)?.isZombie == false else { break }
      Self.pause(.milliseconds(2))
      environment = entry.environment
    }
    if let found = environment.first(where: { $0.starts(with: name) }) { return found.elementsEqual(wanted) }
    return entry.parent == adopter && isBeginning(entry, environment) ? false : nil
  }

  /// Whether it is a process that the adopter has just forked for another family, and whose program has not begun: it
  /// still has the adopter's environment and program.
  private func isBeginning(_ entry: ProcessEntry, _ environment: [ArraySlice<UInt8>]) -> Bool {
    guard let own = ProcessEntry(adopter), own.environment.elementsEqual(environment, by: { $0.elementsEqual($1) })
    else { return false }
    return own.isOfTheProgram(of: entry)
  }

  /// - Parameter isMarked: whether a process bears our mark; false: another family's; nil: none, or it cannot be told.
  func members(
    of table: [ProcessEntry], isMarked: (ProcessEntry) -> Bool? = { _ in nil }
  ) -> [ProcessEntry] {
    guard root.bootID == Host.bootID else { return [] }
    // The kernel gives a pid out again only when no session and no group has its number: then nobody of ours is in
    // them.
    let isReused = table.contains { $0.pid == root.pid && $0.start != root.start }
    var family: Set<Int32> = []
    for entry in table
    where !isReused && (entry.pid == root.pid || entry.session == root.pid || entry.group == root.pid) {
      family.insert(entry.pid)
    }
    if adopter != 0 {
      for entry in table
      where entry.parent == adopter && !bystanders.contains(entry.pid) && entry.start >= root.start
        && isMarked(entry) != false
      {
        family.insert(entry.pid)
      }
    }
    for entry in table where !family.contains(entry.pid) && isMarked(entry) == true { family.insert(entry.pid) }
    var grew = true
    while grew {
      grew = false
      for entry in table where family.contains(entry.parent) && family.insert(entry.pid).inserted { grew = true }
    }
    return table.filter { family.contains($0.pid) && !$0.isZombie }
  }

  /// Sends `signal` to all members, and lets those go on that were stopped: a stopped process takes no notice.
  /// - Returns: how many there are.
  @discardableResult
  public func signal(_ signal: Int32) -> Int {
    let members = members()
    for member in members {
      send(signal, to: member)
      if signal != SIGKILL { send(SIGCONT, to: member) }
    }
    return members.count
  }

  /// TERM to all of them, after `grace` KILL, until nobody is left. Blocks; call it on a thread of its own.
  /// - Returns: how many could not be ended within ten seconds of KILL (a process stuck in the kernel).
  public func stop(grace: Duration) -> Int {
    signal(SIGTERM)
    let patience = Monotonic.now + grace
    var pause = Duration.milliseconds(2)
    while Monotonic.now < patience {
      if members().isEmpty { return 0 }
      Self.pause(pause)
      pause = min(pause * 2, .milliseconds(50))
    }
    let end = Monotonic.now + .seconds(10)
    while true {
      let left = members()
      if left.isEmpty { return 0 }
      if Monotonic.now >= end { return left.count }
      for member in left { send(SIGKILL, to: member) }
      Self.pause(.milliseconds(2))
    }
  }

  /// Through a handle, so that the signal cannot reach a later process of the same pid.
  private func send(_ signal: Int32, to entry: ProcessEntry) {
    guard let handle = try? ProcessHandle(entry.pid), ProcessEntry(entry.pid)?.start == entry.start else { return }
    _ = pidfd_send_signal(handle.descriptor.number, signal, nil, 0)
  }

  private static func pause(_ duration: Duration) { _ = try? Poll.wait(for: [], timeout: duration) }
}
