import Glibc
import Posix
import Runbook
import Synchronization
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

  static func scripts(
    in folder: TemporaryFolder, named name: String = "scripts",
    environment: [String: String] = ["PATH": "/usr/bin:/bin"]
  ) -> DetachedScripts {
    DetachedScripts(folder: folder.path + "/" + name, keeper: KeeperProgram(path: program), environment: environment)
  }

  private static let counter = Atomic<Int>(0)

  /// As keys are in earnest, no other one on the machine is the same: processes are found by it.
  static func newKey() -> String { "r\(getpid())-\(counter.add(1, ordering: .relaxed).newValue)" }

  static func shell(_ key: String, _ script: String, environment: [String: Secret] = [:], folder: String? = nil)
    -> ScriptRequest
  {
    ScriptRequest(
      key: key, command: ["/bin/sh", "-eu"], script: script, environment: environment, workingDirectory: folder)
  }

  /// Runs the harness with these words. - Returns: its pid, and what it says.
  static func start(_ words: [String]) throws -> (pid: Int32, said: Descriptor) {
    let null = try Descriptor.open("/dev/null", O_RDWR)
    let (reader, writer) = try Descriptor.pipe()
    let request = SpawnRequest(
      program, arguments: ["ScriptHarness"] + words, environment: ["PATH=/usr/bin:/bin"],
      descriptors: [null.number, writer.number, null.number])
    return (try request.start(), reader)
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
