import Glibc
import Posix
import Runbook
import Synchronization
import TestSupport
import Testing

@testable import Steps

/// Scripts on another machine, over a real OpenSSH server: what is run, and what comes back.
@Suite(.enabled(if: RemoteWorld.whyNot == nil, "there is no OpenSSH server to try it with"))
struct RemoteScriptTests {
  static let shells: [SSHServer.Account] = [.plain, .fish, .bash, .dash, .busybox, .shIsBash, .shIsBusybox]

  @Test(
    "a script runs under each login shell and each sh, with its variables, and its output and exit code are its own",
    arguments: shells)
  func aScriptRunsUnderEachLoginShellAndEachSh(as account: SSHServer.Account) async throws {
    let world = try RemoteWorld()
    let text = "it's \"$HOME\" `id`\n# é"
    let script = "echo \"$QUOTED\"; cat; echo again > /dev/stdout; echo e >&2; exit 7"
    let environment: Value = ["QUOTED": .secret(Secret(text, named: ["q"])), "rb_d": "x", "IFS": "y"]
    let failure = try #require(
      await world.failure(world.call(["script": .string(script), "_env": environment], as: account)))
    #expect(failure.kind == .exitCode && failure.effect == .applied, "\(failure)")
    #expect(failure.detail["exit_code"] == 7)
    #expect(failure.detail["stdout"] == .string(text + "\nagain"))
    #expect(failure.detail["stderr"] == "e")
  }

  @Test("a command arrives word by word", arguments: [SSHServer.Account.plain, .fish])
  func aCommandArrivesWordByWord(as account: SSHServer.Account) async throws {
    let world = try RemoteWorld()
    let words: Value = ["printf", "[%s]", "a b", "$HOME", "", "'", "; rm -rf x", "-n"]
    let result = try await world.action.perform(world.call(["command": words], as: account))
    #expect(result.result["stdout"] == "[a b][$HOME][]['][; rm -rf x][-n]")
  }

  @Test("what the login prints before the script begins is not its output", arguments: [true, false])
  func whatTheLoginPrintsIsNotItsOutput(isKept: Bool) async throws {
    let world = try RemoteWorld()
    let with: [String: Value] = ["script": "echo mine; echo error >&2", "detached": .bool(isKept)]
    let result = try await world.action.perform(world.call(with, as: .noisy))
    #expect(result.result["stdout"] == "mine")
    #expect(result.result["stderr"] == "error")
  }

  @Test(
    "where something else than the script is run, nothing was run: its words are shown",
    arguments: [
      (SSHServer.Account.forced, "only backups here"), (.forcedFailing, "fatal: unrecognized command"),
      (.nologin, "This account is currently not available."), (.restricted, "restricted"),
    ], [true, false])
  func whereSomethingElseIsRunNothingWasRun(_ account: (SSHServer.Account, String), isKept: Bool) async throws {
    let world = try RemoteWorld()
    let with: [String: Value] = ["script": .string(world.writes("ran")), "detached": .bool(isKept)]
    let failure = try #require(await world.failure(world.call(with, as: account.0)))
    #expect(failure.kind == .rejected && failure.effect == .none && !failure.retryable, "\(failure)")
    #expect(failure.message.contains(account.1), "\(failure.message)")
    #expect(!failure.message.contains("Authenticated"))
    #expect(world.ledger.isEmpty)
  }

  @Test("a wrong key is a refused login, whatever a banner says")
  func aWrongKeyIsARefusedLogin() async throws {
    let world = try RemoteWorld()
    let failure = try #require(
      await world.failure(world.call(["script": "true", "key": .string(world.server.knownHosts)])))
    #expect(failure.kind == .auth && failure.effect == .none, "\(failure)")
  }

  @Test("the first line of a script on its connection names its program")
  func theFirstLineOfAScriptOnItsConnectionNamesItsProgram() async throws {
    let world = try RemoteWorld()
    let script = "#!/usr/bin/env bash\nlist=(one 'two three')\necho \"${list[1]}\"\n"
    let with: [String: Value] = ["script": .string(script), "detached": false]
    #expect(try await world.action.perform(world.call(with)).result["stdout"] == "two three")
  }

  @Test("a kept script has the folder, the mask and the variables of the login, as one on its connection has")
  func aKeptScriptHasWhatTheLoginHas() async throws {
    let script: Value = "umask; pwd; env | sed 's/=.*//' | sort | grep -v -e '^_$' -e RUNBOOK -e PWD -e SHLVL -e SSH"
    var seen: [Value?] = []
    for isKept in [true, false] {
      let world = try RemoteWorld()
      let with: [String: Value] = ["script": script, "detached": .bool(isKept), "_env": ["OWN": "x"]]
      seen.append(try await world.action.perform(world.call(with)).result["stdout"])
    }
    #expect(seen[0] == seen[1])
    #expect(seen[0]?.string?.contains("OWN") == true)
  }

  @Test("what is written within a second of the script's end is its output")
  func whatIsWrittenWithinASecondOfTheEndIsOutput() async throws {
    let world = try RemoteWorld()
    let result = try await world.run("(sleep 0.2; echo late; sleep 600) & echo done")
    #expect(result["stdout"] == "done\nlate")
    ProcessFamily(root: ProcessIdentity.own, mark: ScriptFolder.mark(world.key + ".")).endMarked()
  }

  @Test("an environment is on no disk, and on no command line")
  func anEnvironmentIsOnNoDiskAndOnNoCommandLine() async throws {
    let world = try RemoteWorld()
    let secret = "s3cr3t-\(world.key)"
    let with: [String: Value] = [
      "script": "echo started; sleep 600",
      "_env": ["TOKEN": .secret(Secret(secret, named: ["t"]))],
    ]
    let call = world.call(with)
    async let result = world.action.perform(call)
    #expect(await RemoteWorld.eventually { world.kept("stdout").contains("started") })
    let names = world.server.kept(world.key)
    #expect(names.contains("script") && names.contains("process"))
    for name in names { #expect(!world.kept(name).contains(secret), "it is in \(name)") }
    let processes = FileReading.names(in: "/proc").filter { Int32($0) != nil }
    func holders(_ file: String) -> [String] {
      processes.filter { pid in
        let bytes = (try? FileReading.all(of: "/proc/\(pid)/\(file)", limit: 1 << 20)) ?? []
        return bytes.firstRange(of: Array(secret.utf8)) != nil
      }
    }
    #expect(holders("cmdline").isEmpty)
    #expect(!holders("environ").isEmpty)
    try await world.action.cancel(call)
    _ = try? await result
  }

  @Test("output of any size comes back whole or with the right number, and a mark is never lost by it")
  func outputOfAnySizeComesBackAndNoMarkIsLostByIt() async throws {
    let world = try RemoteWorld()
    let size = Campaign.count(22_000_000, torture: 70_000_000)
    let script = "head -c \(size) /dev/zero | tr '\\0' e >&2; echo whole; exit 255"
    let call = world.call(["script": .string(script)])
    let launcher = RemoteOrder.launcher(key: call.key, environment: [:], work: "/bin/sh \"$1/script\"")
    let end = try await world.remote(call).run(script, launcher: launcher)
    #expect(end.code == 255 && end.cause == "exited")
    #expect(end.end.stdout == Array("whole\n".utf8))
    guard size > ScriptOutput.limit else {
      #expect(end.end.stderr.count == size)
      return
    }
    let marker = "\n[\(size - ScriptOutput.limit) bytes left out]\n"
    #expect(end.end.stderr.count == ScriptOutput.limit + marker.utf8.count)
    #expect(end.end.stderr.dropFirst(ScriptOutput.head).starts(with: Array(marker.utf8)))
  }

  @Test("of a long stream the beginning and the end are kept, and between them the right number")
  func ofALongStreamTheBeginningAndTheEndAreKept() {
    var capture = StreamCapture(head: 4, tail: 3)
    for (offset, text) in [(0, "ab"), (1, "bcde"), (5, "fghi"), (8, "ij")] {
      capture.take(Array(text.utf8)[...], at: offset)
    }
    func text() -> String { String(decoding: capture.output.all() ?? [], as: UTF8.self) }
    #expect(text() == "abcd\n[3 bytes left out]\nhij")
    #expect(capture.output.read(8..<10) == Array("ij".utf8))
    capture.take(Array("k".utf8)[...], at: 10)
    #expect(text() == "abcd\n[4 bytes left out]\nijk")
    capture.take(Array("lmnopq".utf8)[...], at: 11)
    #expect(text() == "abcd\n[10 bytes left out]\nopq")
    capture.take(Array("xyz".utf8)[...], at: 27)
    #expect(text() == "abcd\n[23 bytes left out]\nxyz")
    #expect(capture.next == 30)
    var short = StreamCapture(head: 4, tail: 3)
    short.take(Array("abcdef".utf8)[...], at: 0)
    #expect(short.output.kept == [0..<6] && short.output.read(2..<6) == Array("cdef".utf8))
  }
}

extension ProcessFamily {
  /// For tests that leave something in the background.
  func endMarked() {
    guard let mark else { return }
    for entry in ProcessEntry.bearing(mark) { _ = kill(entry.pid, SIGKILL) }
  }
}
