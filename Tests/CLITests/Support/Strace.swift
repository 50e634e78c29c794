import Glibc
import Posix
import TestSupport
import Testing

/// The command under strace(1), which stops it at a chosen system call.
final class StoppedCommand: Sendable {
  /// A system call by its name, and which one of a thread.
  struct Point: Sendable, CustomTestStringConvertible {
    var call: String
    var number: Int
    var testDescription: String { "\(call) \(number)" }
  }

  static let program = "/usr/bin/strace"
  static let isPermitted: Bool = {
    guard let none = try? Descriptor.open("/dev/null", O_RDWR),
      let pid = try? SpawnRequest(
        program, arguments: ["strace", "-qq", "-o", "/dev/null", "/bin/true"], environment: [],
        descriptors: [none.number, none.number, none.number]
      ).start()
    else { return false }
    var status: Int32 = -1
    while unsafe waitpid(pid, &status, 0) < 0, errno == EINTR {}
    return status == 0
  }()
  static let whyNot = "strace is missing or not permitted"

  let tracer: Running
  private let place: Workplace
  private let log: String

  init(_ arguments: [String], at point: Point, in place: Workplace) throws {
    self.place = place
    log = ".trace\(Running.next())"
    let words = [
      "strace", "-f", "-qq", "-o", place.path(log), "-e", "trace=\(point.call)", "-e",
      "inject=\(point.call):signal=STOP:when=\(point.number)", Workplace.binary,
    ]
    tracer = try place.start(program: StoppedCommand.program, words + arguments)
  }

  /// - Returns: false if it ended without having been stopped.
  func waitForStop() async throws -> Bool {
    for _ in 0..<3000 {
      if place.read(log).contains("stopped by SIGSTOP") { return true }
      if Children.ended(tracer.pid) != nil { return false }
      try await Task.sleep(for: .milliseconds(10))
    }
    throw Running.TookTooLong(what: "not stopped after 30 s", stdout: tracer.stdout, stderr: tracer.stderr)
  }

  /// Everything that it has started stops too.
  func stop() { signalAll(SIGSTOP) }
  /// Everything that it has started goes on, whoever of it was stopped.
  func wake() { signalAll(SIGCONT) }

  private func signalAll(_ signal: Int32) {
    for name in FileReading.names(in: "/proc") {
      guard let pid = Int32(name), let bytes = try? FileReading.all(of: "/proc/\(pid)/status", limit: 64 << 10) else {
        continue
      }
      let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
      if lines.contains("TracerPid:\t\(tracer.pid)") { _ = kill(pid, signal) }
    }
  }
}
