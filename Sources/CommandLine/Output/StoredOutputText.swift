import Runbook

/// The output of steps as the store has it, on its way to a reader: chunk by chunk, so that a long one begins at once.
struct StoredOutputText {
  let store: any OutputStore
  let stream: StoredStream
  /// Masked bytes that were given.
  private var position: Int64 = 0
  /// In the stream, behind the last byte that was given; nil: nothing was given.
  private var end: Int64?
  private var isEndTold = false

  init(_ stream: StoredStream, in store: any OutputStore) {
    self.store = store
    self.stream = stream
  }

  /// A part of the text, with the number of its first line, from 1.
  struct Part {
    var bytes: [UInt8]
    var firstLine: Int64
  }

  /// Begins with this line, from 1, or with the next one that is kept.
  mutating func begin(atLine line: Int64) throws(StoreFailure) -> Part? {
    let wanted = line - 1
    guard wanted > 0 else { return try next() }
    guard let chunk = try store.outputChunk(stream.place.key, stream.place.stream, line: wanted) else {
      return try next()
    }
    note(chunk)
    var skipped = max(0, wanted - chunk.firstLine)
    guard skipped <= chunk.lines else { return try next() }
    var start = 0
    while skipped > 0, let place = chunk.body[start...].firstIndex(of: 0x0a) {
      start = place + 1
      skipped -= 1
    }
    let rest = Array(chunk.body[start...])
    return rest.isEmpty ? try next() : Part(bytes: rest, firstLine: wanted + 1)
  }

  /// The next part of the stream; nil: the store holds none yet.
  mutating func next() throws(StoreFailure) -> Part? {
    guard let chunk = try store.outputChunk(stream.place.key, stream.place.stream, from: position) else {
      return try ending()
    }
    // The newest chunk grows.
    let known = Int(clamping: max(0, position - chunk.firstByte))
    var bytes = known == 0 ? chunk.body : Array(chunk.body[min(known, chunk.body.count)...])
    let gap = known == 0 ? chunk.first - (end ?? 0) : 0
    if gap > 0 { bytes = OutputLimit.marker(leftOut: Int(clamping: gap)) + bytes }
    let before = known == 0 ? 0 : Array(chunk.body[..<min(known, chunk.body.count)]).filter { $0 == 0x0a }.count
    note(chunk)
    return bytes.isEmpty ? nil : Part(bytes: bytes, firstLine: chunk.firstLine + Int64(before) + 1)
  }

  /// The remark with which a stream ends that was cut or lost; nil: it is whole, or has not ended.
  private mutating func ending() throws(StoreFailure) -> Part? {
    guard !isEndTold, let now = try store.outputStream(stream.place.key, stream.place.stream), let total = now.total
    else { return nil }
    isEndTold = true
    let end = (end ?? 0) + now.hiddenAhead
    guard total > end else { return nil }
    return Part(bytes: OutputLimit.marker(leftOut: Int(clamping: total - end)), firstLine: now.lines + 1)
  }

  private mutating func note(_ chunk: OutputChunk) {
    position = chunk.firstByte + Int64(chunk.body.count)
    end = chunk.end
  }
}

/// Output of scripts as lines for a reader: as they were written into a pipe, escaped on a terminal, one document a
/// line for programs.
final class OutputLines {
  private let shell: Shell
  private let runID: String
  /// A line whose end has not come yet, for programs and terminals.
  private var rest: [OutputPlace: (bytes: [UInt8], line: Int64)] = [:]
  private var last: UInt8 = 0x0a

  init(_ shell: Shell, runID: String) {
    self.shell = shell
    self.runID = runID
  }

  /// Longest line that a terminal is shown, in characters.
  private static let longest = 10_000

  func print(_ part: StoredOutputText.Part, of place: OutputPlace) async {
    guard shell.wantsJSON || shell.output.isTerminal else {
      last = part.bytes.last ?? last
      return await shell.output.stream(part.bytes)
    }
    var (bytes, line) = (part.bytes, part.firstLine)
    if let rest = rest.removeValue(forKey: place) { (bytes, line) = (rest.bytes + bytes, rest.line) }
    var text: [UInt8] = []
    var start = 0
    while let end = bytes[start...].firstIndex(of: 0x0a) {
      text += self.line(bytes[start..<end], line, of: place, isFound: false)
      start = end + 1
      line += 1
    }
    if start < bytes.count { rest[place] = (Array(bytes[start...]), line) }
    await shell.output.stream(text)
  }

  /// The last lines, if their script did not end them.
  func finish() async {
    for (place, rest) in rest { await shell.output.stream(line(rest.bytes[...], rest.line, of: place, isFound: false)) }
    rest = [:]
    if last != 0x0a { await shell.output.stream([0x0a]) }
  }

  /// - Parameter isFound: it is one of many steps, so its place is told.
  func line(_ bytes: ArraySlice<UInt8>, _ number: Int64, of place: OutputPlace, isFound: Bool) -> [UInt8] {
    if shell.wantsJSON {
      let document: Value = [
        "v": 1, "run_id": .string(runID), "step": .string(place.step), "attempt": .int(Int64(place.attempt)),
        "stream": .string(place.stream.rawValue), "line": .int(number),
        "text": .string(String(decoding: bytes, as: UTF8.self)),
      ]
      return JSONWriter.bytes(document) + [0x0a]
    }
    let name = place.stream == .stdout ? "" : " stderr"
    let place = isFound ? "\(DisplayText.escaped(place.step, limit: 100))\(name):\(number): " : ""
    guard shell.output.isTerminal else { return Array(place.utf8) + bytes + [0x0a] }
    let text = DisplayText.escaped(String(decoding: bytes, as: UTF8.self), limit: OutputLines.longest)
    return Array("\(place)\(text)\n".utf8)
  }
}
