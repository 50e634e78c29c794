import Runbook

/// Output of scripts in memory.
struct OutputShelf {
  struct Item {
    var runID: String
    var stream: StoredStream
    var chunks: [OutputChunk] = []
  }
  private var items: [Item] = []

  func find(_ key: String, _ stream: OutputStream) -> Item? {
    items.first { $0.stream.place.key == key && $0.stream.place.stream == stream }
  }

  func streams(of runID: String) -> [StoredStream] { items.filter { $0.runID == runID }.map(\.stream) }

  mutating func append(_ writes: [OutputWrite], to runID: String) {
    for write in writes {
      var index = items.firstIndex { item in
        item.runID == runID && item.stream.place.key == write.place.key
          && item.stream.place.stream == write.place.stream
      }
      if index == nil {
        let stream = StoredStream(place: write.place, end: 0, hiddenAhead: 0, bytes: 0, lines: 0, total: nil)
        items.append(Item(runID: runID, stream: stream))
        index = items.count - 1
      }
      if let index { items[index].append(write) }
    }
  }

  mutating func copy(_ keys: [String], to runID: String) {
    for key in keys {
      for stream in OutputStream.allCases {
        guard var item = find(key, stream), item.runID != runID else { continue }
        item.runID = runID
        items.append(item)
      }
    }
  }
}

extension OutputShelf.Item {
  fileprivate mutating func append(_ write: OutputWrite) {
    guard write.first >= stream.end else { return }
    if !write.body.isEmpty || !write.marks.isEmpty {
      chunks.append(
        OutputChunk(
          first: write.first, end: write.end, firstByte: stream.bytes, firstLine: stream.lines, lines: write.lines,
          body: write.body, marks: write.marks))
    }
    stream.end = write.end
    stream.hiddenAhead = write.hiddenAhead
    stream.bytes += Int64(write.body.count)
    stream.lines += write.lines
    stream.total = write.total ?? stream.total
    guard stream.end > Int64(OutputLimit.limit) else { return }
    let newest = chunks.last?.first
    chunks.removeAll { chunk in
      chunk.first >= Int64(OutputLimit.head) && chunk.end <= stream.end - Int64(OutputLimit.tail)
        && chunk.first != newest
    }
  }
}
