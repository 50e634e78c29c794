import Glibc
import Posix
import TestSupport
import Testing

@testable import CommandLine

@Suite struct SecretCommandTests {
  private let folder = TemporaryFolder()

  private func run(_ words: [String], patience: Duration = .seconds(30)) -> Result<[UInt8], SecretCommand.Failure> {
    do throws(SecretCommand.Failure) {
      return .success(try SecretCommand(words: words, folder: folder.path, patience: patience).output())
    } catch {
      return .failure(error)
    }
  }

  private func reason(_ words: [String], patience: Duration = .seconds(30)) -> String {
    if case .failure(let failure) = run(words, patience: patience) { failure.reason } else { "it succeeded" }
  }

  private func output(_ words: [String]) throws -> String { String(decoding: try run(words).get(), as: UTF8.self) }

  @Test func noShellReadsTheWords() throws {
    #expect(try output(["printf", "%s|", "$HOME", "a b", "*", ""]) == "$HOME|a b|*||")
  }

  @Test func itRunsInTheFolderOfTheRunbook() throws {
    #expect(try output(["pwd"]) == folder.path + "\n")
    _ = folder.file("own", "#!/bin/sh\necho mine\n", mode: 0o700)
    #expect(try output(["./own"]) == "mine\n")
  }

  @Test func itGetsFewVariables() throws {
    let names = try output(["env"]).split(separator: "\n").map { $0.prefix { $0 != "=" } }
    let known: Set<Substring> = [
      "PATH", "HOME", "LANG", "TZ", "USER", "LOGNAME", "SSH_AUTH_SOCK", "GNUPGHOME", "XDG_RUNTIME_DIR",
      "DBUS_SESSION_BUS_ADDRESS", "RUNBOOK_SECRET",
    ]
    #expect(names.contains("PATH") && names.contains("HOME"))
    #expect(Set(names).isSubset(of: known), "\(names)")
  }

  @Test func itCanAskNobody() throws {
    #expect(try output(["sh", "-c", "cat; test -t 0 || echo none"]) == "none\n")
  }

  @Test func whatItWritesToStderrIsDropped() throws {
    #expect(try output(["sh", "-c", "echo token; echo noise >&2"]) == "token\n")
  }

  @Test(
    arguments: [
      (["sh", "-c", "echo leaked; echo leaked >&2; exit 3"], "`sh` ended with exit code 3"),
      (["sh", "-c", "kill -9 $$"], "`sh` was ended by signal 9"),
      (["no-such-program-here"], "there is no program `no-such-program-here` on PATH"),
      (["./missing"], "`./missing` does not exist, or the interpreter that it names"),
      (["./text"], "`./text` is not executable"),
      (["./broken"], "`./broken` is no program: it has no `#!` line"),
      (["sh", "-c", "head -c 70000 /dev/zero"], "`sh` prints more than 64 KiB"),
    ] as [([String], String)])
  func aFailureIsToldWithoutWhatItPrinted(_ words: [String], _ told: String) {
    _ = folder.file("text", "hello\n", mode: 0o600)
    _ = folder.file("broken", "\u{7f}not a program", mode: 0o700)
    #expect(reason(words) == told)
  }

  @Test func allThatCameFromOneThatHangsIsEnded() {
    let script = "trap '' TERM; sleep 1000 & echo $! > inner; setsid sh -c 'echo $$ > outer; exec sleep 1000' & wait"
    #expect(
      reason(["sh", "-c", script], patience: .milliseconds(500)) == "`sh` had not ended after 500ms, and was ended")
    for name in ["inner", "outer"] {
      let pid = Int32(String(decoding: folder.read(name), as: UTF8.self).filter(\.isNumber)) ?? 0
      #expect(pid > 0 && ProcessEntry(pid).map { $0.isZombie } ?? true, "\(name) lives")
    }
  }

  @Test func whatItLeavesInTheBackgroundIsNotWaitedFor() throws {
    #expect(try output(["sh", "-c", "sleep 1000 & echo $! > left; echo token"]) == "token\n")
    let pid = Int32(String(decoding: folder.read("left"), as: UTF8.self).filter(\.isNumber)) ?? 0
    #expect(ProcessEntry(pid) != nil)
    kill(pid, SIGKILL)
  }
}
