import Glibc
import Posix
import Runbook
import Steps

// Scripts on many machines at once, from one process: `SSHBench COUNT FOLDER CONFIGURATION`. The hosts are `h1`, `h2`
// and so on of that ssh configuration. Each runs a script that waits; when all of them run, the open files and the
// memory of this process, of its keeper and of the ssh clients are told.
ScriptKeeper.runIfAsked()
StandardDescriptors.ensureOpen()
Heap.keepTogether()
Signals.ignoreBrokenPipe()

let words = CommandLine.arguments
guard words.count == 4, let count = Int(words[1]), count > 0 else {
  print("usage: SSHBench COUNT FOLDER CONFIGURATION")
  exit(2)
}
let folder = words[2]
let client = "\(folder)/client"
try FileWriting.replace(client, content: Array("#!/bin/sh\nexec ssh -F \(words[3]) \"$@\"\n".utf8), mode: 0o755)

struct NoTransport: HTTPTransport {
  func send(_ request: HTTPRequest) async throws(HTTPFailure) -> HTTPResponse {
    throw HTTPFailure(.connect, "there is no network here", beforeFirstByte: true)
  }
}

struct MachineClock: EngineClock {
  let begun = ContinuousClock.Instant.now
  var monotonic: Duration { begun.duration(to: .now) }
  var now: Timestamp { Timestamp(seconds: 1_700_000_000) + monotonic }
  func sleep(for duration: Duration) async { try? await Task.sleep(for: duration) }
}

let clock = MachineClock()
let scripts = DetachedScripts(folder: folder + "/scripts")
let actions = makeStandardActions(ssh: SSHProgram(path: client, connections: SSHConnections()))
guard let action = actions.first(where: { $0.declaration.name == "ssh.run" }) else { exit(1) }

/// How it fails; nil if it does not.
func run(_ number: Int) async -> String? {
  let script = "echo x >> \(folder)/begun; while ! test -e \(folder)/go; do sleep 0.2; done"
  let with: [String: Value] = ["host": .string("h\(number)"), "script": .string(script)]
  var call = ActionCall(
    with: Arguments(with), key: "r\(getpid())-\(number)", runID: "r0000000000000000000", clock: clock,
    transport: NoTransport(), scripts: scripts, files: LocalFiles(), deadline: clock.now + .seconds(600),
    intendedAt: nil, report: { _ in })
  call.scriptPlace = "elsewhere"
  call.epoch = 1
  do throws(StepFailure) {
    _ = try await action.perform(call)
    return nil
  } catch { return error.message }
}

/// Resident KiB that a process has for itself, and its share of what it has with others.
func share(of pid: Int32) -> Int {
  let bytes = (try? FileReading.all(of: "/proc/\(pid)/smaps_rollup", limit: 1 << 16)) ?? []
  let line = String(decoding: bytes, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("Pss:") }
  return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
}
func files(of pid: Int32) -> Int { FileReading.names(in: "/proc/\(pid)/fd").count }
func children(of pid: Int32) -> [Int32] {
  ((try? FileReading.all(of: "/proc/\(pid)/task/\(pid)/children", limit: 1 << 20)) ?? [])
    .split(separator: UInt8(ascii: " ")).compactMap { Int32(String(decoding: $0, as: UTF8.self)) }
}
func isBegun() -> Int {
  ((try? FileReading.all(of: "\(folder)/begun", limit: 1 << 20)) ?? []).count { $0 == UInt8(ascii: "\n") }
}

let began = clock.monotonic
let failures = await withTaskGroup(of: String?.self) { group in
  for number in 1...count { group.addTask { await run(number) } }
  while isBegun() < count, clock.monotonic - began < .seconds(120) { await clock.sleep(for: .milliseconds(50)) }
  let seconds = clock.monotonic - began
  let own = FileReading.names(in: "/proc/self/task").compactMap { Int32($0) }.flatMap { thread in
    ((try? FileReading.all(of: "/proc/self/task/\(thread)/children", limit: 1 << 20)) ?? [])
      .split(separator: UInt8(ascii: " ")).compactMap { Int32(String(decoding: $0, as: UTF8.self)) }
  }
  let keeper = own.max { files(of: $0) < files(of: $1) } ?? 0
  let clients = children(of: keeper)
  let memory = clients.map(share(of:)).reduce(0, +)
  print(
    "\(isBegun()) of \(count) run after \(seconds): engine \(files(of: getpid())) files, \(share(of: getpid())) KiB; "
      + "keeper \(files(of: keeper)) files, \(share(of: keeper)) KiB; \(clients.count) ssh clients, \(memory) KiB, "
      + "\(memory / count) KiB a host")
  try? FileWriting.replace("\(folder)/go", content: [], mode: 0o600)
  var failures: [String] = []
  for await failure in group { if let failure { failures.append(failure) } }
  return failures
}
print("  \(failures.count) failed\(failures.first.map { ": " + $0 } ?? "")")
