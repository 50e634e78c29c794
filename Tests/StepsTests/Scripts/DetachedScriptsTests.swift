import Glibc
import Posix
import Runbook
import TestSupport
import Testing

@testable import Steps

struct DetachedScriptsTests {
  let folder = TemporaryFolder()
  let key = Harness.newKey()

  @Test(arguments: [
    ("exit 0", ScriptEnd(exitCode: 0)), ("exit 3", ScriptEnd(exitCode: 3)), ("exit 255", ScriptEnd(exitCode: 255)),
    ("false; echo not reached", ScriptEnd(exitCode: 1)), ("echo $UNSET", ScriptEnd(exitCode: 2)),
    ("kill -9 $$", ScriptEnd(exitCode: nil, signal: 9)), ("kill $$", ScriptEnd(exitCode: nil, signal: 15)),
    ("echo out; echo err >&2", ScriptEnd(exitCode: 0, stdout: Array("out\n".utf8), stderr: Array("err\n".utf8))),
    ("printf 'a\\377b\\000c'", ScriptEnd(exitCode: 0, stdout: [97, 255, 98, 0, 99])),
    ("exec true", ScriptEnd(exitCode: 0)), ("trap 'exit 4' EXIT; exit 0", ScriptEnd(exitCode: 4)),
  ])
  func aScriptEndsAsItsShellDid(script: String, end: ScriptEnd) async throws {
    let scripts = Harness.scripts(in: folder)
    var ended = try await scripts.finish(Harness.shell(key, script))
    if case .ended(var found) = ended, script.contains("UNSET") {
      // The shell's own complaint is not ours to pin down.
      found.stderr = []
      ended = .ended(found)
    }
    #expect(ended == .ended(end))
    #expect(try await scripts.state(of: key) != .running)
  }

  @Test func commandsOfAScriptCannotReadTheScript() async throws {
    let state = try await Harness.scripts(in: folder).finish(
      Harness.shell(key, "cat\nread line || echo empty\necho 'it''s over'"))
    #expect(state.stdout == "empty\nits over\n")
  }

  @Test func aLongScriptArrivesWhole() async throws {
    let script = String(repeating: "# filler that is longer than a pipe holds\n", count: 10_000) + "echo arrived"
    #expect(try await Harness.scripts(in: folder).finish(Harness.shell(key, script)).stdout == "arrived\n")
  }

  @Test func aScriptSeesOnlyItsEnvironmentItsFolderAndThreeDescriptors() async throws {
    let scripts = Harness.scripts(
      in: folder, environment: ["PATH": "/usr/bin:/bin", "HOME": "/root", "LANG": "C", "TOKEN": "t0p"])
    let request = Harness.shell(
      key, "env | grep -v '^PWD=\\|^_=' | sort; pwd; ls /proc/$$/fd; readlink /proc/self/fd/0; tty || true",
      environment: ["GIVEN": Secret("a 'b' $c", named: ["c"])], folder: "/usr")
    let lines = try await scripts.finish(request).stdout?.split(separator: "\n").map(String.init)
    #expect(
      lines == [
        "GIVEN=a 'b' $c", "HOME=/root", "LANG=C", "PATH=/usr/bin:/bin", "RUNBOOK_SCRIPT=\(key)", "/usr", "0", "1", "2",
        "/dev/null", "not a tty",
      ])
  }

  @Test func aSecretIsNowhereOnTheDiskAndInNoCommandLine() async throws {
    let scripts = Harness.scripts(in: folder)
    let secret = "canary-9b1f44"
    try await scripts.start(
      Harness.shell(
        key, "echo begun; while test ! -e \"$GATE\"; do sleep 0.01; done",
        environment: [
          "TOKEN": Secret(secret, named: ["t"]), "GATE": Secret(folder.path + "/gate", named: []),
        ]))
    #expect(Harness.eventually { FileReading.names(in: folder.path + "/scripts/\(key)").contains("stdout") })
    for name in FileReading.names(in: folder.path + "/scripts/\(key)") {
      let content = try FileReading.all(of: folder.path + "/scripts/\(key)/" + name, limit: 1 << 20)
      #expect(content.firstRange(of: Array(secret.utf8)) == nil, "in \(name)")
    }
    for entry in ProcessEntry.all() {
      let words = (try? FileReading.all(of: "/proc/\(entry.pid)/cmdline", limit: 1 << 20)) ?? []
      #expect(words.firstRange(of: Array(secret.utf8)) == nil)
    }
    _ = folder.file("gate", "")
    #expect(try await scripts.wait(for: key).exitCode == 0)
  }

  struct Refusal: Sendable {
    let request: ScriptRequest
    let message: String
  }

  @Test(arguments: [
    Refusal(
      request: ScriptRequest(key: "k", command: ["/no/such"]),
      message: "`/no/such` or the interpreter it names does not exist"),
    Refusal(
      request: ScriptRequest(key: "k", command: ["no-such-program"]),
      message: "there is no program `no-such-program` on PATH"),
    Refusal(request: ScriptRequest(key: "k", command: ["/etc/passwd"]), message: "`/etc/passwd` is not executable"),
    Refusal(
      request: ScriptRequest(key: "k", command: ["/bin/true"], workingDirectory: "/no/folder"),
      message: "the working directory `/no/folder` does not exist"),
  ])
  func whatCannotBeStartedSaysWhyAndHasNoEffect(refusal: Refusal) async throws {
    let scripts = Harness.scripts(in: folder)
    do throws(StepFailure) {
      try await scripts.start(refusal.request)
      Issue.record("it was started")
    } catch {
      #expect(error == StepFailure(.input, refusal.message, effect: .none))
    }
    #expect(try await scripts.state(of: refusal.request.key) == .absent)
  }

  @Test func aTextWithoutAnInterpreterIsNoProgram() async throws {
    let file = folder.file("text", "echo hello\n", mode: 0o755)
    await #expect(throws: StepFailure(.input, "`\(file)` is no program: it has no `#!` line")) {
      try await Harness.scripts(in: folder).start(ScriptRequest(key: key, command: [file]))
    }
  }

  @Test func aProgramIsGivenItsArgumentsUntouched() async throws {
    let request = ScriptRequest(key: key, command: ["printf", "[%s]", "a b", "$HOME", "", "'\"", "-x"])
    #expect(try await Harness.scripts(in: folder).finish(request).stdout == "[a b][$HOME][]['\"][-x]")
  }

  @Test func theEndIsSeenAtOnceWhileAGrandchildKeepsThePipe() async throws {
    let scripts = Harness.scripts(in: folder)
    let state = try await scripts.finish(Harness.shell(key, "sleep 1000 & echo $!"))
    let survivor = try #require(state.stdout.flatMap { Int32($0.dropLast()) })
    #expect(state.exitCode == 0)
    #expect(ProcessIdentity(survivor)?.state == .alive)
    kill(survivor, SIGKILL)
  }

  @Test func theFirstAndTheLast32MiBAreKeptAndTheMarkerTellsTheRest() async throws {
    let scripts = Harness.scripts(in: folder)
    let state = try await scripts.finish(
      Harness.shell(key, "echo first; head -c 100000000 /dev/zero; echo last; echo small >&2"))
    guard case .ended(let end) = state else { Issue.record("\(state)"); return }
    #expect(end.exitCode == 0)
    #expect(end.stdout.starts(with: Array("first\n".utf8)))
    #expect(end.stdout.suffix(5) == Array("last\n".utf8)[...])
    #expect(end.stderr == Array("small\n".utf8))
    let missing = 6 + 100_000_000 + 5 - ScriptOutput.limit
    let marker = Array("\n[\(missing) bytes left out]\n".utf8)
    #expect(end.stdout.count == ScriptOutput.limit + marker.count)
    #expect(end.stdout[ScriptOutput.head..<(ScriptOutput.head + marker.count)] == marker[...])
    let kept = try Descriptor.open(folder.path + "/scripts/\(key)/stdout", O_RDONLY).size()
    #expect(kept == ScriptOutput.limit)
  }

  @Test func threeMegabytesAreReadWhole() async throws {
    let state = try await Harness.scripts(in: folder).finish(
      Harness.shell(key, "head -c 1500000 /dev/zero; echo ERROR; head -c 1500000 /dev/zero; echo last"))
    let text = try #require(state.stdout)
    #expect(text.utf8.count == 3_000_011)
    #expect(Array(text.utf8).firstRange(of: Array("ERROR".utf8)) != nil && text.hasSuffix("last\n"))
  }

  @Test func aFolderThatIsThereIsNotStartedAgain() async throws {
    let scripts = Harness.scripts(in: folder)
    let request = Harness.shell(key, "echo once >> \(folder.path)/ledger")
    _ = try await scripts.finish(request)
    _ = try await scripts.finish(request)
    #expect(try FileReading.all(of: folder.path + "/ledger", limit: 100) == Array("once\n".utf8))
    await scripts.forget(key)
    #expect(FileReading.names(in: folder.path + "/scripts").isEmpty)
    #expect(try await scripts.state(of: key) == .absent)
  }

  @Test func aScriptThatLeftNoTraceOfItsEndIsLost() async throws {
    let scripts = Harness.scripts(in: folder)
    try Folder.make(folder.path + "/scripts/\(key)")
    let identity = ProcessIdentity(pid: getpid(), start: 1, bootID: Host.bootID)
    let gone = ScriptProcess(identity: identity, keeper: identity, bystanders: [])
    try ScriptFolder(path: folder.path + "/scripts/\(key)").write(gone.line, to: "process")
    #expect(try await scripts.state(of: key) == .lost)
    #expect(try await scripts.wait(for: key) == .lost)
  }

  @Test func aCancelledWaitAnswersThatItStillRuns() async throws {
    let scripts = Harness.scripts(in: folder)
    try await scripts.start(Harness.shell(key, "sleep 1000"))
    let state = await withTaskGroup(of: ScriptState?.self) { group in
      group.addTask { try? await scripts.wait(for: key) }
      group.cancelAll()
      return await group.next() ?? nil
    }
    #expect(state == .running)
    try await scripts.cancel(key, grace: .seconds(5))
    #expect(try await scripts.wait(for: key) == .ended(ScriptEnd(exitCode: nil, signal: 15)))
  }

  @Test(arguments: [
    "sleep 1000", "trap '' TERM; while :; do sleep 1; done", "sleep 1000 & sleep 1000 & wait",
    "setsid sleep 1000 & wait", "setsid sh -c 'trap \"\" TERM; sleep 1000 & sleep 1000' & sleep 0.2; sleep 1000",
    "(setsid sh -c 'setsid sleep 1000 & exit' &) ; sleep 1000", "kill -STOP $$", "sleep 1000 & kill -STOP $!; wait",
    "for i in 1 2 3 4 5 6 7 8 9; do (setsid sleep 1000 &); done; sleep 1000",
    "trap 'setsid sleep 1000 & sleep 1000' TERM; sleep 1000 & wait",
  ])
  func nothingSurvivesACancel(script: String) async throws {
    let scripts = Harness.scripts(in: folder)
    let mark = folder.path + "/" + "mark"
    try await scripts.start(Harness.shell(key, script, environment: ["MARK": Secret(mark, named: [])]))
    let survivors = { ProcessEntry.bearing("MARK=\(mark)") }
    #expect(Harness.eventually { !survivors().isEmpty })
    try await scripts.cancel(key, grace: .milliseconds(200))
    #expect(survivors().isEmpty)
    #expect(try await scripts.state(of: key) != .running)
  }

  @Test func aCancelLeavesOtherScriptsAlone() async throws {
    let scripts = Harness.scripts(in: folder)
    let left = try await scripts.finish(Harness.shell("daemon", "setsid sleep 1000 >/dev/null 2>&1 & echo $!"))
    let daemon = try #require(left.stdout.flatMap { Int32($0.dropLast()) })
    try await scripts.start(Harness.shell(key, "sleep 1000"))
    try await scripts.cancel(key, grace: .milliseconds(200))
    #expect(ProcessIdentity(daemon)?.state == .alive)
    kill(daemon, SIGKILL)
  }
}
