import Glibc
import Posix
import Runbook
import TestSupport
import Testing

@testable import Steps

struct RunActionTests {
  let folder = TemporaryFolder()
  let key = Harness.newKey()
  var calls: Calls { Calls(scripts: Harness.scripts(in: folder), key: key) }

  @Test func itsOutputIsTheResultWithoutOneNewline() async throws {
    let call = calls.make([
      "script": "echo \"$NAME\"; echo; pwd >&2", "_cwd": .string(folder.path),
      "_env": ["NAME": .secret(Secret("n", named: ["n"])), "COUNT": 3],
    ])
    let result = try await RunAction().perform(call).result
    #expect(result == ["stdout": "n\n", "stderr": .string(folder.path), "exit_code": 0])
  }

  @Test func bytesThatAreNoTextAreMadePrintable() async throws {
    let result = try await RunAction().perform(calls.make(["script": "printf 'a\\377b'"])).result
    #expect(result["stdout"] == "a\u{fffd}b")
  }

  @Test func aPinnedScriptFileAndACommandAreRun() async throws {
    let pinned = calls.make(["script_file": "./x.sh", "_script": "echo pinned"])
    #expect(try await RunAction().perform(pinned).result["stdout"] == "pinned")
    let command = calls.make(["command": ["printf", "%s-", "a", 2, true]], key: Harness.newKey())
    #expect(try await RunAction().perform(command).result["stdout"] == "a-2-true-")
  }

  @Test(
    "a first line that names no program is refused before anything is started",
    arguments: [
      ("#!bash\n", "the script's first line (`#!`) must name its program by an absolute path"),
      ("#!\necho", "the script's first line (`#!`) must name its program by an absolute path"),
      (
        "#!/bin/sh\r\necho",
        "the script's first line ends with a carriage return: end lines with a line feed alone"
      ),
    ])
  func aFirstLineThatNamesNoProgramIsRefused(script: String, message: String) async {
    await #expect(throws: StepFailure(.input, message)) {
      try await RunAction().perform(calls.make(["script": .string(script)]))
    }
    #expect(!Folder.exists(folder.path + "/scripts"))
  }

  @Test(arguments: [
    ("echo out; echo why >&2; exit 3", "the script ended with exit code 3"),
    ("echo out; echo why >&2; kill -9 $$", "the script was ended by SIGKILL"),
  ])
  func anExitCodeIsAFailureThatHappened(script: String, message: String) async {
    do throws(StepFailure) {
      _ = try await RunAction().perform(calls.make(["script": .string(script)]))
      Issue.record("it succeeded")
    } catch {
      #expect(error.kind == .exitCode && error.message == message && error.effect == .applied && !error.retryable)
      #expect(error.detail["stderr"] == "why" && error.detail["stdout"] == "out")
    }
  }

  @Test(
    arguments: [
      ([:], "exactly one of `script`, `script_file` and `command` must be given"),
      (["script": "a", "command": ["b"]], "exactly one of `script`, `script_file` and `command` must be given"),
      (["script": " \n"], "`script` is empty"), (["script_file": "x"], "`script_file` was not read or is empty"),
      (["script": "a\u{0}b"], "the script holds a NUL byte"),
      (["command": []], "`command` must begin with the name of a program"),
      (["command": ["a", ["b"]]], "`command`: element 2 is not text"),
      (["command": "a b"], "`command` must be a list of words"),
      (["script": "a", "_env": ["A": [1]]], "`env.A` must be text"),
      (["script": "a", "_env": ["A": "x\u{0}"]], "`env.A` holds a NUL byte"),
      (
        ["script": "a", "_env": ["A=B": "x"]],
        "`env`: a variable's name is letters, digits and `_`, and does not begin with a digit"
      ),
    ] as [([String: Value], String)])
  func whatCannotBeRunIsRefusedBeforeAnythingIsStarted(with: [String: Value], message: String) async throws {
    await #expect(throws: StepFailure.unfit(message)) { try await RunAction().perform(calls.make(with)) }
    #expect(!Folder.exists(folder.path + "/scripts"))
  }

  @Test func aScriptThatRunsTooLongIsStopped() async throws {
    var calls = calls
    calls.timeout = .milliseconds(200)
    await #expect(
      throws: StepFailure(.timeout, "the script ran longer than the step's timeout and was stopped", effect: .applied)
    ) {
      try await RunAction().perform(calls.make(["script": "sleep 1000"]))
    }
    #expect(try await RunAction().isSettled(calls.make([:])))
  }

  @Test func theProbeTellsWhatBecameOfAScript() async throws {
    let action = RunAction()
    let calls = calls
    #expect(try await action.probe(calls.make([:], key: "never")) == .notApplied)
    _ = try await calls.scripts.finish(Harness.shell("good", "echo done"))
    #expect(
      try await action.probe(calls.make([:], key: "good"))
        == .applied(ActionResult(result: ["stdout": "done", "stderr": "", "exit_code": 0])))
    _ = try await calls.scripts.finish(Harness.shell("bad", "exit 2"))
    guard case .failed(let failure) = try await action.probe(calls.make([:], key: "bad")) else {
      Issue.record("not failed"); return
    }
    #expect(failure.message == "the script ended with exit code 2")
    #expect(try ScriptFolder(path: folder.path + "/scripts/made").make())
    #expect(try await action.probe(calls.make([:], key: "made")) == .notApplied)
    try Folder.make(folder.path + "/scripts/empty")
    #expect(try await action.probe(calls.make([:], key: "empty")) == .unsure)
    try Folder.make(folder.path + "/scripts/lost")
    let gone = ProcessIdentity(pid: ProcessIdentity.own.pid, start: 1, bootID: Host.bootID)
    let process = ScriptProcess(identity: gone, keeper: gone, bystanders: [])
    try ScriptFolder(path: folder.path + "/scripts/lost").write(process.line, to: "process")
    #expect(try await action.probe(calls.make([:], key: "lost")) == .unsure)
  }

  @Test func theProbeOfARunningScriptAsksToComeBackUntilTheDeadlineIsOver() async throws {
    var calls = calls
    try await calls.scripts.start(Harness.shell(calls.key, "sleep 1000"))
    // Longer than one glance: the deadline is over within the look that follows, and the script is stopped.
    calls.timeout = RunAction.glance + .milliseconds(50)
    let call = calls.make([:])
    await #expect(throws: StepFailure(.timeout, "the script still runs", effect: .unknown, retryable: true)) {
      try await RunAction(patience: .zero).probe(call)
    }
    let answer = try await RunAction(patience: .zero).probe(call)
    #expect(
      answer
        == .failed(
          StepFailure(.timeout, "the script ran longer than the step's timeout and was stopped", effect: .applied)))
  }

  @Test func aMissingFolderInAnotherPlaceIsNoProofThatNothingWasStarted() async throws {
    let calls = calls
    var call = calls.make([:], key: "r1-a")
    call.scriptPlace = try await calls.scripts.place()
    #expect(try await RunAction().probe(call) == .notApplied)
    // The documented files of the store were moved without the folder of the scripts.
    call.scriptPlace = "0123456789abcdef-0123456789abcdef"
    await #expect(
      throws: StepFailure(
        .crashed, "the folder that kept its script is not the one it was started in", effect: .unknown)
    ) { try await RunAction().probe(call) }
    #expect(try await RunAction().isSettled(call))
  }

  @Test func aScriptThatRunsInAnotherPlaceIsNotAtRest() async throws {
    let calls = calls
    let key = Harness.newKey()
    let old = Harness.scripts(in: folder, named: "moved-away")
    let place = try await old.place()
    try await old.start(Harness.shell(key, "sleep 1000"))
    var call = calls.make([:], key: key)
    call.scriptPlace = place
    await #expect(throws: StepFailure(.timeout, "the script still runs", effect: .unknown, retryable: true)) {
      try await RunAction().probe(call)
    }
    #expect(try await !RunAction().isSettled(call))
    try await old.cancel(key, grace: .zero)
    #expect(try await RunAction().isSettled(call))
  }

  @Test func howAScriptEndedIsReadWithoutItsFields() async throws {
    let calls = calls
    _ = try await RunAction().perform(
      calls.make(["script": "echo \"$TOKEN\"", "_env": ["TOKEN": .secret(Secret("t", named: ["t"]))]]))
    #expect(
      try await RunAction().probe(calls.make([:]))
        == .applied(ActionResult(result: ["stdout": "t", "stderr": "", "exit_code": 0])))
  }

  @Test func aShortageIsALimitAndMayPass() async throws {
    let key = "denied-\(ENOMEM)-\(Harness.newKey())"
    do throws(StepFailure) {
      _ = try await RunAction().perform(calls.make(["script": "true"], key: key))
      Issue.record("it was started")
    } catch {
      #expect(error.kind == .limit && error.effect == .none && error.retryable)
    }
    #expect(try await RunAction().probe(calls.make([:], key: key)) == .notApplied)
  }
}
