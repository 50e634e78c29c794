import Posix
import Runbook
import TestSupport

@testable import Steps

/// A stand-in for the OpenSSH client that writes down how it was called, and then does what a test tells it to.
struct FakeSSH: Sendable {
  let folder = TemporaryFolder()

  /// Says that it is logged in, as the real one does, and becomes the other side.
  static let works = "echo 'Authenticated to db-1 ([10.0.0.1]:22) using \"publickey\".' >&2; exec \"$@\""

  /// `behaviour` is shell text; its arguments are what the other side would run, and `$KEY` is the path of
  /// the private key.
  func client(_ behaviour: String) -> SSHProgram {
    let text = """
      #!/bin/sh
      printf '%s\\n' "$@" > \(folder.path)/arguments
      env > \(folder.path)/environment
      while test "$1" != --; do case $1 in -i) KEY=$2;; esac; shift; done
      shift 2
      \(behaviour)
      """
    return SSHProgram(path: folder.file("ssh", text + "\n", mode: 0o755))
  }

  func call(_ with: [String: Value]) -> ActionCall {
    let environment = ["PATH": "/usr/bin:/bin", "SSH_AUTH_SOCK": "/agent", "TOKEN": "x"]
    let scripts = Harness.scripts(in: folder, environment: environment)
    return Calls(scripts: scripts).make(["host": "db-1.example.com"].merging(with) { _, new in new })
  }

  /// Lines of a file that the client wrote.
  func written(_ name: String) -> [String] {
    let bytes = (try? FileReading.all(of: folder.path + "/" + name, limit: 1 << 20)) ?? []
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false).dropLast()
      .map(String.init)
  }

  /// How `ssh.run` of a script fails; nil if it does not.
  func failure(_ behaviour: String, script: String) async -> StepFailure? {
    do throws(StepFailure) {
      _ = try await SSHRunAction(program: client(behaviour)).perform(call(["script": .string(script)]))
      return nil
    } catch { return error }
  }
}
