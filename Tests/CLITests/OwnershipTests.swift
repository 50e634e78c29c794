import Glibc
import Posix
import Runbook
import TestSupport
import Testing

/// Whether the owner of a run lives, as another process of the real command sees it.
@Suite struct OwnershipTests {
  /// Starts a run that waits in its second step. `line`: shell that starts `"$@"`, the command and its arguments.
  private func started(
    _ place: Workplace, through line: String = "exec \"$@\""
  ) async throws -> (running: Running, id: String) {
    try place.write("a.yaml", Sample.waits)
    let running = try place.start(program: "/bin/sh", ["sh", "-c", line, "sh", Workplace.binary, "run", "a.yaml"])
    try await running.waitFor("two … run")
    for _ in 0..<2000 where !place.read("trace").contains("two") { try await Task.sleep(for: .milliseconds(5)) }
    return (running, try #require(Finished(stdout: running.stdout, stderr: "").runID))
  }

  /// The same command by way of `line`, in which `$R` is the command and `$ID` the run.
  private func isRefused(_ line: String, _ id: String, in place: Workplace) async throws {
    let refused = try await place.shell(line, ["ID": id])
    #expect(refused.code == 7, "\(line): \(refused)")
    #expect(refused.stderr.contains("run \(id) belongs to process "), "\(refused.stderr)")
    #expect(refused.stderr.contains(" on \(Host.name), which was last active "), "\(refused.stderr)")
    #expect(refused.stderr.contains("s ago"), "\(refused.stderr)")
    #expect(place.read("trace") == "one\ntwo\n")
  }

  static let hasNamespaces = Permission.isGiven("unshare --pid --fork --mount-proc --mount true")
  static let hasTimeNamespaces = Permission.isGiven("unshare --time --boottime 100 true")
  static let hasCompiler = Permission.isGiven("command -v cc")

  @Test(.enabled(if: hasNamespaces, "making a pid namespace is not permitted here: run as root"))
  func anOwnerInAnotherPidNamespaceIsNotRobbed() async throws {
    let place = try Workplace()
    let (running, id) = try await started(place, through: "exec unshare --pid --fork --mount-proc \"$@\"")
    try await isRefused("exec $R resume $ID", id, in: place)
    #expect(try await place.run("list").stderr == "")
    try place.write("go", "")
    #expect(try await running.finish().code == 0)
    #expect(place.read("trace") == "one\ntwo\ndone-two\nthree\n")
  }

  /// No process can be looked at: those of others are hidden (`hidepid`), or all but our own.
  @Test(
    .enabled(if: hasNamespaces, "making a mount namespace is not permitted here: run as root"),
    arguments: ["mount -t proc -o hidepid=2 proc /proc", "mount -t proc -o subset=pid,hidepid=2 proc /proc"])
  func whoeverCannotSeeProcessesRobsNobody(_ mount: String) async throws {
    let place = try Workplace()
    let (running, id) = try await started(place)
    try await isRefused("exec unshare --mount sh -c '\(mount) && exec $R resume $ID'", id, in: place)
    try place.write("go", "")
    #expect(try await running.finish().code == 0)
  }

  @Test(.enabled(if: hasTimeNamespaces, "making a time namespace is not permitted here: run as root"))
  func anOwnerInAnotherTimeNamespaceIsNotRobbed() async throws {
    let place = try Workplace()
    let (running, id) = try await started(place, through: "exec unshare --time --boottime 5000 \"$@\"")
    try await isRefused("exec $R resume $ID", id, in: place)
    try await isRefused("exec unshare --time --boottime 90000 $R resume $ID", id, in: place)
    try place.write("go", "")
    #expect(try await running.finish().code == 0)
  }

  @Test(.enabled(if: hasCompiler, "no C compiler to build a library that fakes the time"), arguments: [20, -86_400])
  func aWallClockThatIsWrongRobsNobody(_ seconds: Int) async throws {
    let place = try Workplace()
    try place.write(
      "clock.c",
      """
      #define _GNU_SOURCE
      #include <sys/syscall.h>
      #include <time.h>
      #include <unistd.h>
      int clock_gettime(clockid_t which, struct timespec *now) {
        int result = syscall(SYS_clock_gettime, which, now);
        if (which == CLOCK_REALTIME) now->tv_sec += \(seconds);
        return result;
      }
      """)
    #expect(try await place.shell("cc -shared -fPIC -o clock.so clock.c").code == 0)
    let (running, id) = try await started(place)
    try await isRefused("LD_PRELOAD=$PWD/clock.so exec $R resume $ID", id, in: place)
    let listed = try await place.shell("LD_PRELOAD=$PWD/clock.so $R list")
    #expect(listed.stderr == "")
    // The clock is faked indeed. The times of the run go on without the jump.
    let wrong = try await place.shell("LD_PRELOAD=$PWD/clock.so $R eval 'now()'").stdout
    let right = try await place.shell("$R eval 'now()'").stdout
    let instants = [wrong, right].compactMap { Timestamp($0.filter { $0 != "\"" && $0 != "\n" }) }
    let jump = try #require(instants.count == 2 ? instants[0] - instants[1] : nil)
    #expect(jump > .seconds(seconds - 9) && jump < .seconds(seconds + 9))
    try place.write("go", "")
    #expect(try await running.finish().code == 0)
  }

  @Test func ofFiveRetriesOfOneKeyOneCarriesTheRunOnAndTheOthersWatchIt() async throws {
    let place = try Workplace()
    try place.write("a.yaml", Sample.waits)
    let killed = try place.start(["run", "a.yaml", "--key", "ci"])
    try await killed.waitFor("two … run")
    for _ in 0..<2000 where !place.read("trace").contains("two") { try await Task.sleep(for: .milliseconds(5)) }
    killed.send(SIGKILL)
    #expect(try await killed.finish().signal == SIGKILL)
    let retries = try (0..<5).map { _ in try place.start(["run", "a.yaml", "--key", "ci"]) }
    for retry in retries { try await retry.waitForMessage("of this key") }
    try place.write("go", "")
    for retry in retries {
      let ended = try await retry.finish()
      #expect(ended.code == 0, "\(ended)")
    }
    #expect(place.read("trace") == "one\ntwo\ndone-two\nthree\n")
    #expect(try await place.run("list", "-q").lines.count == 1)
  }

  @Test func whoWatchesARunOfItsKeyCarriesItOnWhenItsOwnerIsKilled() async throws {
    let place = try Workplace()
    try place.write("a.yaml", Sample.waits)
    let first = try place.start(["run", "a.yaml", "--key", "ci"])
    try await first.waitFor("two … run")
    for _ in 0..<2000 where !place.read("trace").contains("two") { try await Task.sleep(for: .milliseconds(5)) }
    let second = try place.start(["run", "a.yaml", "--key", "ci"])
    try await second.waitForMessage("watching it")
    first.send(SIGKILL)
    _ = try await first.finish()
    try await second.waitForMessage("carrying it on")
    try place.write("go", "")
    #expect(try await second.finish().code == 0)
    #expect(place.read("trace") == "one\ntwo\ndone-two\nthree\n")
  }
}

/// A neighbour that is frozen while it holds the store's file lock.
@Suite struct NeighbourTests {
  /// Holds the lock for as long as the answer lives.
  private func hold(_ place: Workplace, _ seconds: Int) throws -> Running {
    let lock = place.path("state/runbook/runbook.db.lock")
    return try place.start(
      program: "/usr/bin/flock", ["flock", "-F", lock, "sh", "-c", "echo held; exec sleep \(seconds)"])
  }

  /// The run's lease ends meanwhile, and its request is answered after that.
  @Test func aFrozenNeighbourAndASlowAnswerEndNoRun() async throws {
    let place = try Workplace()
    let ledger = DelayedLedger(slow: 12)
    defer { ledger.stop() }
    try place.write(
      "a.yaml",
      """
      runbook: v1
      name: patient
      steps:
        - {id: begin, run: "touch begun; while ! test -e go; do sleep 0.1; done", rollback: none}
        - id: one
          action: http.post
          with: {url: "\(ledger.url)/slow", body: "{}"}
          rollback: none
        - {id: two, action: http.post, with: {url: "\(ledger.url)/two", body: "{}"}, rollback: none}

      """)
    let running = try place.start(["run", "a.yaml"])
    for _ in 0..<3000 where !place.exists("begun") { try await Task.sleep(for: .milliseconds(10)) }
    let neighbour = try hold(place, 14)
    try await neighbour.waitFor("held")
    try place.write("go", "")
    let ended = try await running.finish()
    #expect(ended.code == 0, "\(ended)")
    let words = "waiting for `\(place.path("state/runbook/runbook.db.lock"))`, held by process "
    #expect(ended.stderr.contains(words), "\(ended.stderr)")
    #expect(ended.stderr.contains(" for 10s\n"), "\(ended.stderr)")
    #expect(ledger.requests == ["POST /slow", "POST /two"])
    _ = try await neighbour.finish()
  }

  @Test func aRunThatWaitsForANeighbourCanBeLeft() async throws {
    let place = try Workplace()
    try place.write("a.yaml", Sample.waits)
    let running = try place.start(["run", "a.yaml"])
    try await running.waitFor("two … run")
    let neighbour = try hold(place, 60)
    try await neighbour.waitFor("held")
    try place.write("go", "")
    running.send(SIGINT)
    try await running.waitForMessage("cancelling")
    running.send(SIGINT)
    try await running.waitForMessage("leaving")
    running.send(SIGINT)
    #expect(try await running.finish().code == 9)
    neighbour.send(SIGKILL)
    _ = try await neighbour.finish()
  }
}
