import Glibc
import Posix
import TestSupport

/// A folder of one test, in which the built command is run as an operator would run it: with a store, a home and a
/// clean environment of its own.
final class Workplace: Sendable {
  let folder: String

  init() throws {
    var template = Array("/tmp/runbook-test-XXXXXX".utf8CString)
    let isMade = unsafe mkdtemp(&template) != nil
    folder =
      isMade ? unsafe template.withUnsafeBytes { unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) } : ""
    guard !folder.isEmpty else { throw PosixError(ENOENT, in: "mkdtemp") }
  }

  deinit {
    _ = try? SpawnRequest("/bin/rm", arguments: ["rm", "-rf", folder], environment: [], descriptors: []).start()
  }

  /// The command, beside the test bundle.
  static let binary: String = {
    let resolved = unsafe realpath("/proc/self/exe", nil)
    let program = unsafe resolved.map { unsafe String(cString: $0) } ?? ""
    unsafe free(resolved)
    let beside = program.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    let candidate = beside + "/runbook"
    return unsafe access(candidate, X_OK) == 0 ? candidate : Repository.path(".build/debug/runbook")
  }()

  func path(_ name: String) -> String { folder + "/" + name }

  func write(_ name: String, _ text: String, mode: UInt16 = 0o644) throws {
    try FileWriting.replace(path(name), content: Array(text.utf8), mode: mode)
  }

  func read(_ name: String) -> String {
    String(decoding: (try? FileReading.all(of: path(name), limit: 64 << 20)) ?? [], as: UTF8.self)
  }

  func environment(_ extra: [String: String] = [:]) -> [String] {
    let base = [
      "PATH": "/usr/bin:/bin", "HOME": folder, "XDG_STATE_HOME": folder + "/state", "LANG": "C.UTF-8", "TZ": "UTC",
    ].merging(ChosenMistake.environment) { own, _ in own }
    return base.merging(extra) { _, mine in mine }.filter { $0.value != "-" }.map { "\($0.key)=\($0.value)" }
  }

  /// Runs the command to its end. An extra variable with the value `-` is taken out of the environment.
  func run(_ arguments: [String], _ extra: [String: String] = [:]) async throws -> Finished {
    try await start(arguments, extra).finish()
  }

  func run(_ arguments: String...) async throws -> Finished { try await run(arguments) }

  /// Runs a line of shell; `$R` is the command.
  func shell(_ line: String, _ extra: [String: String] = [:]) async throws -> Finished {
    var extra = extra
    extra["R"] = Workplace.binary
    return try await start(program: "/bin/sh", ["sh", "-c", line], extra).finish()
  }

  func start(_ arguments: [String], _ extra: [String: String] = [:]) throws -> Running {
    try start(program: Workplace.binary, ["runbook"] + arguments, extra)
  }

  func start(program: String, _ arguments: [String], _ extra: [String: String] = [:]) throws -> Running {
    let number = Running.next()
    let stdout = path(".stdout\(number)")
    let stderr = path(".stderr\(number)")
    let null = try Descriptor.open("/dev/null", O_RDONLY)
    let out = try Descriptor.open(stdout, O_WRONLY | O_CREAT | O_APPEND, mode: 0o600)
    let err = try Descriptor.open(stderr, O_WRONLY | O_CREAT | O_APPEND, mode: 0o600)
    let request = SpawnRequest(
      program, arguments: arguments, environment: environment(extra), workingDirectory: folder,
      descriptors: [null.number, out.number, err.number])
    return Running(pid: try request.start(), stdout: stdout, stderr: stderr)
  }
}

/// What came of a command.
struct Finished: Sendable {
  /// nil if a signal ended it.
  var code: Int32?
  var signal: Int32?
  var stdout: String
  var stderr: String
  var lines: [String] { stdout.split(separator: "\n").map { String($0) } }
}

/// A command that was started.
final class Running: Sendable {
  let pid: Int32
  private let stdoutPath: String
  private let stderrPath: String

  init(pid: Int32, stdout: String, stderr: String) {
    self.pid = pid
    stdoutPath = stdout
    stderrPath = stderr
  }

  private static let counter = Counter()
  static func next() -> Int { counter.next() }

  var stdout: String { String(decoding: (try? FileReading.all(of: stdoutPath, limit: 64 << 20)) ?? [], as: UTF8.self) }
  var stderr: String { String(decoding: (try? FileReading.all(of: stderrPath, limit: 64 << 20)) ?? [], as: UTF8.self) }

  func send(_ signal: Int32) { _ = kill(pid, signal) }

  struct TookTooLong: Error, CustomStringConvertible {
    var what: String
    var stdout: String
    var stderr: String
    var description: String { "\(what)\nstdout: \(stdout)\nstderr: \(stderr)" }
  }

  /// Until `text` stands on stdout. Fails after a time that no healthy machine needs.
  func waitFor(_ text: String) async throws {
    try await wait(for: "`\(text)` on stdout") { self.stdout.contains(text) }
  }
  func waitForMessage(_ text: String) async throws {
    try await wait(for: "`\(text)` on stderr") { self.stderr.contains(text) }
  }

  private func wait(for what: String, _ isThere: () -> Bool) async throws {
    for _ in 0..<3000 {
      if isThere() { return }
      try await Task.sleep(for: .milliseconds(10))
    }
    throw TookTooLong(what: "waited 30 s for \(what)", stdout: stdout, stderr: stderr)
  }

  func finish() async throws -> Finished {
    for _ in 0..<6000 {
      if let (_, end) = Children.ended(pid) {
        Children.reap(pid)
        switch end {
        case .exited(let code): return Finished(code: code, signal: nil, stdout: stdout, stderr: stderr)
        case .signalled(let signal): return Finished(code: nil, signal: signal, stdout: stdout, stderr: stderr)
        }
      }
      try await Task.sleep(for: .milliseconds(5))
    }
    send(SIGKILL)
    throw TookTooLong(what: "not ended after 30 s", stdout: stdout, stderr: stderr)
  }
}

extension Workplace {
  func exists(_ name: String) -> Bool { unsafe access(path(name), F_OK) == 0 }
}
