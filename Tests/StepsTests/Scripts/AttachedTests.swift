import Glibc
import Posix
import Runbook
import TestSupport
import Testing

@testable import Steps

/// Programs that end with the call: `ScriptHost.run`, and connections.
struct AttachedTests {
  let folder = TemporaryFolder()

  @Test func itsInputIsGivenAndItsOutputReturned() async throws {
    let request = ScriptRequest(key: "k", command: ["sh", "-c", "cat; echo e >&2; exit 6"])
    let end = try await Harness.scripts(in: folder).run(
      request, stdin: Secret("in\n", named: []), timeout: .seconds(60))
    #expect(end == ScriptEnd(exitCode: 6, stdout: Array("in\n".utf8), stderr: Array("e\n".utf8)))
    #expect(FileReading.names(in: folder.path + "/scripts").allSatisfy { $0.hasPrefix(".") })
  }

  @Test func inputThatNobodyReadsIsNoFailure() async throws {
    let input = Secret(String(repeating: "x", count: 1_000_000), named: [])
    let end = try await Harness.scripts(in: folder).run(
      ScriptRequest(key: "k", command: ["true"]), stdin: input, timeout: .seconds(60))
    #expect(end == ScriptEnd(exitCode: 0))
  }

  @Test func aSecretFileIsReadableByTheChildOnly() async throws {
    let request = ScriptRequest(
      key: "k", command: ["sh", "-c", "cat \"$1\"; stat -Lc %a \"$1\"", "sh", ScriptRequest.secretFilePlaceholder],
      secretFile: Secret("private\n", named: ["key"]))
    let end = try await Harness.scripts(in: folder).run(request, stdin: nil, timeout: .seconds(60))
    #expect(String(decoding: end.stdout, as: UTF8.self) == "private\n600\n")
  }

  @Test func whatTakesTooLongIsKilledAndItsEffectUnknown() async throws {
    let scripts = Harness.scripts(in: folder)
    await #expect(throws: StepFailure(.timeout, "`sleep` ran out of time and was stopped", effect: .unknown)) {
      try await scripts.run(
        ScriptRequest(key: "k", command: ["sleep", "1000"]), stdin: nil, timeout: .milliseconds(50))
    }
  }

  @Test func aCancelledCallLeavesNothingRunning() async throws {
    let scripts = Harness.scripts(in: folder)
    let failure = await withTaskGroup(of: StepFailure?.self) { group in
      group.addTask {
        do throws(StepFailure) {
          _ = try await scripts.run(
            ScriptRequest(key: "k", command: ["sleep", "98765"]), stdin: nil, timeout: .seconds(600))
          return nil
        } catch { return error }
      }
      group.cancelAll()
      return await group.next() ?? nil
    }
    #expect(failure == StepFailure(.cancelled, "`sleep` was stopped", effect: .unknown))
    let lines = ProcessEntry.all().map {
      String(decoding: (try? FileReading.all(of: "/proc/\($0.pid)/cmdline", limit: 999)) ?? [], as: UTF8.self)
    }
    #expect(!lines.contains("sleep\u{0}98765\u{0}"))
  }

  @Test func aKeeperThatIsKilledIsReplacedForTheNextCall() async throws {
    let scripts = Harness.scripts(in: folder)
    let failure = await withTaskGroup(of: StepFailure?.self) { group in
      group.addTask {
        do throws(StepFailure) {
          _ = try await scripts.run(
            ScriptRequest(key: "k", command: ["sh", "-c", "kill -9 $PPID; cat"]), stdin: nil, timeout: .seconds(600))
          return nil
        } catch { return error }
      }
      return await group.next() ?? nil
    }
    #expect(failure?.kind == .crashed && failure?.effect == .unknown)
    #expect(
      try await scripts.run(ScriptRequest(key: "k", command: ["true"]), stdin: nil, timeout: .seconds(60))
        == ScriptEnd(exitCode: 0))
  }

  @Test func aPortThatNobodyListensOnIsUnreachable() async throws {
    do throws(StepFailure) {
      try await Harness.scripts(in: folder).connect(host: "127.0.0.1", port: 1, timeout: .seconds(10))
      Issue.record("connected")
    } catch {
      #expect(error == StepFailure(.unreachable, "127.0.0.1:1 refused the connection", retryable: true))
    }
  }
}
