import Glibc
import Posix
import Runbook
import Synchronization
import TestSupport
import Testing

@testable import Steps

/// What a script writes is handed over while it writes it, and goes on from where the last reader stopped.
@Suite struct ScriptOutputTests {
  let folder = TemporaryFolder()

  /// Remembers what it was given.
  private final class Sink: OutputSink {
    private let state = Mutex((taken: [OutputStream: [UInt8]](), totals: [OutputStream: Int](), published: 0))
    private let start: Int
    init(from start: Int = 0) { self.start = start }
    func position(of stream: OutputStream) -> Int {
      state.withLock { (stream == .stdout ? start : 0) + ($0.taken[stream]?.count ?? 0) }
    }
    func take(_ bytes: [UInt8], of stream: OutputStream, at offset: Int) {
      let position = position(of: stream)
      state.withLock { state in
        if offset > position { state.taken[stream, default: []] += [UInt8](repeating: 0, count: offset - position) }
        state.taken[stream, default: []] += bytes
      }
    }
    func publish() { state.withLock { $0.published += 1 } }
    func finish(_ stream: OutputStream, total: Int) { state.withLock { $0.totals[stream] = total } }
    func text(_ stream: OutputStream) -> String {
      String(decoding: state.withLock { $0.taken[stream] ?? [] }, as: UTF8.self)
    }
    func bytes(_ stream: OutputStream) -> [UInt8] { state.withLock { $0.taken[stream] ?? [] } }
    var totals: [OutputStream: Int] { state.withLock { $0.totals } }
    var published: Int { state.withLock { $0.published } }
  }

  @Test func whatARunningScriptWritesIsHandedOverBeforeItEnds() async throws {
    let scripts = Harness.scripts(in: folder)
    let key = Harness.newKey()
    let go = folder.path("go")
    let script = "echo one; echo two >&2; while [ ! -e \(go) ]; do sleep 0.02; done; echo three"
    try await scripts.start(Harness.shell(key, script))
    let sink = Sink()
    async let state = scripts.wait(for: key, timeout: .seconds(60), output: sink)
    while sink.text(.stdout) != "one\n" || sink.text(.stderr) != "two\n" { try await Task.sleep(for: .milliseconds(5)) }
    #expect(sink.totals.isEmpty)
    folder.write("go", [])
    let end = ScriptEnd(exitCode: 0, stdout: Array("one\nthree\n".utf8), stderr: Array("two\n".utf8))
    #expect(try await state == .ended(end))
    #expect(sink.text(.stdout) == "one\nthree\n" && sink.text(.stderr) == "two\n")
    #expect(sink.totals == [.stdout: 10, .stderr: 4] && sink.published > 0)
  }

  @Test func anotherReaderGoesOnWhereTheLastOneStopped() async throws {
    let scripts = Harness.scripts(in: folder)
    let key = Harness.newKey()
    _ = try await scripts.finish(Harness.shell(key, "seq 1 20000"))
    let sink = Sink(from: 100_000)
    _ = try await Harness.scripts(in: folder).wait(for: key, timeout: .seconds(60), output: sink)
    #expect(sink.totals[.stdout] == 108_894)
    #expect(sink.text(.stdout).utf8.count == 8894 && sink.text(.stdout).hasSuffix("\n20000\n"))
  }

  /// Remembers only where it was given how much.
  private final class Ruler: OutputSink {
    private let state = Mutex((stretches: [Range<Int>](), last: UInt8(0), total: 0))
    func position(of stream: OutputStream) -> Int {
      stream == .stdout ? state.withLock { $0.stretches.last?.upperBound ?? 0 } : 0
    }
    func take(_ bytes: [UInt8], of stream: OutputStream, at offset: Int) {
      state.withLock { state in
        let end = offset + bytes.count
        if let last = state.stretches.last, last.upperBound == offset {
          state.stretches[state.stretches.count - 1] = last.lowerBound..<end
        } else {
          state.stretches.append(offset..<end)
        }
        state.last = bytes.last ?? 0
      }
    }
    func publish() {}
    func finish(_ stream: OutputStream, total: Int) { state.withLock { $0.total = max($0.total, total) } }
    var seen: (stretches: [Range<Int>], last: UInt8, total: Int) { state.withLock { $0 } }
  }

  @Test func theRingIsHandedOverInOrderBehindItsGap() async throws {
    let scripts = Harness.scripts(in: folder)
    let key = Harness.newKey()
    try await scripts.start(Harness.shell(key, "head -c 70000000 /dev/zero; printf y"))
    let ruler = Ruler()
    let state = try await scripts.wait(for: key, timeout: .seconds(120), output: ruler)
    let total = 70_000_001
    #expect(ruler.seen.stretches == [0..<OutputLimit.head, total - OutputLimit.tail..<total])
    #expect(ruler.seen.last == UInt8(ascii: "y") && ruler.seen.total == total)
    guard case .ended(let end) = state else { return }
    #expect(end.output.count == end.stdout.count)
    #expect(end.output.end(limit: 3) == [0, 0, UInt8(ascii: "y")])
  }

  private func files(_ key: String) -> [String] { FileReading.names(in: folder.path("scripts/\(key)")) }

  @Test func whatAScriptWroteGoesAndHowItEndedStays() async throws {
    let scripts = Harness.scripts(in: folder)
    let key = Harness.newKey()
    _ = try await scripts.finish(Harness.shell(key, "echo told; exit 7"))
    #expect(files(key).contains("stdout"))
    await scripts.forgetOutput(key)
    #expect(!files(key).contains("stdout"))
    #expect(try await Harness.scripts(in: folder).state(of: key).exitCode == 7)
    // One that runs keeps what it writes: it still has to be read.
    let running = Harness.newKey()
    try await scripts.start(Harness.shell(running, "echo told; exec sleep 60"))
    #expect(Harness.eventually { files(running).contains("stdout") })
    await scripts.forgetOutput(running)
    #expect(files(running).contains("stdout"))
    try await scripts.cancel(running, grace: .zero)
  }
}
