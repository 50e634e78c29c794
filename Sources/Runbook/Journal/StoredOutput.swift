/// A stream as a store keeps it, read back.
struct StoredOutput {
  private let key: String
  private let stream: OutputStream
  private let store: any OutputStore
  private let coder: SecretCoder

  /// - Parameter coder: of the run's secrets; a stream that holds any other is lost.
  init(_ key: String, _ stream: OutputStream, in store: any OutputStore, _ coder: SecretCoder) {
    self.key = key
    self.stream = stream
    self.store = store
    self.coder = coder
  }

  /// The value that the marks of a journaled one refer to; nil if they are none of ours.
  static func value(_ place: [Value], _ shown: String, _ coder: SecretCoder) -> Value? {
    guard place.count == 4, let key = place[0].string,
      let stream = place[1].string.flatMap({ OutputStream(rawValue: $0) }), let count = place[2].int
    else { return nil }
    let names = (place[3].list ?? []).compactMap { $0.string }
    let lost = names.filter { coder.digests[$0] == nil }
    guard lost.isEmpty else { return .lost(lost) }
    guard let store = coder.store else { return nil }
    let text = StoredText(key: key, stream: stream, count: Int(clamping: count), shown: shown, secrets: names) {
      StoredOutput(key, stream, in: store, coder).text()
    }
    return .stored(text)
  }

  /// With its true bytes in place of what is hidden, and with a marker wherever something is missing.
  func text() -> Result<String, StoredText.Failure> {
    do throws(StoreFailure) {
      guard !key.isEmpty, let stored = try store.outputStream(key, stream), let total = stored.total else {
        return .failure(.unreadable("the output of the script is not kept any more"))
      }
      var bytes: [UInt8] = []
      var lost: [String] = []
      var end: Int64 = 0
      var position: Int64 = 0
      while let chunk = try store.outputChunk(key, stream, from: position) {
        if chunk.first > end { bytes += OutputLimit.marker(leftOut: Int(clamping: chunk.first - end)) }
        guard append(chunk, to: &bytes, &lost) else {
          throw .damaged("the output of `\(stored.place.step)` is damaged")
        }
        end = chunk.end
        position = chunk.firstByte + Int64(chunk.body.count)
        if chunk.body.isEmpty { break }
      }
      // A mask at the end hides more than is counted.
      end += stored.hiddenAhead
      if total > end { bytes += OutputLimit.marker(leftOut: Int(clamping: total - end)) }
      guard lost.isEmpty else { return .failure(.lost(lost)) }
      return .success(StoredText.text(of: bytes))
    } catch {
      return .failure(.unreadable("the output of the script cannot be read from the store"))
    }
  }

  private func append(_ chunk: OutputChunk, to bytes: inout [UInt8], _ lost: inout [String]) -> Bool {
    var copied = 0
    for line in chunk.marks.split(separator: 0x0a) {
      guard case .list(let mark)? = try? JSONReader.read(Array(line)), mark.count == 3, let place = mark[0].int,
        let length = mark[1].int, let pieces = mark[2].list, let at = Int(exactly: place - chunk.firstByte),
        at >= copied, length >= 0, at <= chunk.body.count, length <= chunk.body.count - at
      else { return false }
      bytes += chunk.body[copied..<at]
      for piece in pieces { bytes += coder.bytes(of: piece, &lost) }
      copied = at + Int(clamping: length)
    }
    bytes += chunk.body[copied...]
    return true
  }
}
