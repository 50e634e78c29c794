import SQLite
import Stores
import TestSupport
import Testing

@testable import Runbook

/// Output of scripts on its way through the sink into a store, and back.
@Suite struct OutputStoreTests {
  let folder = TemporaryFolder(inMemory: true)
  static let secret = SecretShreds.text
  private static let secrets = ["token": Secret(secret, named: ["token"])]

  private func coder(
    _ store: any RunStore, _ secrets: [String: Secret] = OutputStoreTests.secrets
  ) -> SecretCoder {
    var coder = SecretCoder(secrets, masker: Masker(secrets), key: store.digestKey)
    coder.store = store
    return coder
  }

  private func sink(
    _ store: any RunStore, _ lease: Lease, key: String = "r1-k", secrets: [String: Secret] = OutputStoreTests.secrets
  ) -> StepOutput {
    StepOutput(
      key: key, step: "pack", attempt: 1, coder: coder(store, secrets), store: store, lease: lease, keeps: true)
  }

  private func shown(_ store: any RunStore, _ stream: OutputStream = .stdout, key: String = "r1-k") throws -> [UInt8] {
    var bytes: [UInt8] = []
    while let chunk = try store.outputChunk(key, stream, from: Int64(bytes.count)) { bytes += chunk.body }
    return bytes
  }

  private func truth(
    _ store: any RunStore, secrets: [String: Secret] = OutputStoreTests.secrets, key: String = "r1-k"
  ) -> Result<String, StoredText.Failure> { StoredOutput(key, .stdout, in: store, coder(store, secrets)).text() }

  /// Lines, some of which hold the secret.
  private static func text(lines: Int) -> [UInt8] {
    var text: [UInt8] = []
    for line in 0..<lines { text += Array("line \(line) \(line % 7 == 3 ? secret : "") of many\n".utf8) }
    return text
  }

  @Test(arguments: StoreUnderTest.allCases)
  func aStreamIsKeptMaskedAndGivesItsTrueBytesBack(_ kind: StoreUnderTest) async throws {
    let bench = try kind.open(in: folder)
    let sink = sink(bench.store, try await bench.store.begin())
    let text = Self.text(lines: 40_000)
    var place = 0
    while place < text.count {
      let part = Array(text[place..<min(place + 70_001, text.count)])
      sink.take(part, of: .stdout, at: place)
      place += part.count
      #expect(sink.position(of: .stdout) == place)
      if place % 3 == 0 { sink.publish() }
    }
    sink.finish(.stdout, total: text.count)
    let shown = try shown(bench.store)
    #expect(shown == Masker(Self.secrets).mask(text))
    #expect(try truth(bench.store).get() == String(decoding: text.dropLast(), as: UTF8.self))
    let stored = try #require(try bench.another().outputStreams(of: "r1").first)
    #expect(stored.total == Int64(text.count) && stored.lines == 40_000 && stored.place.step == "pack")
    let line = try #require(try bench.store.outputChunk("r1-k", .stdout, line: 39_998))
    #expect(line.firstLine <= 39_998 && line.firstLine + line.lines > 39_998)
    #expect(line.body.starts(with: Array("line \(line.firstLine) ".utf8)))
  }

  @Test(arguments: StoreUnderTest.allCases)
  func whatIsMadeOfASecretThatHasChangedIsLost(_ kind: StoreUnderTest) async throws {
    let bench = try kind.open(in: folder)
    let sink = sink(bench.store, try await bench.store.begin())
    let text = Self.text(lines: 2000)
    sink.take(text, of: .stdout, at: 0)
    sink.finish(.stdout, total: text.count)
    for secrets in [["token": Secret("another one", named: ["token"])], [:]] {
      guard case .failure(.lost(["token"])) = truth(bench.store, secrets: secrets) else {
        Issue.record("it is not lost")
        continue
      }
    }
  }

  /// A process that was killed is followed by one that reads the script's file from where the store ends.
  @Test(arguments: StoreUnderTest.allCases, [0, 1, 5000, 64_000, 300_000, 700_001])
  func anotherProcessGoesOnWhereTheStoreEnds(_ kind: StoreUnderTest, _ killed: Int) async throws {
    let bench = try kind.open(in: folder)
    var lease = try await bench.store.begin()
    let text = Self.text(lines: 30_000) + Array(Self.secret.utf8)
    let first = sink(bench.store, lease)
    first.take(Array(text[..<killed]), of: .stdout, at: 0)
    first.publish()
    await bench.store.dropProof(of: lease)
    bench.clock.advance(.seconds(60))
    lease = try await bench.store.takeOver("r1", owner: .second, leaseFor: .seconds(60))
    let next = sink(bench.store, lease)
    let position = next.position(of: .stdout)
    #expect(position <= killed && (killed == 0 || killed - position < 400_000))
    next.take(Array(text[position...]), of: .stdout, at: position)
    next.finish(.stdout, total: text.count)
    #expect(try shown(bench.store) == Masker(Self.secrets).mask(text))
    #expect(try truth(bench.store).get() == String(decoding: text, as: UTF8.self))
    // The one before, which was only stopped, writes no more.
    first.take(Array(text[killed...]), of: .stdout, at: killed)
    first.finish(.stdout, total: text.count)
    #expect(try shown(bench.store) == Masker(Self.secrets).mask(text))
  }

  @Test(arguments: StoreUnderTest.allCases)
  func ofAVeryLongStreamTheBeginningAndTheEndAreKeptAndTheMarkerTellsWhatIsNot(_ kind: StoreUnderTest) async throws {
    let bench = try kind.open(in: folder)
    // Masking nothing is quicker.
    let sink = sink(bench.store, try await bench.store.begin(), secrets: [:])
    let block = Array(repeating: Array("0123456789abcdef 0123456789abcd\n".utf8), count: 1 << 15).flatMap { $0 }
    let blocks = 80
    for number in 0..<blocks { sink.take(block, of: .stdout, at: number * block.count) }
    sink.finish(.stdout, total: blocks * block.count)
    var kept = 0
    var end: Int64 = 0
    var missing: [Int64] = []
    // Nothing is hidden here, so masked places are places of the stream.
    while let chunk = try bench.store.outputChunk("r1-k", .stdout, from: end) {
      if chunk.first > end { missing.append(chunk.first - end) }
      kept += chunk.body.count
      end = chunk.end
    }
    #expect(end == Int64(blocks * block.count))
    #expect(missing.count == 1 && Int64(kept) + (missing.first ?? 0) == end)
    #expect(kept >= OutputLimit.limit && kept < OutputLimit.limit + 3 << 20)
    let text = try truth(bench.store).get()
    #expect(text.utf8.count == kept - 1 + OutputLimit.marker(leftOut: Int(missing[0])).count)
    #expect(text.contains("\n[\(missing[0]) bytes left out]\n"))
  }

  @Test(arguments: StoreUnderTest.allCases)
  func whatAGapCutsOffOfASecretIsNotShown(_ kind: StoreUnderTest) async throws {
    let bench = try kind.open(in: folder)
    let secret = Array(Self.secret.utf8)
    let lease = try await bench.store.begin()
    for cut in 1..<secret.count {
      let sink = sink(bench.store, lease, key: "k\(cut)")
      let before = Array(repeating: UInt8(ascii: "x"), count: 40_000) + [0x0a] + secret[..<cut]
      let behind = Array(secret[cut...]) + [0x0a] + Array(repeating: UInt8(ascii: "y"), count: 40_000) + [0x0a]
      sink.take(before, of: .stdout, at: 0)
      sink.take(behind, of: .stdout, at: 1_000_000)
      sink.finish(.stdout, total: 1_000_000 + behind.count)
      let shown = String(decoding: try shown(bench.store, key: "k\(cut)"), as: UTF8.self)
      #expect(SecretShreds.found(in: shown) == nil, "cut at \(cut)")
      #expect(shown.contains("xxx") && shown.hasSuffix("yyy\n"))
    }
  }

  @Test(arguments: StoreUnderTest.allCases)
  func aShortOutputGoesWithTheOutcome(_ kind: StoreUnderTest) async throws {
    let bench = try kind.open(in: folder)
    let sink = sink(bench.store, try await bench.store.begin())
    sink.take(Array("a \(Self.secret) b\nno end".utf8), of: .stderr, at: 0)
    sink.finish(.stdout, total: 0)
    sink.finish(.stderr, total: 50)
    #expect(try bench.store.outputStreams(of: "r1").isEmpty)
    let writes = sink.takeReady()
    try await bench.store.append(
      [.sample("{}")], to: "r1", epoch: 1, summary: nil, locks: [], releasingLocks: false, output: writes)
    #expect(try bench.store.outputStreams(of: "r1").map(\.place.stream) == [.stderr])
    #expect(try shown(bench.store, .stderr) == Array("a *** b\nno end".utf8))
    #expect(sink.takeReady().isEmpty)
  }

  @Test func manySmallWritesMakeFewChunks() async throws {
    let bench = try StoreUnderTest.sqlite.open(in: folder)
    let sink = sink(bench.store, try await bench.store.begin())
    var place = 0
    for number in 0..<200 {
      let line = Array("line \(number) \(number % 10 == 0 ? Self.secret : "")\n".utf8)
      sink.take(line, of: .stdout, at: place)
      sink.publish()
      place += line.count
    }
    sink.finish(.stdout, total: place)
    let chunks = try Connection(path: folder.path("runbook.db"), busyTimeout: 1000)
      .first("SELECT count(*) FROM output_chunks") { $0.integer(0) }
    #expect(chunks == 1)
    #expect(try truth(bench.store).get().hasPrefix("line 0 \(Self.secret)\nline 1 \nline 2"))
  }

  @Test(arguments: StoreUnderTest.allCases)
  func aCopyStaysWhenItsRunGoes(_ kind: StoreUnderTest) async throws {
    let bench = try kind.open(in: folder)
    let sink = sink(bench.store, try await bench.store.begin())
    let text = Self.text(lines: 20_000)
    sink.take(text, of: .stdout, at: 0)
    sink.finish(.stdout, total: text.count)
    let lease = try await bench.store.begin("r2")
    try bench.store.copyOutput(["r1-k"], to: "r2", epoch: lease.epoch)
    #expect(try bench.store.outputStreams(of: "r2").map(\.total) == [Int64(text.count)])
    if let store = bench.store as? SQLiteStore {
      try await store.end("r1", at: ManualClock.start - .seconds(100))
      _ = try store.sweep(["r1"], endedBefore: ManualClock.start)
    }
    #expect(try truth(bench.store).get() == String(decoding: text.dropLast(), as: UTF8.self))
  }

  @Test func theOutputOfARemovedRunGoesWithIt() async throws {
    let bench = try StoreUnderTest.sqlite.open(in: folder)
    let sink = sink(bench.store, try await bench.store.begin())
    let text = Self.text(lines: 20_000)
    sink.take(text, of: .stdout, at: 0)
    sink.finish(.stdout, total: text.count)
    let store = try #require(bench.store as? SQLiteStore)
    try store.backUp(to: folder.path("copy.db"))
    try await store.end("r1", at: ManualClock.start - .seconds(100))
    _ = try store.sweep(["r1"], endedBefore: ManualClock.start)
    let connection = try Connection(path: folder.path("runbook.db"), busyTimeout: 1000)
    #expect(try connection.first("SELECT count(*) FROM output_chunks") { $0.integer(0) } == 0)
    #expect(try connection.first("SELECT count(*) FROM output_streams") { $0.integer(0) } == 0)
    // The backup was made before: it has all of it.
    let copy = try SQLiteStore(at: folder.path("copy.db"), clock: bench.clock)
    #expect(try truth(copy).get() == String(decoding: text.dropLast(), as: UTF8.self))
  }

  @Test func aFlippedBitInOutputIsNoticed() async throws {
    let bench = try StoreUnderTest.sqlite.open(in: folder)
    let sink = sink(bench.store, try await bench.store.begin())
    let text = Self.text(lines: 20_000)
    sink.take(text, of: .stdout, at: 0)
    sink.finish(.stdout, total: text.count)
    try Connection(path: folder.path("runbook.db"), busyTimeout: 1000)
      .run("UPDATE output_chunks SET body = CAST('x' || substr(body, 2) AS BLOB) WHERE first_byte > 0")
    guard case .failure(.unreadable) = truth(bench.store) else {
      Issue.record("nobody noticed")
      return
    }
  }

  @Test(.enabled(if: SmallDisk.isPermitted, Comment(rawValue: SmallDisk.whyNot)))
  func aFullDiskLosesOutputAndNoOutcome() async throws {
    let disk = try #require(SmallDisk(kilobytes: 8000))
    let clock = ManualClock()
    var options = SQLiteStore.Options()
    options.reserve = 256 << 10
    let store = try SQLiteStore(at: disk.path + "/runbook.db", clock: clock, options: options)
    let sink = self.sink(store, try await store.begin(), secrets: [:])
    let line = Array((String(repeating: "x", count: 1023) + "\n").utf8)
    let text = Array(repeating: line, count: 16_000).flatMap { $0 }
    for place in stride(from: 0, to: text.count, by: 1 << 20) {
      sink.take(Array(text[place..<min(place + 1 << 20, text.count)]), of: .stdout, at: place)
    }
    sink.finish(.stdout, total: text.count)
    // Not all of it is there, so no value can refer to it.
    let whole = StoredText(stream: .stdout, count: text.count) { .success("") }
    #expect(sink.reference(to: whole) == nil)
    let kept = try shown(store)
    #expect(!kept.isEmpty && kept.count < text.count && text.starts(with: kept))
    // The outcome is written, with the short output of another step if there is room, and else without it.
    try store.append([.sample("outcome")], to: "r1", epoch: 1, summary: nil, locks: [], releasingLocks: false)
    disk.fill()
    let other = self.sink(store, try #require(try store.lease(of: "r1")), key: "r1-other", secrets: [:])
    other.take(Array(text[..<30_000]), of: .stdout, at: 0)
    other.finish(.stdout, total: 30_000)
    let writes = other.takeReady()
    #expect(!writes.isEmpty)
    var written = 2
    while !store.isOutOfSpace, written < 2000 {
      try await store.add([String(repeating: "y", count: 5000)])
      written += 1
    }
    #expect(store.isOutOfSpace, "the disk was never full")
    try store.append(
      [.sample("outcome of the other")], to: "r1", epoch: 1, summary: nil, locks: [], releasingLocks: false,
      output: writes)
    #expect(try store.outputStream("r1-other", .stdout) == nil)
    #expect(try store.entries(of: "r1", after: 0).count == written + 1)
  }

  @Test func aStoreFromBeforeOutputWasKeptIsMigratedWithItsRunsOpen() async throws {
    let bench = try StoreUnderTest.sqlite.open(in: folder)
    let lease = try await bench.store.begin(locks: ["rack"])
    try await bench.store.post("cancel", body: [], to: "r1", requester: "ops")
    try Connection(path: folder.path("runbook.db"), busyTimeout: 1000)
      .script("DROP TABLE output_chunks; DROP TABLE output_streams; PRAGMA user_version = 5")
    let store = try SQLiteStore(at: folder.path("runbook.db"), clock: bench.clock)
    #expect(store.warning == nil)
    #expect(try store.openRuns().map(\.id) == ["r1"] && store.locks(of: "r1") == ["rack"])
    #expect(try store.requests(for: "r1", after: 0).map(\.kind) == ["cancel"])
    #expect(try store.outputStreams(of: "r1").isEmpty)
    let sink = sink(store, lease)
    sink.take(Self.text(lines: 2000), of: .stdout, at: 0)
    sink.finish(.stdout, total: Self.text(lines: 2000).count)
    #expect(try store.outputStreams(of: "r1").map(\.lines) == [2000])
  }
}
