import Glibc
import Runbook
import Testing

/// Runbooks of scripts, which need nothing but `/bin/sh`.
enum Sample {
  static let succeeds = """
    runbook: v1
    name: two_steps
    inputs:
      word: {type: string, default: hello}
    steps:
      - id: one
        run: 'printf "%s\\n" "$WORD" >> trace'
        env: {WORD: "${{ inputs.word }}"}
        rollback: none
      - {id: two, run: echo two >> trace, rollback: none}
    outputs:
      said: inputs.word

    """

  /// The second step fails, the first is undone.
  static let fails = """
    runbook: v1
    name: fails
    steps:
      - {id: one, run: echo one >> trace, rollback: [{run: echo undo-one >> trace}]}
      - {id: two, run: "echo two >> trace; exit 3", rollback: none}
      - {id: three, run: echo three >> trace, rollback: none}
    always:
      - {run: echo always >> trace}

    """

  /// The undo of the first step fails as long as there is no file `healed`.
  static let rollbackFails = """
    runbook: v1
    name: rollback_fails
    steps:
      - {id: zero, run: echo zero >> trace, rollback: [{run: echo undo-zero >> trace}]}
      - id: one
        run: echo one >> trace
        rollback:
          - {run: "test -e healed && echo undo-one >> trace", retry: {attempts: 1}}
      - {id: two, run: exit 1, rollback: none}

    """

  /// Waits in its second step until there is a file `go`.
  static let waits = """
    runbook: v1
    name: waits
    steps:
      - {id: one, run: echo one >> trace, rollback: [{run: echo undo-one >> trace}]}
      - id: two
        run: "echo two >> trace; while ! test -e go; do sleep 0.05; done; echo done-two >> trace"
        rollback: [{run: echo undo-two >> trace}]
      - {id: three, run: echo three >> trace, rollback: none}

    """
}

@Suite struct RunTests {
  @Test func aRunWhoseOutputsCannotBeEvaluatedSaysWhichOneAndWhy() async throws {
    let place = try Workplace()
    try place.write(
      "a.yaml",
      """
      runbook: v1
      name: outputs_fail
      steps:
        - {id: count, run: echo x5, outputs: {text: result.stdout}, rollback: none}
      outputs:
        number: int(steps.count.outputs.text)

      """)
    let run = try await place.run("run", "a.yaml")
    #expect(run.code == 1)
    let show = try await place.run("show", "latest")
    let logs = try await place.run("logs", "latest")
    for text in [run.stdout, show.stdout, logs.stdout] {
      #expect(text.contains("output `number`: ") && text.contains("x5"), "\(text)")
    }
    #expect(run.stdout.contains("✗ outputs_fail failed at `outputs`"), "\(run.stdout)")
    let json = try await place.run("show", "latest", "--format", "json")
    #expect(json.stdout.contains("\"outputs_error\":{"), "\(json.stdout)")
  }

  @Test func aRunInAPipeIsToldLineByLine() async throws {
    let place = try Workplace()
    try place.write("a.yaml", Sample.succeeds)
    let ended = try await place.run("run", "a.yaml", "--input", "word=hi")
    #expect(ended.code == 0, "\(ended)")
    #expect(ended.stderr == "")
    let words = ended.lines.map { $0.split(separator: " ").dropFirst().joined(separator: " ") }
    #expect(words.first?.hasPrefix("started two_steps as r") == true)
    #expect(words.contains("one … run"))
    #expect(words.contains { $0.hasPrefix("two … done in ") })
    #expect(ended.stdout.contains("✓ two_steps succeeded after "))
    #expect(ended.stdout.contains("  said  hi"))
    #expect(place.read("trace") == "hi\ntwo\n")
  }

  @Test func programsGetOneEventALineAndTheEndLast() async throws {
    let place = try Workplace()
    try place.write("a.yaml", Sample.fails)
    let ended = try await place.run("run", "a.yaml", "--format", "json")
    #expect(ended.code == 3, "\(ended)")
    let events = try ended.lines.map { try JSONReader.read($0) }
    #expect(
      events.allSatisfy { $0["v"] == 1 && $0["run_id"] != nil && $0["at"]?.string.flatMap { Timestamp($0) } != nil })
    let names = events.compactMap { $0["event"]?.string }
    #expect(names.first == "run.started")
    #expect(names.contains("rollback.started"))
    let last = try #require(events.last)
    #expect(last["event"] == "run.ended")
    #expect(last["outcome"] == "failed")
    #expect(last["rollback"] == "succeeded")
    #expect(last["exit_code"] == 3)
    let sequence = events.compactMap { $0["seq"]?.int }
    #expect(sequence == sequence.sorted())
    #expect(events.flatMap { ($0.map ?? [:]).keys }.allSatisfy { !$0.hasPrefix("_") })
    #expect(place.read("trace") == "one\ntwo\nundo-one\nalways\n")
  }

  @Test func aFailedRunEndsWithWhatToTypeNextAndThatWorks() async throws {
    let place = try Workplace()
    try place.write("a.yaml", Sample.fails)
    let ended = try await place.run("run", "a.yaml")
    #expect(ended.code == 3)
    #expect(ended.stdout.contains("✗ fails failed at `two`"))
    #expect(ended.stdout.contains("undone  one"))
    let id = try #require(ended.runID)
    #expect(ended.stdout.contains("runbook logs \(id)"))
    #expect(try await place.run("logs", id).code == 0)
    let shown = try await place.run("show", id, "--format", "json")
    #expect(try JSONReader.read(shown.stdout)["run"]?["exit_code"] == 3)
    try place.write("a.yaml", Sample.fails.replacing("exit 3", with: "true"))
    // `one` was undone, so `two` cannot rely on it.
    #expect(!ended.stdout.contains("--from"), "\(ended.stdout)")
    let refused = try await place.run("rerun", id, "--from", "two")
    #expect(refused.code == 2)
    #expect(refused.stderr.contains("step `one` was undone in run \(id)"), "\(refused.stderr)")
    let again = try await place.run("rerun", id)
    #expect(again.code == 0, "\(again)")
    #expect(place.read("trace") == "one\ntwo\nundo-one\nalways\none\ntwo\nthree\nalways\n")
  }

  @Test func mistakesOfFileInputAndSecretRefuseBeforeThereIsAStore() async throws {
    let place = try Workplace()
    try place.write("a.yaml", Sample.succeeds)
    try place.write("bad.yaml", "runbook: v1\nname: x\nsteps:\n  - {id: a, runn: x}\n")
    try place.write(
      "secret.yaml",
      """
      runbook: v1
      name: x
      secrets:
        t: {source: env, key: NOT_SET}
      steps:
        - {id: a, run: x, env: {T: "${{ secrets.t }}"}, rollback: none}

      """
    )
    for (arguments, stderr) in [
      (["bad.yaml"], "bad.yaml:4:"), (["a.yaml", "--input", "wrd=x"], "error: there is no input `wrd`"),
      (["a.yaml", "--input", "x"], "error: `--input x` has no name and value"),
    ] {
      let ended = try await place.run(["run"] + arguments)
      #expect(ended.code == 2)
      #expect(ended.stderr.contains(stderr), "\(ended.stderr)")
      #expect(!place.exists("state"))
    }
    let ended = try await place.run("run", "secret.yaml")
    #expect(ended.code == 2)
    #expect(
      ended.stderr.hasPrefix("error: secret `t` is missing: the environment variable `NOT_SET` is not set\n"),
      "\(ended.stderr)")
    #expect(try await place.run("list", "-q").stdout == "")
  }

  @Test func aSecretFileThatOthersMayReadIsRefused() async throws {
    let place = try Workplace()
    try place.write("token", "s3cr3t-value\n", mode: 0o644)
    try place.write(
      "a.yaml",
      """
      runbook: v1
      name: x
      secrets:
        t: {source: file, path: token}
      steps:
        - {id: a, run: 'printf %s "$T"', env: {T: "${{ secrets.t }}"}, rollback: none}

      """)
    let refused = try await place.run("run", "a.yaml")
    #expect(refused.code == 2)
    #expect(refused.stderr.contains("others may read"))
    unsafe chmod(place.path("token"), 0o600)
    let ended = try await place.run("run", "a.yaml", "-v")
    #expect(ended.code == 0, "\(ended)")
    #expect(!ended.stdout.contains("s3cr3t"))
    let id = try #require(ended.runID)
    let leaks = try await place.shell("grep -rl s3cr3t state; $R logs \(id) --format json | grep -c s3cr3t")
    #expect(leaks.stdout == "0\n")
  }

  @Test func theSameKeyIsOneRun() async throws {
    let place = try Workplace()
    try place.write("a.yaml", Sample.succeeds)
    let first = try await place.run("run", "a.yaml", "--key", "deploy-1")
    let second = try await place.run("run", "a.yaml", "--key", "deploy-1")
    #expect(first.code == 0)
    #expect(second.code == 0, "\(second)")
    #expect(second.stderr.contains("has ended already"))
    #expect(place.read("trace") == "hello\ntwo\n")
    let other = try await place.run("run", "a.yaml", "--key", "deploy-1", "--input", "word=other")
    #expect(other.code == 2)
    #expect(other.stderr.contains("another file or other inputs"))
  }

  @Test func aReaderThatLeavesDoesNotEndTheRun() async throws {
    let place = try Workplace()
    try place.write("a.yaml", Sample.succeeds)
    let ended = try await place.shell("{ $R run a.yaml; echo $? >&2; } | head -1 > /dev/null")
    #expect(ended.stderr == "0\n")
    #expect(place.read("trace") == "hello\ntwo\n")
    let full = try await place.shell("$R run a.yaml > /dev/full")
    #expect(full.code == 1)
    #expect(full.stderr.contains("No space left on device"))
    #expect(place.read("trace") == "hello\ntwo\nhello\ntwo\n")
    let closed = try await place.shell("$R run a.yaml >&- 2>&-")
    #expect(closed.code == 0)
    #expect(try await place.run("list", "-q").lines.count == 3)
  }
}

@Suite struct StepInTests {
  private func started(_ place: Workplace) async throws -> (Running, id: String) {
    try place.write("a.yaml", Sample.waits)
    let running = try place.start(["run", "a.yaml"])
    try await running.waitFor("two … run")
    for _ in 0..<2000 where !place.read("trace").contains("two") { try await Task.sleep(for: .milliseconds(5)) }
    return (running, try #require(Finished(stdout: running.stdout, stderr: "").runID))
  }

  @Test func ctrlCCancelsAndUndoes() async throws {
    let place = try Workplace()
    let (running, _) = try await started(place)
    running.send(SIGINT)
    let ended = try await running.finish()
    #expect(ended.code == 5, "\(ended)")
    #expect(ended.stderr.contains("cancelling, and undoing the changes"))
    #expect(place.read("trace") == "one\ntwo\nundo-two\nundo-one\n")
  }

  @Test(arguments: [[SIGINT, SIGINT], [SIGTERM], [SIGHUP]])
  func leavingKeepsTheRunAndResumeFinishesIt(_ signals: [Int32]) async throws {
    let place = try Workplace()
    let (running, id) = try await started(place)
    running.send(signals[0])
    if signals.count > 1 {
      try await running.waitForMessage("cancelling")
      running.send(signals[1])
    }
    let ended = try await running.finish()
    // The cancel may have been heeded before the second signal came.
    if signals.count > 1, ended.code == 5 { return }
    #expect(ended.code == 9, "\(ended)")
    #expect(ended.stdout.contains("runbook resume \(id)"))
    try place.write("go", "")
    let resumed = try await place.run("resume", id)
    #expect(resumed.code == (signals.count > 1 ? 5 : 0), "\(resumed)")
    if signals.count == 1 { #expect(place.read("trace") == "one\ntwo\ndone-two\nthree\n") }
  }

  @Test func aKilledRunIsTakenOverAtOnceAndNothingIsRepeated() async throws {
    let place = try Workplace()
    let (running, id) = try await started(place)
    running.send(SIGKILL)
    #expect(try await running.finish().signal == SIGKILL)
    let told = try await place.run("list")
    #expect(told.stdout.contains("running, interrupted"))
    #expect(told.stderr == "note: a run was interrupted, and no process works on it: `runbook resume \(id)`\n")
    try place.write("go", "")
    let resumed = try await place.run("resume", id)
    #expect(resumed.code == 0, "\(resumed)")
    #expect(place.read("trace") == "one\ntwo\ndone-two\nthree\n")
    let again = try await place.run("resume", id)
    #expect(again.code == 2)
    #expect(again.stderr.contains("has ended: succeeded"))
  }

  @Test func aLivingOwnerIsNamed() async throws {
    let place = try Workplace()
    let (running, id) = try await started(place)
    let refused = try await place.run("resume", id, "--format", "json")
    #expect(refused.code == 7)
    let error = try JSONReader.read(refused.stdout)["error"]
    #expect(error?["code"] == "E-OWNED")
    #expect(error?["message"]?.string?.contains("belongs to process \(running.pid) on ") == true)
    try place.write("go", "")
    #expect(try await running.finish().code == 0)
  }

  @Test func anotherProcessCancels() async throws {
    let place = try Workplace()
    let (running, id) = try await started(place)
    let asked = try await place.run("cancel", id)
    #expect(asked.code == 0, "\(asked)")
    #expect(asked.stdout == "the run is being cancelled; its changes will be undone\n")
    // The run may have ended before the second one is asked.
    let again = try await place.run("cancel", id)
    #expect(again.code == 2, "\(again)")
    #expect(
      again.stderr.contains("is being cancelled already") || again.stderr.contains("has ended already"), "\(again)")
    let ended = try await running.finish()
    #expect(ended.code == 5, "\(ended)")
    #expect(place.read("trace") == "one\ntwo\nundo-two\nundo-one\n")
    let late = try await place.run("cancel", id)
    #expect(late.code == 2)
    #expect(late.stderr.contains("has ended already"))
  }

  @Test func cancelWithoutRollbackLeavesEverythingAndRollbackResumeUndoesItLater() async throws {
    let place = try Workplace()
    let (running, id) = try await started(place)
    #expect(try await place.run("cancel", id, "--no-rollback").code == 0)
    let ended = try await running.finish()
    #expect(ended.code == 5, "\(ended)")
    #expect(place.read("trace") == "one\ntwo\n")
    #expect(ended.stdout.contains("runbook rollback resume \(id)"))
    let undone = try await place.run("rollback", "resume", id)
    #expect(place.read("trace") == "one\ntwo\nundo-two\nundo-one\n", "\(undone)")
  }

  @Test func logsFollowARunToItsEndAndReturnItsExitCode() async throws {
    let place = try Workplace()
    let (running, id) = try await started(place)
    let follower = try place.start(["logs", id, "--follow"])
    try await follower.waitFor("two … run")
    try place.write("go", "")
    #expect(try await running.finish().code == 0)
    let followed = try await follower.finish()
    #expect(followed.code == 0)
    #expect(followed.stdout.contains("✓ waits succeeded"))
  }

  @Test func aDetachedRunGoesOnByItself() async throws {
    let place = try Workplace()
    try place.write("a.yaml", Sample.waits)
    let ended = try await place.run("run", "a.yaml", "--detach")
    #expect(ended.code == 6, "\(ended)")
    let id = ended.stdout.split(separator: "\n").first.map { String($0) } ?? ""
    #expect(RunID.isWellFormed(id))
    try place.write("go", "")
    #expect(try await place.run("logs", id, "--follow").code == 0)
    #expect(place.read("trace") == "one\ntwo\ndone-two\nthree\n")
    try place.write("bad.yaml", "runbook: v1\n")
    #expect(try await place.run("run", "bad.yaml", "--detach").code == 2)
  }

  @Test(arguments: ["resume", "skip", "abandon"])
  func aFailedRollbackCanBeGoneOnWith(_ choice: String) async throws {
    let place = try Workplace()
    try place.write(
      "a.yaml", Sample.rollbackFails.replacing("steps:\n", with: "rollback_policy: {timeout: 1s}\nsteps:\n"))
    let ended = try await place.run("run", "a.yaml")
    #expect(ended.code == 4, "\(ended)")
    let id = try #require(ended.runID)
    #expect(ended.stdout.contains("runbook rollback skip \(id) 'one.undo[0]'"), "\(ended.stdout)")
    switch choice {
    case "resume":
      try place.write("healed", "")
      #expect(try await place.run("rollback", "resume", id).code == 3)
      #expect(place.read("trace") == "zero\none\nundo-one\nundo-zero\n")
    case "skip":
      #expect(try await place.run("rollback", "skip", id, "two.undo[0]", "--reason", "x").code == 2)
      #expect(try await place.run("rollback", "skip", id, "one.undo[0]", "--reason", "by hand").code == 0)
      #expect(try await place.run("rollback", "resume", id).code == 4)
      #expect(place.read("trace") == "zero\none\nundo-zero\n")
    default:
      let abandoned = try await place.run("rollback", "abandon", id, "--reason", "replaced")
      #expect(abandoned.code == 0, "\(abandoned)")
      #expect(try await place.run("rollback", "resume", id).code == 2)
    }
  }
}

extension Finished {
  init(stdout: String, stderr: String) { self.init(code: nil, signal: nil, stdout: stdout, stderr: stderr) }

  /// The first run id that was printed.
  var runID: String? {
    stdout.split { !($0.isLetter || $0.isNumber) }.map { String($0) }.first { RunID.isWellFormed($0) }
  }
}
