import Glibc
import Posix
import Runbook
import Steps
import Synchronization
import TestSupport

/// Scripts of all hostile shapes, many at once, in a process of its own: what is left in it afterwards (children,
/// descriptors, memory) can be counted. Says what it found, a line each; see `ShapeFindings`.
struct ShapeCampaign: Sendable {
  let isHere: Bool
  let ending: HostileShape.Ending
  let count: Int
  /// How many run at once.
  let width: Int
  let folder: String
  /// Fields of `ssh.run`: `name=value`.
  let fields: [String]

  private final class Findings: Sendable {
    let state = Mutex((begun: 0, done: 0))
    func say(_ line: String) { OutputWriter.standardOutput.write(line + "\n") }
  }
  private let findings = Findings()

  init?(_ words: [String]) {
    guard words.count >= 7, let ending = HostileShape.Ending(rawValue: words[3]), let count = Int(words[4]),
      let width = Int(words[5])
    else { return nil }
    isHere = words[2] == "here"
    self.ending = ending
    self.count = count
    self.width = max(width, 1)
    folder = words[6]
    fields = Array(words.dropFirst(7))
  }

  func run() async {
    let scripts = DetachedScripts(folder: folder + "/scripts")
    let name = isHere ? "run" : "ssh.run"
    let ssh = SSHProgram(path: "/usr/bin/ssh", connections: SSHConnections())
    guard let action = makeStandardActions(ssh: ssh).first(where: { $0.declaration.name == name }) else { return }
    // The first few open what is kept for all; what the others leave is counted from there.
    var next = 0
    var before: (descriptors: Int, memory: Int)?
    while next < count {
      let wave = next..<min(next + (next == 0 ? min(width, 8) : width), count)
      await withTaskGroup(of: Void.self) { group in
        for number in wave { group.addTask { await self.one(number, action, scripts) } }
      }
      await look(at: wave)
      if isHere { for number in wave { await scripts.forget(key(number)) } }
      if before == nil { before = (Self.descriptors, Self.memory("VmRSS")) }
      next = wave.upperBound
    }
    let limit = before?.descriptors ?? 0
    _ = await eventually { Self.descriptors <= limit && zombies == 0 }
    let state = findings.state.withLock { $0 }
    findings.say("begun \(state.begun)")
    findings.say("done \(state.done)")
    findings.say("descriptors \(Self.descriptors - limit)")
    findings.say("zombies \(zombies)")
    findings.say("memory \(max(Self.memory("VmHWM") - (before?.memory ?? 0), 0))")
    withExtendedLifetime(scripts) {}
  }

  private func key(_ number: Int) -> String { "r\(getpid())-\(number)" }
  private func shape(_ number: Int) -> HostileShape {
    HostileShape.allCases[number % HostileShape.allCases.count]
  }

  private func one(_ number: Int, _ action: any Action, _ scripts: DetachedScripts) async {
    let shape = shape(number)
    let ready = "\(folder)/ready-\(number)"
    var with: [String: Value] = [
      "script": .string(shape.script(ending, ready: ready)), "grace": .duration(.milliseconds(200)),
    ]
    for field in fields {
      let parts = field.split(separator: "=", maxSplits: 1).map(String.init)
      guard parts.count == 2 else { continue }
      with[parts[0]] = Int64(parts[1]).map { .int($0) } ?? .string(parts[1])
    }
    let sink = KeptOutput()
    let call = call(with, key(number), scripts, sink)
    async let performed = Self.failure(action, call)
    if ending == .cancelled {
      if await eventually({ Self.isThere(ready) }) {
        do throws(StepFailure) { try await action.cancel(call) } catch {
          wrong(number, "the cancel failed: \(error.message)")
        }
        if !survivors(of: [number]).isEmpty { wrong(number, "something lives when the cancel has returned") }
      }
    }
    let failure = await performed
    if ending == .cancelled, !Self.isThere(ready) {
      wrong(number, "it did not begin: \(failure?.message ?? "it succeeded") \(failure?.detail ?? [:])")
    }
    if ending == .ordinary || Self.isThere(ready) { findings.state.withLock { $0.begun += 1 } }
    judge(number, shape, failure, sink)
    _ = unsafe unlink(ready)
    findings.state.withLock { $0.done += 1 }
  }

  private func judge(_ number: Int, _ shape: HostileShape, _ failure: StepFailure?, _ sink: KeptOutput) {
    switch ending {
    case .ordinary:
      let code: Value? = failure?.kind == .exitCode ? failure?.detail["exit_code"] : failure == nil ? .int(0) : nil
      if code != .int(Int64(shape.exitCode)) { wrong(number, "its end: \(failure?.message ?? "0")") }
      if sink.stdout != shape.stdout {
        wrong(number, "\(sink.stdout.count) bytes of output: \(sink.stdout.suffix(40))")
      }
    case .cancelled:
      if failure?.effect != .applied { wrong(number, "cancelled: \(failure?.message ?? "it succeeded")") }
    case .timedOut:
      if failure?.kind != .timeout || failure?.effect != .applied {
        wrong(number, "timed out: \(failure?.message ?? "it succeeded")")
      }
    }
  }

  private func wrong(_ number: Int, _ what: String) {
    findings.say("wrong \(shape(number).rawValue) \(ending.rawValue) \(number): \(what)")
  }

  /// After an ordinary end children that were left on purpose live on, and are ended by us; nothing else lives.
  private func look(at wave: Range<Int>) async {
    let left = survivors(of: Array(wave))
    for number in wave {
      let lives = left[number] != nil
      let mayLive = ending == .ordinary && shape(number).leavesChildren
      if lives != mayLive { wrong(number, lives ? "something of it lives" : "what it left on purpose was ended") }
    }
    for pid in left.values.flatMap({ $0 }) { kill(pid, SIGKILL) }
  }

  /// Pids of living processes that bear the mark of a script, by its number. Of each process the environment is read
  /// once.
  private func survivors(of numbers: [Int]) -> [Int: [Int32]] {
    let marks = Dictionary(
      uniqueKeysWithValues: numbers.map { ("RUNBOOK_SCRIPT=\(key($0))" + (isHere ? "" : "."), $0) })
    var found: [Int: [Int32]] = [:]
    for entry in ProcessEntry.all() where !entry.isZombie && entry.pid != getpid() {
      guard let bytes = try? FileReading.all(of: "/proc/\(entry.pid)/environ", limit: 4 << 20) else { continue }
      for variable in bytes.split(separator: 0) where variable.starts(with: Array("RUNBOOK_SCRIPT=".utf8)) {
        let mark = String(decoding: variable, as: UTF8.self)
        // On another machine a number follows the key.
        let word = isHere ? mark : mark.split(separator: ".").first.map { $0 + "." } ?? ""
        if let number = marks[word] { found[number, default: []].append(entry.pid) }
      }
    }
    return found
  }

  private func call(_ with: [String: Value], _ key: String, _ scripts: DetachedScripts, _ sink: KeptOutput)
    -> ActionCall
  {
    let clock = HarnessClock()
    let time: Duration = ending == .timedOut ? (isHere ? .seconds(2) : .seconds(5)) : .seconds(600)
    var call = ActionCall(
      with: Arguments(with), key: key, runID: "r0000000000000000000", clock: clock, transport: NoNetwork(),
      scripts: scripts, files: LocalFiles(), deadline: clock.now + time)
    call.epoch = 1
    call.scriptPlace = isHere ? nil : "elsewhere"
    call.output = sink
    return call
  }

  private static func failure(_ action: any Action, _ call: ActionCall) async -> StepFailure? {
    do throws(StepFailure) {
      _ = try await action.perform(call)
      return nil
    } catch { return error }
  }

  private func eventually(_ holds: () -> Bool) async -> Bool {
    for _ in 0..<6000 {
      if holds() { return true }
      try? await Task.sleep(for: .milliseconds(10))
    }
    return false
  }

  private static func isThere(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }
  private static var descriptors: Int { FileReading.names(in: "/proc/self/fd").count }
  /// Children of ours, and of our keeper, that have ended and were not reaped.
  private var zombies: Int {
    let all = ProcessEntry.all()
    let ours = Set([getpid()] + all.filter { $0.parent == getpid() }.map { $0.pid })
    return all.count { $0.isZombie && ours.contains($0.parent) }
  }

  /// In KiB: `VmRSS` now, `VmHWM` at its highest.
  static func memory(_ name: String) -> Int {
    let status = String(decoding: (try? FileReading.all(of: "/proc/self/status", limit: 64 << 10)) ?? [], as: UTF8.self)
    let line = status.split(separator: "\n").first { $0.hasPrefix(name + ":") }
    return line.flatMap { Int($0.filter(\.isNumber)) } ?? 0
  }
}

extension ShapeCampaign {
  /// huge SHAPE COUNT MEBIBYTES FOLDER: says how many bytes were told wrong, and by how much our memory has grown.
  static func huge(_ words: [String]) async {
    guard words.count == 6, let shape = HugeOutput(rawValue: words[2]), let count = Int(words[3]),
      let mebibytes = Int(words[4])
    else { return }
    let scripts = DetachedScripts(folder: words[5] + "/scripts")
    let before = memory("VmRSS")
    let (text, total) = shape.script(mebibytes: mebibytes)
    for number in 0..<count {
      let request = ScriptRequest(key: "r\(getpid())-\(number)", command: ["/bin/sh", "-eu"], script: text)
      let sink = CountedOutput()
      do throws(StepFailure) {
        try await scripts.start(request)
        let state = try await scripts.wait(for: request.key, timeout: .seconds(600), output: sink)
        guard case .ended(let end) = state, end.exitCode == 0, end.output.total == total, sink.total == total else {
          OutputWriter.standardOutput.write("wrong \(number): \(sink.total) of \(total) bytes\n")
          continue
        }
      } catch {
        OutputWriter.standardOutput.write("wrong \(number): \(error.message)\n")
      }
      await scripts.forget(request.key)
    }
    OutputWriter.standardOutput.write("done \(count)\nmemory \(max(memory("VmHWM") - before, 0))\n")
  }
}

/// Counts, and keeps nothing.
private final class CountedOutput: OutputSink {
  private let state = Mutex<(next: [OutputStream: Int], total: Int)>(([:], 0))
  var total: Int { state.withLock { $0.total } }
  func position(of stream: OutputStream) -> Int { state.withLock { $0.next[stream] ?? 0 } }
  func take(_ bytes: [UInt8], of stream: OutputStream, at offset: Int) {
    state.withLock { $0.next[stream] = offset + bytes.count }
  }
  func publish() {}
  func finish(_ stream: OutputStream, total: Int) {
    if stream == .stdout { state.withLock { $0.total = total } }
  }
}

private struct NoNetwork: HTTPTransport {
  func send(_ request: HTTPRequest) async throws(HTTPFailure) -> HTTPResponse {
    throw HTTPFailure(.connect, "there is no network here", beforeFirstByte: true)
  }
}

private struct HarnessClock: EngineClock {
  var now: Timestamp { Timestamp(seconds: 1_700_000_000) + monotonic }
  var monotonic: Duration { Monotonic.now }
  func sleep(for duration: Duration) async { try? await Task.sleep(for: duration) }
}
