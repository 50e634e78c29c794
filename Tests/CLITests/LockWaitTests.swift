import TestSupport
import Testing

/// Runs that wait for a lock.
@Suite struct LockWaitTests {
  private let place: Workplace

  init() throws {
    place = try Workplace()
    try place.write(
      "a.yaml",
      """
      runbook: v1
      name: waits
      inputs: {who: {type: string}}
      locks: [db]
      steps:
        - id: one
          run: "echo $WHO >> trace; while ! test -e go; do sleep 0.05; done"
          env: {WHO: "${{ inputs.who }}"}
          rollback: none

      """)
  }

  private func start(_ who: String, _ options: String...) throws -> Running {
    try place.start(["run", "a.yaml", "--input", "who=\(who)"] + options)
  }

  /// Until so many wait.
  private func waiting(_ count: Int) async throws {
    for _ in 0..<1200 {
      let found = try await place.shell("ls state/runbook/runbook.db.waiting 2>/dev/null | wc -l").stdout
      if found.filter(\.isNumber) == String(count) { return }
      try await Task.sleep(for: .milliseconds(50))
    }
    Issue.record("\(count) never waited")
  }

  @Test func thoseWhoWaitForALockGetItInTheOrderInWhichTheyBeganToWait() async throws {
    let holder = try start("a")
    try await place.waitFor("a", in: "trace")
    var waiters: [Running] = []
    for (number, who) in ["b", "c", "d", "e"].enumerated() {
      waiters.append(try start(who, "--lock-wait", "10m"))
      try await waiting(number + 1)
    }
    try place.write("go", "")
    #expect(try await holder.finish().code == 0)
    for waiter in waiters { #expect(try await waiter.finish().code == 0) }
    #expect(place.read("trace") == "a\nb\nc\nd\ne\n")
    try await waiting(0)
  }

  @Test func aWaitingRunGivesWayToALaterOneThatSaysSo() async throws {
    let holder = try start("a")
    try await place.waitFor("a", in: "trace")
    let early = try start("b", "--lock-wait", "10m")
    try await waiting(1)
    let late = try start("c", "--lock-wait", "10m", "--supersede")
    let told = try await early.finish()
    #expect(told.code == 7 && told.stderr.contains("a later run of the same runbook"), "\(told)")
    try place.write("go", "")
    #expect(try await holder.finish().code == 0)
    #expect(try await late.finish().code == 0)
    #expect(place.read("trace") == "a\nc\n")
  }

  /// Nothing is begun.
  @Test func aRunWhoseTimeToWaitIsOverIsRefused() async throws {
    let holder = try start("a")
    try await place.waitFor("a", in: "trace")
    let late = try await start("b", "--lock-wait", "1s").finish()
    #expect(late.code == 7 && place.read("trace") == "a\n", "\(late)")
    try place.write("go", "")
    #expect(try await holder.finish().code == 0)
  }
}
