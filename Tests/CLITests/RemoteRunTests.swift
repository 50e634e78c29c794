import Glibc
import Posix
import Runbook
import Synchronization
import TestSupport
import Testing

/// The command and a script on another machine, over a real OpenSSH server: killed, cancelled, and planned.
@Suite(.enabled(if: RemoteRun.whyNot == nil, "there is no OpenSSH server to try it with"))
struct RemoteRunTests {
  @Test("an engine that is killed at any message starts the script once, undoes it after its end, and once")
  func anEngineThatIsKilledAtAnyMessageUndoesTheScriptAfterItsEndAndOnce() async throws {
    let whole = try RemoteRun()
    #expect(try await whole.place.run("run", "a.yaml").code == 3)
    #expect(whole.ledger == ["start", "end", "undo"])
    let count = whole.proxy.messages(of: 0)
    #expect(count > 20)
    let points = Campaign.isLong ? Array(1...count) : [4, count / 2] + Array((count - 7)...count)
    for start in stride(from: 0, to: points.count, by: 5) {
      try await withThrowingTaskGroup(of: Bool.self) { group in
        for number in points[start..<min(start + 5, points.count)] {
          group.addTask { try await Self.check(killedAt: number) }
        }
        var fired = 0
        for try await hasFired in group where hasFired { fired += 1 }
        #expect(fired > 0)
      }
    }
  }

  private final class Victim: Sendable { let pid = Mutex<Int32>(0) }

  private static func check(killedAt number: Int) async throws -> Bool {
    let victim = Victim()
    let run = try RemoteRun(
      fault: .init(number: number, cuts: false) { _ = kill(victim.pid.withLock { $0 }, SIGKILL) })
    let running = try run.place.start(["run", "a.yaml"])
    victim.pid.withLock { $0 = running.pid }
    let first = try await running.finish()
    if first.signal == SIGKILL {
      let id = try #require(first.runID)
      let second = try await run.place.run("resume", id)
      #expect(second.code == 3, "killed at message \(number): \(second)")
    }
    // An order that did not arrive has started nothing, and nobody can be sure of it: it is undone.
    let isRun = run.ledger == ["start", "end", "undo"]
    #expect(isRun || first.signal == SIGKILL && run.ledger == ["undo"], "killed at message \(number): \(run.ledger)")
    return run.proxy.hasFired
  }

  @Test("Ctrl-C reaches the script: it is ended before it is undone, and the screen says what is awaited")
  func controlCReachesTheScript() async throws {
    let run = try RemoteRun(script: "sleep 600; echo late")
    let running = try run.place.start(["run", "a.yaml"])
    try await run.waitForStart()
    running.send(SIGINT)
    let ended = try await running.finish()
    #expect(ended.code == 5, "\(ended)")
    #expect(run.ledger == ["start", "undo"])
    #expect(ended.said("telling 127.0.0.1 to stop the script"), "\(ended)")
  }

  @Test("a cancel of a run whose engine is gone ends the script before it is undone")
  func aCancelAfterAKillEndsTheScript() async throws {
    let run = try RemoteRun(script: "sleep 600; echo late")
    let running = try run.place.start(["run", "a.yaml"])
    try await run.waitForStart()
    running.send(SIGKILL)
    let id = try #require(try await running.finish().runID)
    #expect(try await run.place.run("cancel", id).code == 0)
    let ended = try await run.place.run("resume", id)
    #expect(ended.code == 5, "\(ended)")
    #expect(run.ledger == ["start", "undo"])
  }

  @Test("what a script on another machine writes is read by another process while it is written")
  func whatAScriptWritesIsReadByAnotherProcessWhileItIsWritten() async throws {
    let run = try RemoteRun(script: "echo one; while ! test -e GATE-1; do sleep 0.05; done; echo two; echo three >&2")
    try run.place.write("a.yaml", run.place.read("a.yaml").replacing("GATE", with: run.place.path("gate")))
    let running = try run.place.start(["run", "a.yaml"])
    try await run.waitForStart()
    let id = try #require(Finished(stdout: running.stdout, stderr: "").runID)
    let follower = try run.place.start(["logs", id, "--output", "change", "--follow"])
    try await follower.waitFor("one\n")
    // The script waits for us: all of this came from one that runs.
    #expect(run.ledger == ["start"] && follower.stdout == "one\n")
    #expect(try await run.place.run("logs", id, "--output", "change").stdout == "one\n")
    try run.place.write("gate-1", "")
    let followed = try await follower.finish()
    #expect(followed.stdout == "one\ntwo\nthree\n" && followed.code == 3, "\(followed)")
    #expect(try await running.finish().code == 3)
    #expect(run.ledger == ["start", "end", "undo"])
  }

  @Test("a plan says what is lost by `detached: false`")
  func aPlanSaysWhatIsLostByAScriptOnItsConnection() async throws {
    let run = try RemoteRun()
    #expect(!(try await run.place.run("plan", "a.yaml").stdout.contains("caution")))
    try run.place.write("a.yaml", run.place.read("a.yaml").replacing("grace: 1s", with: "detached: false"))
    let plan = try await run.place.run("plan", "a.yaml")
    #expect(plan.stdout.contains("caution: if its connection is lost, it is unknown whether it goes on"), "\(plan)")
  }
}

/// A runbook whose first step runs a script over SSH, through a proxy, and whose second one fails.
struct RemoteRun: Sendable {
  static let server = try? SSHServer()
  static let whyNot: String? = SSHServer.missing ?? (server == nil ? "sshd did not start" : nil)

  let place: Workplace
  let proxy: FaultProxy

  struct NoServer: Error {}

  /// - Parameter script: between `start` and `end` in the ledger; nil: a short pause.
  init(fault: FaultProxy.Fault? = nil, script: String? = nil) throws {
    guard let server = Self.server else { throw NoServer() }
    place = try Workplace()
    proxy = FaultProxy(to: server.port, fault: fault)
    let ledger = place.path("ledger")
    try place.write(
      "a.yaml",
      """
      runbook: v1
      name: remote
      steps:
        - id: change
          action: ssh.run
          with:
            host: 127.0.0.1
            port: \(proxy.port)
            user: \(server.user)
            key: \(server.key(.plain))
            known_hosts: \(server.knownHosts)
            grace: 1s
            script: |
              echo start >> \(ledger)
              \(script ?? "sleep 0.4")
              echo end >> \(ledger)
          timeout: 60s
          rollback: [{run: "echo undo >> \(ledger)"}]
        - {id: stop, fail: no luck}

      """)
  }

  var ledger: [String] { place.read("ledger").split(separator: "\n").map(String.init) }

  func waitForStart() async throws { try await place.waitFor("start", in: "ledger") }
}

extension Finished {
  func said(_ text: String) -> Bool { stdout.contains(text) || stderr.contains(text) }
}
