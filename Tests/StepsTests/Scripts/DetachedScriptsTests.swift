import Glibc
import Posix
import Runbook
import TestSupport
import Testing

@testable import Steps

struct DetachedScriptsTests {
  let folder = TemporaryFolder()

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
    var ended = try await scripts.finish(Harness.shell("k", script))
    if case .ended(var found) = ended, script.contains("UNSET") {
      // The shell's own complaint is not ours to pin down.
      found.stderr = []
      ended = .ended(found)
    }
    #expect(ended == .ended(end))
    #expect(try await scripts.state(of: "k") != .running)
  }

  @Test func commandsOfAScriptCannotReadTheScript() async throws {
    let state = try await Harness.scripts(in: folder).finish(
      Harness.shell("k", "cat\nread line || echo empty\necho 'it''s over'"))
    #expect(state.stdout == "empty\nits over\n")
  }

  @Test func aLongScriptArrivesWhole() async throws {
    let script = String(repeating: "# filler that is longer than a pipe holds\n", count: 10_000) + "echo arrived"
    #expect(try await Harness.scripts(in: folder).finish(Harness.shell("k", script)).stdout == "arrived\n")
  }

  @Test func aScriptSeesOnlyItsEnvironmentItsFolderAndThreeDescriptors() async throws {
    let scripts = Harness.scripts(
      in: folder, environment: ["PATH": "/usr/bin:/bin", "HOME": "/root", "LANG": "C", "TOKEN": "t0p"])
    let request = Harness.shell(
      "k", "env | grep -v '^PWD=\\|^_=' | sort; pwd; ls /proc/$$/fd; readlink /proc/self/fd/0; tty || true",
      environment: ["GIVEN": Secret("a 'b' $c", named: ["c"])], folder: "/usr")
    let lines = try await scripts.finish(request).stdout?.split(separator: "\n").map(String.init)
    #expect(
      lines == [
        "GIVEN=a 'b' $c", "HOME=/root", "LANG=C", "PATH=/usr/bin:/bin", "/usr", "0", "1", "2", "/dev/null", "not a tty",
      ])
  }

  @Test func aSecretIsNowhereOnTheDiskAndInNoCommandLine() async throws {
    let scripts = Harness.scripts(in: folder)
    let secret = "canary-9b1f44"
    try await scripts.start(
      Harness.shell(
        "k", "echo begun; while test ! -e \"$GATE\"; do sleep 0.01; done",
        environment: [
          "TOKEN": Secret(secret, named: ["t"]), "GATE": Secret(folder.path + "/gate", named: []),
        ]))
    #expect(Harness.eventually { FileReading.names(in: folder.path + "/scripts/k").contains("stdout") })
    for name in FileReading.names(in: folder.path + "/scripts/k") {
      let content = try FileReading.all(of: folder.path + "/scripts/k/" + name, limit: 1 << 20)
      #expect(content.firstRange(of: Array(secret.utf8)) == nil, "in \(name)")
    }
    for entry in ProcessEntry.all() {
      let words = (try? FileReading.all(of: "/proc/\(entry.pid)/cmdline", limit: 1 << 20)) ?? []
      #expect(words.firstRange(of: Array(secret.utf8)) == nil)
    }
    _ = folder.file("gate", "")
    #expect(try await scripts.wait(for: "k").exitCode == 0)
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
    #expect(try await scripts.state(of: "k") == .absent)
  }

  @Test func aTextWithoutAnInterpreterIsNoProgram() async throws {
    let file = folder.file("text", "echo hello\n", mode: 0o755)
    await #expect(throws: StepFailure(.input, "`\(file)` is no program: it has no `#!` line")) {
      try await Harness.scripts(in: folder).start(ScriptRequest(key: "k", command: [file]))
    }
  }

  @Test func aProgramIsGivenItsArgumentsUntouched() async throws {
    let request = ScriptRequest(key: "k", command: ["printf", "[%s]", "a b", "$HOME", "", "'\"", "-x"])
    #expect(try await Harness.scripts(in: folder).finish(request).stdout == "[a b][$HOME][]['\"][-x]")
  }

  @Test func theEndIsSeenAtOnceWhileAGrandchildKeepsThePipe() async throws {
    let scripts = Harness.scripts(in: folder)
    let state = try await scripts.finish(Harness.shell("k", "sleep 1000 & echo $!"))
    let survivor = try #require(state.stdout.flatMap { Int32($0.dropLast()) })
    #expect(state.exitCode == 0)
    #expect(ProcessIdentity(survivor)?.state == .alive)
    kill(survivor, SIGKILL)
  }

  @Test func muchOutputIsCutInTheMiddleAndCountedAtTheEnd() async throws {
    let scripts = Harness.scripts(in: folder)
    let state = try await scripts.finish(
      Harness.shell("k", "echo first; head -c 100000000 /dev/zero; echo last; echo small >&2"))
    guard case .ended(let end) = state else { Issue.record("\(state)"); return }
    #expect(end.exitCode == 0)
    #expect(end.stdout.starts(with: Array("first\n".utf8)))
    #expect(end.stderr == Array("small\n".utf8))
    let total = 6 + 100_000_000 + 5
    #expect(end.stdout.suffix(60).contains(Array("[\(total - ScriptFolder.diskLimit) bytes left out]\n".utf8)))
    #expect(end.stdout.count < ScriptFolder.valueLimit + 200)
    let kept = try Descriptor.open(folder.path + "/scripts/k/stdout", O_RDONLY).size()
    #expect(kept == ScriptFolder.diskLimit)
  }

  @Test func theBeginningAndTheEndOfLongOutputAreKept() async throws {
    let state = try await Harness.scripts(in: folder).finish(
      Harness.shell("k", "echo first; head -c 3000000 /dev/zero; echo last"))
    let text = try #require(state.stdout)
    #expect(text.hasPrefix("first\n") && text.hasSuffix("last\n"))
    #expect(text.contains("\n[\(3_000_011 - ScriptFolder.valueLimit) bytes left out]\n"))
  }

  @Test func aFolderThatIsThereIsNotStartedAgain() async throws {
    let scripts = Harness.scripts(in: folder)
    let request = Harness.shell("k", "echo once >> \(folder.path)/ledger")
    _ = try await scripts.finish(request)
    _ = try await scripts.finish(request)
    #expect(try FileReading.all(of: folder.path + "/ledger", limit: 100) == Array("once\n".utf8))
    await scripts.forget("k")
    #expect(FileReading.names(in: folder.path + "/scripts").isEmpty)
    #expect(try await scripts.state(of: "k") == .absent)
  }

  @Test func aScriptThatLeftNoTraceOfItsEndIsLost() async throws {
    let scripts = Harness.scripts(in: folder)
    try Folder.make(folder.path + "/scripts/k")
    let gone = ScriptProcess(
      identity: ProcessIdentity(pid: getpid(), start: 1, bootID: Host.bootID), keeper: ProcessIdentity.own,
      bystanders: [])
    try ScriptFolder(path: folder.path + "/scripts/k").write(gone.line, to: "process")
    #expect(try await scripts.state(of: "k") == .lost)
    #expect(try await scripts.wait(for: "k") == .lost)
  }

  @Test func aCancelledWaitAnswersThatItStillRuns() async throws {
    let scripts = Harness.scripts(in: folder)
    try await scripts.start(Harness.shell("k", "sleep 1000"))
    let state = await withTaskGroup(of: ScriptState?.self) { group in
      group.addTask { try? await scripts.wait(for: "k") }
      group.cancelAll()
      return await group.next() ?? nil
    }
    #expect(state == .running)
    try await scripts.cancel("k", grace: .seconds(5))
    #expect(try await scripts.wait(for: "k") == .ended(ScriptEnd(exitCode: nil, signal: 15)))
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
    try await scripts.start(Harness.shell("k", script, environment: ["MARK": Secret(mark, named: [])]))
    let survivors = {
      ProcessEntry.all().filter { entry in
        let variables = (try? FileReading.all(of: "/proc/\(entry.pid)/environ", limit: 1 << 20)) ?? []
        return !entry.isZombie && variables.firstRange(of: Array("MARK=\(mark)".utf8)) != nil
      }
    }
    #expect(Harness.eventually { !survivors().isEmpty })
    try await scripts.cancel("k", grace: .milliseconds(200))
    #expect(survivors().isEmpty)
    #expect(try await scripts.state(of: "k") != .running)
  }

  @Test func aCancelLeavesOtherScriptsAlone() async throws {
    let scripts = Harness.scripts(in: folder)
    let left = try await scripts.finish(Harness.shell("daemon", "setsid sleep 1000 >/dev/null 2>&1 & echo $!"))
    let daemon = try #require(left.stdout.flatMap { Int32($0.dropLast()) })
    try await scripts.start(Harness.shell("k", "sleep 1000"))
    try await scripts.cancel("k", grace: .milliseconds(200))
    #expect(ProcessIdentity(daemon)?.state == .alive)
    kill(daemon, SIGKILL)
  }
}
