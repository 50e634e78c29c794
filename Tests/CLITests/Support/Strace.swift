import Glibc
import Posix
import TestSupport
import Testing

/// The command under strace(1), which stops it at a chosen system call.
final class StoppedCommand: Sendable {
  /// A system call by its name, and which one.
  struct Point: Sendable, CustomTestStringConvertible {
    enum Counting: Sendable {
      /// Each thread counts its own; the first that comes to the number stops.
      case ofThread
      /// All threads of all processes together.
      case ofAll
      /// Of this path. Held for 15 s before the kernel carries it out, where a signal would stop it after: a program
      /// that has begun cannot be taken back.
      case held(path: String)
    }
    var call: String
    var number: Int
    var counting = Counting.ofThread
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
  private let point: Point

  init(_ arguments: [String], at point: Point, in place: Workplace) throws {
    self.place = place
    self.point = point
    log = ".trace\(Running.next())"
    let words = ["strace", "-f", "-qq", "-o", place.path(log), "-e", "trace=\(point.call)"]
    let injection =
      switch point.counting {
      case .ofThread: ["-e", "inject=\(point.call):signal=STOP:when=\(point.number)"]
      case .ofAll: ["-e", "inject=\(point.call):signal=STOP"]
      case .held(let path): ["-P", path, "-e", "inject=\(point.call):delay_enter=15000000:when=\(point.number)"]
      }
    tracer = try place.start(program: StoppedCommand.program, words + injection + [Workplace.binary] + arguments)
  }

  /// - Returns: false if it ended without having been stopped.
  func waitForStop() async throws -> Bool {
    var woken = 0
    for _ in 0..<3000 {
      if isStopped(place.read(log), &woken) { return true }
      if Children.ended(tracer.pid) != nil { return false }
      try await Task.sleep(for: .milliseconds(10))
    }
    throw Running.TookTooLong(what: "not stopped after 30 s", stdout: tracer.stdout, stderr: tracer.stderr)
  }

  /// Who stopped before its turn is woken, once each.
  private func isStopped(_ log: String, _ woken: inout Int) -> Bool {
    switch point.counting {
    case .ofThread: return log.contains("stopped by SIGSTOP")
    case .held(let path): return log.contains("\(point.call)(\"\(path)\"")
    case .ofAll:
      let stops = StoppedCommand.stops(in: log)
      while woken < stops.count, stops[woken].isComplete {
        if woken + 1 == point.number { return true }
        _ = kill(stops[woken].thread, SIGCONT)
        woken += 1
      }
      return false
    }
  }

  /// Threads that were stopped by a call of their own, in order. One that is not complete has still to stop: a signal
  /// that wakes it would be lost.
  private static func stops(in log: String) -> [(thread: Int32, isComplete: Bool)] {
    var stops: [(thread: Int32, isComplete: Bool)] = []
    for line in log.split(separator: "\n") {
      guard let thread = line.split(separator: " ").first.flatMap({ Int32($0) }) else { continue }
      if line.contains("--- SIGSTOP {") {
        stops.append((thread, false))
      } else if line.contains("--- stopped by SIGSTOP ---"),
        let index = stops.firstIndex(where: { $0.thread == thread && !$0.isComplete })
      {
        stops[index].isComplete = true
      }
    }
    return stops
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
