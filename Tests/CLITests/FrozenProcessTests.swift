import Glibc
import Posix
import Runbook
import TestSupport
import Testing

/// The real command, stopped at a system call until its lease has ended and another process has carried the run on;
/// then it wakes. Whatever it was about to send or to start must not arrive any more.
@Suite(.serialized) struct FrozenProcessTests {
  typealias Point = StoppedCommand.Point

  /// Every call that a request is made of, or a few.
  static let requestPoints: [[Point]] =
    Campaign.isLong
    ? points(
      [
        "socket": 6, "connect": 2, "getsockopt": 4, "sendto": 3, "recvfrom": 3, "timer_create": 1, "timer_settime": 3,
        "setsockopt": 6, "epoll_ctl": 8, "epoll_wait": 6, "poll": 4, "futex": 12, "write": 6,
      ])
    : points(["getsockopt": 1, "timer_settime": 1, "sendto": 1])

  /// Every call that the start of a script is made of, in the engine, in its keeper, and in the script's own process
  /// before it becomes the script; or a few.
  static let scriptPoints: [[Point]] =
    Campaign.isLong
    ? points([
      "mkdir": 3, "fsync": 4, "socketpair": 1, "write": 6, "read": 20, "poll": 10, "timer_create": 1,
      "timer_settime": 3, "pipe2": 6, "openat": 20, "vfork": 2, "clone": 4, "clone3": 8,
    ]) + groups(keeperAndChild + [becomesTheScript])
    : groups([Point(call: "timer_settime", number: 1), Point(call: "socketpair", number: 1)])

  /// Counted over all processes: the keeper's process makes the first of them, then those of the scripts of the two
  /// steps. Of `dup2` those are left out that the first script makes itself.
  private static let keeperAndChild: [Point] = [
    ("setsid", Array(1...3)), ("dup2", Array(1...6) + Array(10...12)), ("close_range", Array(1...7)),
    ("timer_create", Array(1...3)), ("timer_settime", Array(1...6)),
  ].flatMap { call, numbers in numbers.map { Point(call: call, number: $0, counting: .ofAll) } }

  /// With its timer set, and not yet the script.
  private static let becomesTheScript = Point(call: "execve", number: 1, counting: .held(path: "/bin/sh"))

  private static func points(_ counts: [String: Int]) -> [[Point]] {
    groups(
      counts.sorted { $0.key < $1.key }.flatMap { call, count in (1...count).map { Point(call: call, number: $0) } })
  }

  /// In groups of which all points are tried at once: each waits ten seconds for the end of a lease.
  private static func groups(_ all: [Point]) -> [[Point]] {
    stride(from: 0, to: all.count, by: 8).map { Array(all[$0..<min($0 + 8, all.count)]) }
  }

  private func all(_ points: [Point], _ body: @escaping @Sendable (Point) async throws -> Bool) async throws {
    try await withThrowingTaskGroup(of: Bool.self) { group in
      // One process a point; the group waits for all of them.
      for point in points { group.addTask { try await body(point) } }
      for try await hasFired in group where !Campaign.isLong { #expect(hasFired, "the run was not stopped") }
    }
  }

  /// Stops the run at the point, lets another process carry it on to its end, wakes the first one, and looks whether
  /// anything has happened since.
  /// - Returns: false if there was no run yet when it stopped, or it never stopped.
  private func check(_ point: Point, in place: Workplace, _ effects: () -> [String]) async throws -> Bool {
    let first = try StoppedCommand(["run", "a.yaml"], at: point, in: place)
    guard try await first.waitForStop() else {
      _ = try await first.tracer.finish()
      return false
    }
    first.stop()
    let list = try place.start(["list", "-q"])
    guard let listed = try await end(of: list) else { return try await giveUp(first, list) }
    let id = listed.lines.first
    var second = Finished(stdout: "", stderr: "")
    if let id {
      for _ in 0..<60 {
        let running = try place.start(["resume", id])
        guard let ended = try await end(of: running) else { return try await giveUp(first, running) }
        second = ended
        if second.code != 7 { break }
        #expect(second.stderr.contains("belongs to process"), "\(second)")
        try await Task.sleep(for: .milliseconds(500))
      }
      // It may have stopped after its end, and a script whose start is in doubt may need a person.
      #expect([0, 2, 3, 6].contains(second.code), "\(point): \(second)")
    }
    let before = effects()
    first.wake()
    let ended = try await finish(first)
    if id != nil { #expect(effects() == before, "\(point): \(ended) after \(second)") }
    return id != nil
  }

  /// nil if it waits for the store's lock.
  private func end(of running: Running) async throws -> Finished? {
    while Children.ended(running.pid) == nil {
      if running.stderr.contains("waiting for `") { return nil }
      try await Task.sleep(for: .milliseconds(20))
    }
    return try await running.finish()
  }

  /// It was stopped while it held the store's lock: then nobody can take its run over.
  private func giveUp(_ first: StoppedCommand, _ waiting: Running) async throws -> Bool {
    _ = try await finish(first)
    _ = try await waiting.finish()
    return false
  }

  /// A thread that was not stopped by its own call may be stopped by it later: it is woken until it has ended.
  private func finish(_ command: StoppedCommand) async throws -> Finished {
    async let ended = command.tracer.finish()
    // Beside the wait for its end, and over with it.
    let waker = Task {
      while !Task.isCancelled {
        command.wake()
        try? await Task.sleep(for: .milliseconds(200))
      }
    }
    defer { waker.cancel() }
    return try await ended
  }

  @Test(
    .enabled(if: StoppedCommand.isPermitted, Comment(rawValue: StoppedCommand.whyNot)), arguments: requestPoints)
  func noRequestOfAFrozenOwnerArrivesAfterItsRunWasTakenOver(_ points: [Point]) async throws {
    try await all(points) { try await request($0) }
  }

  private func request(_ point: Point) async throws -> Bool {
    let place = try Workplace()
    let ledger = DelayedLedger()
    defer { ledger.stop() }
    try place.write(
      "a.yaml",
      """
      runbook: v1
      name: frozen
      steps:
        - {id: one, action: http.put, with: {url: "\(ledger.url)/one", body: "{}"}, rollback: none}
        - {id: two, action: http.put, with: {url: "\(ledger.url)/two", body: "{}"}, rollback: none}

      """)
    let hasFired = try await check(point, in: place) { ledger.requests }
    if hasFired { #expect(Set(ledger.requests) == ["PUT /one", "PUT /two"]) }
    return hasFired
  }

  @Test(
    .enabled(if: StoppedCommand.isPermitted, Comment(rawValue: StoppedCommand.whyNot)), arguments: scriptPoints)
  func noScriptOfAFrozenOwnerStartsAfterItsRunWasTakenOver(_ points: [Point]) async throws {
    try await all(points) { try await script($0) }
  }

  /// A script whose keeper is stopped too counts as running until its step's time is over.
  private func script(_ point: Point) async throws -> Bool {
    let place = try Workplace()
    try place.write(
      "a.yaml",
      """
      runbook: v1
      name: frozen
      steps:
        - {id: one, run: echo one >> trace, timeout: 20s, rollback: [{run: echo undo >> trace}]}
        - {id: two, run: echo two >> trace, timeout: 20s, rollback: none}

      """)
    return try await check(point, in: place) { [place.read("trace")] }
  }
}
