import Synchronization

/// Masks what one attempt of a step writes and puts it into the store, in chunks of whole lines.
///
/// A short output is not stored by itself: it goes with the step's outcome, in one transaction. Nothing here fails the
/// step: once the store has refused output, the rest of the attempt's output is left out.
final class StepOutput: OutputSink {
  private struct State {
    var streams: [OutputStream: OutputBuilder] = [:]
    /// Whole, and to be stored with the next entries.
    var ready: [OutputWrite] = []
    var failure: StoreFailure?

    /// The newest masked bytes of the stream that was written last; nil: nothing was written since.
    mutating func takeNews() -> [UInt8]? {
      for stream in [OutputStream.stderr, .stdout] {
        guard let newest = streams[stream]?.newest, streams[stream]?.hasNews == true else { continue }
        streams[stream]?.hasNews = false
        return newest
      }
      return nil
    }
  }

  let key: String
  private let step: StepPath
  private let attempt: Int
  private let coder: SecretCoder
  private let store: any RunStore
  private let lease: Lease
  /// False: nobody could mask what it writes, so nothing of it is kept.
  private let keeps: Bool
  /// Given the last lines, when there are new ones.
  private let watching: @Sendable ([String]) -> Void
  private let state = Mutex(State())

  /// - Parameters:
  ///   - keeps: false if it was given a secret that this process does not know.
  ///   - watching: given the last lines, masked, while they are written.
  init(
    key: String, step: StepPath, attempt: Int, coder: SecretCoder, store: any RunStore, lease: Lease, keeps: Bool,
    watching: @escaping @Sendable ([String]) -> Void = { _ in }
  ) {
    self.watching = watching
    self.key = key
    self.step = step
    self.attempt = attempt
    self.coder = coder
    self.store = store
    self.lease = lease
    self.keeps = keeps
  }

  /// Stored in one transaction while a script writes much.
  private static let batch = 2 << 20

  func position(of stream: OutputStream) -> Int { state.withLock { builder(stream, &$0).taken } }

  func take(_ bytes: [UInt8], of stream: OutputStream, at offset: Int) {
    state.withLock { state in
      var builder = builder(stream, &state)
      // Not shared while it grows.
      state.streams[stream] = nil
      builder.take(bytes, at: offset, coder)
      builder.cut()
      let isMuch = builder.writes.reduce(0) { $0 + $1.body.count } >= StepOutput.batch
      state.streams[stream] = builder
      if isMuch { write(&state) }
    }
  }

  func publish() {
    let news = state.withLock { state -> [UInt8]? in
      for stream in state.streams.keys { state.streams[stream]?.cutLines() }
      write(&state)
      return keeps ? state.takeNews() : nil
    }
    guard let news else { return }
    let lines = String(decoding: news, as: UTF8.self).split(separator: "\n").suffix(StepOutput.shownLines)
    watching(lines.map { String($0) })
  }

  /// Lines below a running step on a terminal.
  static let shownLines = 4

  func finish(_ stream: OutputStream, total: Int) {
    state.withLock { state in
      var builder = builder(stream, &state)
      guard builder.total == nil else { return }
      builder.finish(total: total, coder)
      if builder.isShort {
        state.ready += builder.takeWrites()
        state.streams[stream] = builder
      } else {
        state.streams[stream] = builder
        write(&state)
      }
    }
  }

  /// What is stored with the next entries.
  func takeReady() -> [OutputWrite] {
    state.withLock { state in
      defer { state.ready = [] }
      return state.failure == nil ? state.ready : []
    }
  }

  /// The text of a whole stream by reference; nil if not all of it is in the store.
  func reference(to text: StoredText) -> StoredText? {
    let builder = state.withLock { state -> OutputBuilder? in
      guard state.failure == nil, keeps, let builder = state.streams[text.stream], builder.isStored else { return nil }
      return builder
    }
    guard let builder else { return nil }
    let beginning = String(decoding: builder.beginning.prefix(StoredText.shownLimit), as: UTF8.self)
    let marker = OutputLimit.marker(leftOut: max(0, text.count - StoredText.shownLimit))
    let (store, key, stream, coder) = (store, key, text.stream, coder)
    return StoredText(
      key: key, stream: stream, count: text.count, shown: beginning + String(decoding: marker, as: UTF8.self),
      secrets: builder.names.sorted()
    ) {
      // While the host still has it as it was written, that is quicker.
      if let text = try? text.text() { return .success(text) }
      return StoredOutput(key, stream, in: store, coder).text()
    }
  }

  private func builder(_ stream: OutputStream, _ state: inout State) -> OutputBuilder {
    if let builder = state.streams[stream] { return builder }
    let place = OutputPlace(key: key, stream: stream, step: step.text, attempt: attempt)
    var builder = OutputBuilder(place, coder.masker)
    // Only a run that was taken over can have some already.
    if lease.epoch > 1 {
      do throws(StoreFailure) {
        if let stored = try store.outputStream(key, stream) {
          builder = OutputBuilder(stored, coder.masker)
          // Which of them are in what an earlier process has stored is not looked for.
          builder.names = Set(coder.digests.keys)
          builder.beginning = try store.outputChunk(key, stream, from: 0)?.body ?? []
        }
      } catch {
        state.failure = state.failure ?? error
      }
    }
    state.streams[stream] = builder
    return builder
  }

  private func write(_ state: inout State) {
    var writes: [OutputWrite] = []
    for stream in OutputStream.allCases { writes += state.streams[stream]?.takeWrites() ?? [] }
    guard !writes.isEmpty, state.failure == nil, keeps else { return }
    do throws(StoreFailure) { try store.appendOutput(writes, to: lease.runID, epoch: lease.epoch) } catch {
      state.failure = error
    }
  }
}

extension StoredText {
  /// Bytes of its beginning that a person is shown.
  static let shownLimit = 1 << 10
}

/// One stream on its way into the store.
struct OutputBuilder {
  let place: OutputPlace
  private let secrets: Masker
  private var masker: StreamMasker
  /// Bytes of the stream that were handed over.
  private(set) var taken = 0
  private(set) var total: Int?
  private(set) var writes: [OutputWrite] = []
  /// Something of it was given away to be stored.
  private var isBegun = false
  /// The first masked bytes.
  var beginning: [UInt8] = []
  /// The last masked bytes, and whether there were any since somebody looked.
  private(set) var newest: [UInt8] = []
  var hasNews = false
  /// Of the secrets in it.
  var names: Set<String> = []

  // What is masked and in no write yet.
  private var body: [UInt8] = []
  private var marks: [(at: Int, pieces: Value)] = []
  private var plain: [(at: Int, place: Int)] = []
  /// In the stream, of the first byte of `body` and behind its last one.
  private var first = 0
  private var end = 0
  private var hiddenAhead = 0
  /// Masked bytes before `body`.
  private var bytesBefore: Int64 = 0
  /// Bytes after a gap that may be the end of a secret.
  private var skipped = 0

  /// Bytes of the end that are kept to be shown.
  private static let window = 1024

  init(_ place: OutputPlace, _ masker: Masker) {
    self.place = place
    secrets = masker
    self.masker = StreamMasker(masker)
  }

  /// Goes on where the store ends.
  init(_ stored: StoredStream, _ masker: Masker) {
    self.init(stored.place, masker)
    self.masker = StreamMasker(masker, hidden: Int(clamping: stored.hiddenAhead))
    taken = Int(clamping: stored.end)
    first = taken
    end = taken
    bytesBefore = stored.bytes
    total = stored.total.map { Int(clamping: $0) }
    isBegun = true
  }

  /// All of it was given away to be stored.
  var isStored: Bool { total != nil && isBegun }
  /// Nothing was stored yet, and what there is goes with the outcome.
  var isShort: Bool { !isBegun && (total ?? .max) <= OutputLimit.inline }

  mutating func takeWrites() -> [OutputWrite] {
    defer { writes = [] }
    if !writes.isEmpty { isBegun = true }
    return writes
  }

  mutating func take(_ bytes: [UInt8], at offset: Int, _ coder: SecretCoder) {
    guard total == nil, offset >= 0 else { return }
    var bytes = bytes
    if offset > taken {
      skip(to: offset)
    } else if offset < taken {
      guard bytes.count > taken - offset else { return }
      bytes = Array(bytes[(taken - offset)...])
    }
    if skipped > 0 {
      let count = min(skipped, bytes.count)
      skipped -= count
      taken += count
      bytes = Array(bytes[count...])
      (first, end) = (taken, taken)
    }
    taken += bytes.count
    if !bytes.isEmpty { add(masker.take(bytes), coder) }
  }

  /// A part is missing. What is kept back before it, and what comes first behind it, may be parts of one secret, which
  /// nobody could find.
  private mutating func skip(to offset: Int) {
    end += hiddenAhead
    hiddenAhead = 0
    cutAll()
    masker = StreamMasker(secrets)
    taken = offset
    skipped = secrets.longestForm
    (first, end) = (taken, taken)
  }

  private mutating func add(_ masked: MaskedBytes, _ coder: SecretCoder) {
    for stretch in masked.plain { plain.append((body.count + stretch.at, end + stretch.place)) }
    for hidden in masked.hidden {
      for case .secret(let name, _) in hidden.pieces { names.insert(name) }
      let pieces = hidden.pieces.map { coder.mark(of: $0) }
      marks.append(
        (body.count + hidden.at, .list([.int(Int64(hidden.length)), .list(pieces)])))
    }
    if beginning.count < StoredText.shownLimit {
      beginning += masked.bytes.prefix(StoredText.shownLimit - beginning.count)
    }
    if !masked.bytes.isEmpty {
      newest = Array(
        (newest.suffix(OutputBuilder.window) + masked.bytes.suffix(OutputBuilder.window)).suffix(
          OutputBuilder.window))
      hasNews = true
    }
    if body.isEmpty { body = masked.bytes } else { body += masked.bytes }
    end += masked.count
    hiddenAhead = masked.hiddenAhead
  }

  mutating func finish(total: Int, _ coder: SecretCoder) {
    add(masker.finish(), coder)
    self.total = total
    cut()
    cutAll()
    if total > 0 {
      if writes.isEmpty {
        writes = [OutputWrite(place: place, first: Int64(end), end: Int64(end), body: [], lines: 0)]
      }
      writes[writes.count - 1].total = Int64(total)
    }
  }

  /// Gives chunks away as long as there is enough for one.
  mutating func cut() {
    var start = 0
    while body.count - start >= OutputWrite.chunk {
      let full = start + OutputWrite.chunk
      guard let place = body[start..<full].lastIndex(of: 0x0a) ?? body[full...].firstIndex(of: 0x0a) else { break }
      write(start..<place + 1)
      start = place + 1
    }
    drop(start)
    // A line that is longer than a chunk.
    if body.count >= OutputWrite.chunk { cutAll() }
  }

  mutating func cutLines() {
    guard let place = body.lastIndex(of: 0x0a) else { return }
    write(0..<place + 1)
    drop(place + 1)
  }

  private mutating func cutAll() {
    guard end > first || !body.isEmpty else { return }
    append(0..<body.count, end: end, hiddenAhead: hiddenAhead)
    drop(body.count)
    (first, plain, marks) = (end, [], [])
  }

  /// - Parameter range: ends with a line break, which is shown as it was written.
  private mutating func write(_ range: Range<Int>) {
    var (low, high) = (0, plain.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if plain[middle].at < range.upperBound { low = middle } else { high = middle }
    }
    guard low < plain.count else { return }
    append(range, end: plain[low].place + range.upperBound - plain[low].at, hiddenAhead: 0)
  }

  private mutating func append(_ range: Range<Int>, end: Int, hiddenAhead: Int) {
    let bytes = Array(body[range])
    var write = OutputWrite(
      place: place, first: Int64(first), end: Int64(end), body: bytes, lines: bytes.lineBreaks)
    write.hiddenAhead = Int64(hiddenAhead)
    for mark in marks where range.contains(mark.at) || mark.at == range.upperBound && range.upperBound == body.count {
      write.marks += JSONWriter.bytes(.list([.int(bytesBefore + Int64(mark.at))] + (mark.pieces.list ?? []))) + [0x0a]
    }
    first = end
    writes.append(write)
  }

  /// Away with what was given away.
  private mutating func drop(_ count: Int) {
    guard count > 0 else { return }
    bytesBefore += Int64(count)
    body = count == body.count ? [] : Array(body[count...])
    marks = marks.filter { $0.at >= count }.map { ($0.at - count, $0.pieces) }
    let last = plain.last { $0.at < count }
    plain = plain.filter { $0.at >= count }.map { ($0.at - count, $0.place) }
    // The stretch that was cut goes on.
    if let last, !body.isEmpty, plain.first?.at != 0, marks.first?.at != 0 {
      plain.insert((0, last.place + count - last.at), at: 0)
    }
  }
}

extension [UInt8] {
  public var lineBreaks: Int64 {
    var count: Int64 = 0
    for byte in self where byte == 0x0a { count += 1 }
    return count
  }
}
