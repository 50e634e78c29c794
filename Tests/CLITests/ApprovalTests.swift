import Glibc
import Posix
import Runbook
import TestSupport
import Testing

/// `approve` as people meet it: a run that asks, the commands that answer, and what each of them says.
@Suite struct ApprovalCommandTests {
  private static func runbook(_ fields: String = "") -> String {
    """
    runbook: v1
    name: careful
    inputs: {server: {type: string, default: "12345"}}
    steps:
      - {id: before, run: echo before >> trace, rollback: [{run: echo undo >> trace}]}
      - {id: go, approve: {prompt: "Restore server ${{ inputs.server }}?"\(fields)}}
      - {id: after, run: echo after >> trace, rollback: none}

    """
  }

  private func asking(
    _ place: Workplace, _ fields: String = ", allow_requester: true"
  ) async throws -> (running: Running, id: String, digest: String) {
    try place.write("a.yaml", Self.runbook(fields))
    let running = try place.start(["run", "a.yaml"])
    try await running.waitFor("--seen ")
    let digest = try #require(running.stdout.firstMatch(of: /--seen ([0-9a-f]{12})/)).1
    return (running, try #require(Finished(stdout: running.stdout, stderr: "").runID), String(digest))
  }

  @Test func aRunInAPipeWaitsAndGoesOnWhenItIsApproved() async throws {
    let place = try Workplace()
    let (running, id, digest) = try await asking(place)
    #expect(running.stdout.contains("go … asks until "), "\(running.stdout)")
    #expect(
      running.stdout.contains(": Restore server 12345? Answer with `runbook approve \(id) go --seen \(digest)` or "))
    let shown = try await place.run("show", id)
    #expect(shown.stdout.contains("\n  asked   Restore server 12345?\n  until   "), "\(shown.stdout)")
    #expect(shown.stdout.contains("\n  runbook approve \(id) go --seen \(digest)  allow it\n"), "\(shown.stdout)")
    let needs = try await place.run("list", "--needs-me")
    #expect(needs.code == 1 && needs.stdout.contains("it waits for an answer"), "\(needs)")
    let json = try JSONReader.read(try await place.run("show", id, "--format", "json").stdout)
    #expect(json["run"]?["waiting_for"]?["prompt"] == "Restore server 12345?")
    #expect(json["run"]?["waiting_for"]?["digest"] == .string(digest))
    #expect(json["run"]?["status"] == "waiting")
    let approved = try await place.run("approve", id, "go", "--seen", digest, "--comment", "ticket 812")
    #expect(approved.code == 0 && approved.stdout == "approved `go`: Restore server 12345?\n", "\(approved)")
    let ended = try await running.finish()
    #expect(ended.code == 0, "\(ended)")
    #expect(ended.stdout.contains("go … approved by \(User.name): ticket 812\n"), "\(ended.stdout)")
    #expect(place.read("trace") == "before\nafter\n")
    let again = try await place.run("approve", id)
    #expect(again.code == 2 && again.stderr.contains("run \(id) has ended already"), "\(again)")
  }

  /// Who approves a text has been able to read all of it.
  @Test func showHasAllOfAQuestionLineByLine() async throws {
    let place = try Workplace()
    let long = String(repeating: "abcdefghi ", count: 150) + "end"
    try place.write(
      "a.yaml",
      """
      runbook: v1
      name: a
      steps:
        - id: go
          approve:
            prompt: |
              Restore?

              \(long)
              All data of today is lost.

      """)
    let running = try place.start(["run", "a.yaml"])
    try await running.waitFor("--seen ")
    let shown = try await place.run("show")
    #expect(
      shown.stdout.contains(
        "  asked  Restore?\n\n         \(long)\n         All data of today is lost.\n  until  "), "\(shown)")
    #expect(try await place.run("cancel").code == 0)
    #expect(try await running.finish().code == 5)
  }

  @Test func aRejectionUndoesAndSaysWhy() async throws {
    let place = try Workplace()
    let (running, _, _) = try await asking(place)
    #expect(try await place.run("reject", "--comment", "not on a Friday").code == 0)
    let ended = try await running.finish()
    #expect(ended.code == 3, "\(ended)")
    #expect(
      ended.stdout.contains("failed  go: rejected: \(User.name) did not allow it: not on a Friday\n"), "\(ended.stdout)"
    )
    #expect(place.read("trace") == "before\nundo\n")
  }

  @Test func aQuestionThatNobodyAnswersIsNotCalledDone() async throws {
    let place = try Workplace()
    try place.write("a.yaml", Self.runbook(", timeout: 1s, on_timeout: continue"))
    let ended = try await place.run("run", "a.yaml")
    #expect(ended.code == 0, "\(ended)")
    #expect(ended.stdout.contains("go … nobody answered in 1."), "\(ended.stdout)")
    #expect(ended.stdout.contains("s, and it goes on\n"), "\(ended.stdout)")
  }

  @Test func aSecretInACommentIsMasked() async throws {
    let place = try Workplace()
    try place.write("token", "Topsecret-812\n")
    try place.write(
      "a.yaml",
      "secrets: {token: {source: file, path: ./token}}\n" + Self.runbook(", allow_requester: true"))
    #expect(try await place.shell("chmod 600 token").code == 0)
    let running = try place.start(["run", "a.yaml"])
    try await running.waitFor("--seen ")
    #expect(try await place.run("reject", "--comment", "no: Topsecret-812").code == 0)
    let ended = try await running.finish()
    #expect(ended.code == 3 && ended.stdout.contains("did not allow it: no: ***\n"), "\(ended)")
    #expect(!ended.stdout.contains("Topsecret"), "\(ended)")
  }

  @Test func whoStartedTheRunCannotApproveIt() async throws {
    let place = try Workplace()
    let (running, id, _) = try await asking(place, "")
    let refused = try await place.run("approve", id)
    #expect(refused.code == 7, "\(refused)")
    #expect(
      refused.stderr.contains("error: \(User.name) started the run, and somebody else has to approve it\n"),
      "\(refused)")
    #expect(try await place.run("reject", id).code == 0)
    #expect(try await running.finish().code == 3)
  }

  static let hasUserNamespaces = Permission.isGiven("unshare --user --map-user=1 true")

  @Test(.enabled(if: hasUserNamespaces, "making a user namespace is not permitted here"))
  func anotherUserOfTheMachineCanApproveIt() async throws {
    let place = try Workplace()
    let (running, id, digest) = try await asking(place, "")
    let line = "exec unshare --user --map-user=1 $R approve \(id) --seen \(digest)"
    let approved = try await place.shell(line)
    #expect(approved.code == 0, "\(approved)")
    let ended = try await running.finish()
    #expect(ended.code == 0 && ended.stdout.contains("go … approved by daemon"), "\(ended)")
  }

  @Test func anApprovalOfAnotherQuestionIsRefusedAndTheQuestionShown() async throws {
    let place = try Workplace()
    let (running, id, digest) = try await asking(place)
    let refused = try await place.run("approve", id, "--seen", "0123456789ab")
    #expect(refused.code == 2, "\(refused)")
    #expect(
      refused.stderr.hasSuffix(
        "error: `--seen 0123456789ab` is another question; now it asks: Restore server 12345?\n"
          + "  if that is what you allow, say `--seen \(digest)`\n"), "\(refused)")
    let elsewhere = try await place.run("approve", id, "before")
    #expect(
      elsewhere.code == 2
        && elsewhere.stderr.contains("does not wait for an approval about `before`; it asks about `go`"), "\(elsewhere)"
    )
    let resolved = try await place.run("resolve", id, "go", "--applied")
    #expect(resolved.code == 2, "\(resolved)")
    #expect(try await place.run("cancel", id).code == 0)
    #expect(try await running.finish().code == 5)
    #expect(place.read("trace") == "before\nundo\n")
  }

  @Test func aRunThatAsksSurvivesAKillAndTheAnswerWaitsForIt() async throws {
    let place = try Workplace()
    let (running, id, digest) = try await asking(place)
    running.send(SIGKILL)
    _ = try await running.finish()
    let approved = try await place.run("approve", id, "--seen", digest)
    #expect(approved.code == 0 && approved.stderr.contains("`runbook resume \(id)` carries the run on"), "\(approved)")
    let second = try await place.run("reject", id)
    #expect(second.code == 2 && second.stderr.contains("it was approved already, by \(User.name) at "), "\(second)")
    let listed = try await place.run("list", "--needs-me")
    #expect(listed.stdout.contains("it was answered by \(User.name) at "), "\(listed)")
    let ended = try await place.run("resume", id)
    #expect(ended.code == 0, "\(ended)")
    #expect(place.read("trace") == "before\nafter\n")
  }

  @Test func anApprovalAfterTheDeadlineIsRefused() async throws {
    // On a busy machine the run may come to its deadline before it is killed: then it gets more time.
    for seconds in [1, 4, 16] {
      let place = try Workplace()
      let (running, id, digest) = try await asking(place, ", allow_requester: true, timeout: \(seconds)s")
      running.send(SIGKILL)
      guard try await running.finish().signal == SIGKILL else { continue }
      try await Task.sleep(for: .milliseconds(seconds * 1000 + 500))
      let late = try await place.run("approve", id, "--seen", digest)
      #expect(late.code == 2 && late.stderr.contains("error: it came after the deadline\n"), "\(late)")
      let ended = try await place.run("resume", id)
      #expect(ended.code == 3 && ended.stdout.contains("nobody approved it until "), "\(ended)")
      #expect(place.read("trace") == "before\nundo\n")
      return
    }
    Issue.record("the run was never killed before its deadline")
  }

  @Test func aDetachedRunAsksAndGoesOn() async throws {
    let place = try Workplace()
    try place.write("a.yaml", Self.runbook(", allow_requester: true"))
    let started = try await place.run("run", "a.yaml", "--detach")
    #expect(started.code == 6, "\(started)")
    let id = try #require(started.runID)
    for _ in 0..<2000 where try await place.run("approve", id).code != 0 {
      try await Task.sleep(for: .milliseconds(20))
    }
    try await place.waitFor("after", in: "trace")
    let followed = try await place.run("logs", id, "--follow")
    #expect(followed.code == 0, "\(followed)")
  }

  @Test func ofTwoWhoAnswerAtOnceOneIsRefused() async throws {
    let place = try Workplace()
    let (running, id, _) = try await asking(place)
    let answered = try await place.shell(
      "for a in approve reject approve; do ( $R $a \(id) > /dev/null 2>&1; echo $? ) & done; wait")
    #expect(answered.lines.sorted() == ["0", "2", "2"], "\(answered)")
    let code = try await running.finish().code
    #expect(code == 0 || code == 3)
    #expect(place.read("trace") == (code == 0 ? "before\nafter\n" : "before\nundo\n"))
  }

  @Test(arguments: ["reject", "cancel"])
  func aRerunIsNoWayAroundAQuestion(_ word: String) async throws {
    let place = try Workplace()
    try place.write(
      "a.yaml",
      """
      runbook: v1
      name: a
      steps:
        - {id: go, approve: {prompt: Go?, allow_requester: true}}
        - {id: after, run: echo after >> trace, rollback: none}

      """)
    let running = try place.start(["run", "a.yaml"])
    try await running.waitFor("--seen ")
    let id = try #require(Finished(stdout: running.stdout, stderr: "").runID)
    #expect(try await place.run(word, id).code == 0)
    _ = try await running.finish()
    let refused = try await place.run("rerun", id, "--from", "after")
    #expect(refused.code == 2, "\(refused)")
    #expect(
      refused.stderr.contains(
        "error: nobody has approved `go` in run \(id)\n"
          + "  `runbook rerun \(id) --from go`, or a step before it, asks again"
      ), "\(refused)")
    #expect(place.read("trace") == "")
  }

  @Test func aRerunTakesNoApprovalOfAnotherQuestionOver() async throws {
    let place = try Workplace()
    let text = """
      runbook: v1
      name: a
      steps:
        - {id: go, approve: {prompt: Delete A?, allow_requester: true}}
        - {id: after, run: test -e allowed, rollback: none}

      """
    try place.write("a.yaml", text)
    let running = try place.start(["run", "a.yaml"])
    try await running.waitFor("--seen ")
    let id = try #require(Finished(stdout: running.stdout, stderr: "").runID)
    #expect(try await place.run("approve", id).code == 0)
    #expect(try await running.finish().code == 1)
    try place.write("a.yaml", text.replacing("Delete A", with: "Delete B"))
    try place.write("allowed", "")
    let refused = try await place.run("rerun", id, "--from", "after")
    #expect(refused.code == 2, "\(refused)")
    #expect(refused.stderr.contains("error: the question of `go` is another one than in run \(id)\n"), "\(refused)")
    try place.write("a.yaml", text)
    #expect(try await place.run("rerun", id, "--from", "after").code == 0)
  }

  @Test func aCancelThatNobodyHasReadYetCameFirst() async throws {
    let place = try Workplace()
    let (running, id, _) = try await asking(place)
    running.send(SIGKILL)
    _ = try await running.finish()
    #expect(try await place.run("cancel", id).code == 0)
    let refused = try await place.run("approve", id)
    #expect(refused.code == 2, "\(refused)")
    #expect(refused.stderr.contains("error: a cancel was asked for already, by \(User.name) at "), "\(refused)")
    #expect(try await place.run("resume", id).code == 5)
    #expect(place.read("trace") == "before\nundo\n")
  }

  /// Its owner ends the run without having read the answer, or reads it first: the command says what came of it.
  @Test func anAnswerThatNobodyReadsIsNotCalledAnApproval() async throws {
    let place = try Workplace()
    try place.write(
      "a.yaml", "runbook: v1\nname: a\nsteps:\n  - {id: go, approve: {prompt: Go?, allow_requester: true}}\n")
    let running = try place.start(["run", "a.yaml"])
    try await running.waitFor("--seen ")
    let id = try #require(Finished(stdout: running.stdout, stderr: "").runID)
    running.send(SIGSTOP)
    let answering = try place.start(["approve", id])
    // Until the answer stands in the store.
    try await answering.waitForMessage("waiting for the run's owner")
    running.send(SIGINT)
    running.send(SIGCONT)
    let answered = try await answering.finish()
    let ended = try await running.finish()
    // An owner that was stopped for longer than its lease counts as gone: the answer stands in the store for the next.
    let isForTheNext = answered.stderr.contains("carries the run on")
    #expect(answered.code == (ended.code == 0 || isForTheNext ? 0 : 2), "\(answered) \(ended)")
    if ended.code != 0, !isForTheNext {
      #expect(answered.stderr.contains("the answer did not count"), "\(answered)")
    }
  }

  @Test(arguments: [(", approvers: [alice]", "approvers"), (", min: 2", "min")])
  func peopleByNameAreRefusedBeforeAnythingIsDone(_ fields: String, _ name: String) async throws {
    let place = try Workplace()
    try place.write("a.yaml", Self.runbook(fields))
    let refused = try await place.run("run", "a.yaml")
    #expect(refused.code == 2, "\(refused)")
    #expect(refused.stderr.hasPrefix("error: `go` has `\(name)`, and this store knows no people"), "\(refused.stderr)")
    #expect(place.read("trace") == "")
    #expect(try await place.run("list", "-q").stdout == "")
    // A simulation counts them.
    #expect(try await place.run("run", "--simulate", "a.yaml").code == 0)
  }

  @Test(
    arguments: [
      ("{after: 5m}", 0, "approved by simulated person 1"),
      ("{fail: {message: not today}}", 3, "simulated person 1 did not allow it: not today"),
      ("{fail: {kind: timeout, message: nobody}}", 3, "timeout: nobody approved it until "),
    ] as [(String, Int32, String)])
  func aSimulationAnswersAsItsMockFileSays(_ answer: String, _ code: Int32, _ words: String) async throws {
    let place = try Workplace()
    try place.write("a.yaml", Self.runbook())
    try place.write("m.yaml", "mock: v1\nsteps: {go: \(answer)}\n")
    let ended = try await place.run("run", "--simulate", "--mock", "m.yaml", "a.yaml")
    #expect(ended.code == code && ended.stdout.contains(words), "\(ended)")
  }

  @Test func nobodyCanBeAskedInASimulation() async throws {
    let place = try Workplace()
    try place.write("a.yaml", Self.runbook())
    let refused = try await place.run("run", "--simulate", "--real", "approve", "--yes", "a.yaml")
    #expect(refused.code == 2, "\(refused)")
    #expect(refused.stderr.contains("`--real approve` names no action that a simulation replaces"), "\(refused)")
  }

  @Test func aPlanSaysThatAPersonIsAsked() async throws {
    let place = try Workplace()
    try place.write("a.yaml", Self.runbook())
    let plan = try await place.run("plan", "a.yaml")
    #expect(plan.stdout.contains("2. go  approve  (asks a person)\n       prompt: Restore server 12345?\n"), "\(plan)")
    #expect(plan.stdout.contains("3 steps: 2 change, 1 asks a person."), "\(plan.stdout)")
  }
}
