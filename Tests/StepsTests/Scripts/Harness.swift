import Glibc
import Posix
import Runbook
import TestSupport

@testable import Steps

/// The program that stands in for the command: built beside the tests.
enum Harness {
  static let program: String = {
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = unsafe readlink("/proc/self/exe", &buffer, buffer.count - 1)
    let path = String(decoding: buffer.prefix(max(count, 0)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let beside =
      path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/") + "/ScriptHarness"
    return unsafe access(beside, X_OK) == 0 ? beside : Repository.path(".build/debug/ScriptHarness")
  }()

  static func scripts(in folder: TemporaryFolder, environment: [String: String] = ["PATH": "/usr/bin:/bin"])
    -> DetachedScripts
  {
    DetachedScripts(folder: folder.path + "/scripts", keeper: KeeperProgram(path: program), environment: environment)
  }

  static func shell(_ key: String, _ script: String, environment: [String: Secret] = [:], folder: String? = nil)
    -> ScriptRequest
  {
    ScriptRequest(
      key: key, command: ["/bin/sh", "-eu"], script: script, environment: environment, workingDirectory: folder)
  }

  /// Waits until `holds`, for at most a minute; looks every few milliseconds.
  static func eventually(_ holds: () -> Bool) -> Bool {
    for _ in 0..<12_000 {
      if holds() { return true }
      _ = try? Poll.wait(for: [], timeout: .milliseconds(5))
    }
    return false
  }
}

extension ScriptHost {
  func finish(_ request: ScriptRequest) async throws(StepFailure) -> ScriptState {
    try await start(request)
    return try await wait(for: request.key)
  }
}

extension ScriptState {
  var stdout: String? { if case .ended(let end) = self { String(decoding: end.stdout, as: UTF8.self) } else { nil } }
  var stderr: String? { if case .ended(let end) = self { String(decoding: end.stderr, as: UTF8.self) } else { nil } }
  var exitCode: Int32? { if case .ended(let end) = self { end.exitCode } else { nil } }
}
