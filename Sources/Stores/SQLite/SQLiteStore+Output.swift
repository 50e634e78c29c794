public import Runbook
import SQLite

// Masked output of scripts, in chunks.
extension SQLiteStore {
  public func appendOutput(_ writes: [OutputWrite], to runID: String, epoch: Int64) throws(StoreFailure) {
    try write(.forOutput) { database in
      let head = try database.head(of: runID, epoch: epoch)
      try database.append(writes, to: head)
    }
  }

  public func outputStreams(of runID: String) throws(StoreFailure) -> [StoredStream] {
    try read { database in
      guard let head = try RunHead.find(runID, on: database.connection) else { throw StoreFailure.notFound(runID) }
      let rows = try database.connection.all(
        """
        SELECT number, run, key, stream, step, attempt, end_raw, hidden, bytes, lines, total, last_chunk, seal
        FROM output_streams WHERE run = ? ORDER BY number
        """, .integer(head.number)
      ) { OutputRow($0) }
      return try rows.map { try database.checked($0).stream }
    }
  }

  public func outputStream(_ key: String, _ stream: OutputStream) throws(StoreFailure) -> StoredStream? {
    try read { try $0.outputRow(key, stream)?.stream }
  }

  public func outputChunk(
    _ key: String, _ stream: OutputStream, from position: Int64
  ) throws(StoreFailure) -> OutputChunk? {
    try read { database in
      guard let row = try database.outputRow(key, stream) else { return nil }
      let before = try database.connection.first(
        """
        SELECT place, first_byte + bytes FROM output_chunks WHERE stream = ? AND first_byte <= ?
        ORDER BY first_byte DESC LIMIT 1
        """, .integer(row.number), .integer(position)
      ) { (place: $0.integer(0), end: $0.integer(1)) }
      if let before, before.end > position { return try database.chunk(at: before.place, of: row) }
      let next = try database.connection.first(
        "SELECT place FROM output_chunks WHERE place > ? AND place <= ? ORDER BY place LIMIT 1",
        .integer(before?.place ?? row.place(0)), .integer(row.place(OutputRow.highestChunk))
      ) { $0.integer(0) }
      return try next.map { try database.chunk(at: $0, of: row) }
    }
  }

  public func outputChunk(_ key: String, _ stream: OutputStream, line: Int64) throws(StoreFailure) -> OutputChunk? {
    try read { database in
      guard let row = try database.outputRow(key, stream) else { return nil }
      let place = try database.connection.first(
        "SELECT place FROM output_chunks WHERE stream = ? AND first_line <= ? ORDER BY first_line DESC, place LIMIT 1",
        .integer(row.number), .integer(line)
      ) { $0.integer(0) }
      return try place.map { try database.chunk(at: $0, of: row) }
    }
  }

  public func copyOutput(_ keys: [String], to runID: String, epoch: Int64) throws(StoreFailure) {
    try write(.forNewWork) { database in
      let head = try database.head(of: runID, epoch: epoch)
      for key in keys {
        for stream in OutputStream.allCases { try database.copyOutput(key, stream, to: head) }
      }
    }
  }
}

/// A row of `output_streams`.
struct OutputRow {
  var number: Int64
  var run: Int64
  var stream: StoredStream
  /// Index of its newest chunk; 0: none.
  var lastChunk: Int64
  private var seal: Int64

  init(_ row: borrowing Statement) {
    number = row.integer(0)
    run = row.integer(1)
    let place = OutputPlace(
      key: row.text(2), stream: OutputStream(rawValue: row.text(3)) ?? .stdout, step: row.text(4),
      attempt: Int(clamping: row.integer(5)))
    stream = StoredStream(
      place: place, end: row.integer(6), hiddenAhead: row.integer(7), bytes: row.integer(8), lines: row.integer(9),
      total: row.isNull(10) ? nil : row.integer(10))
    lastChunk = row.integer(11)
    seal = row.integer(12)
  }

  init(number: Int64, run: Int64, place: OutputPlace) {
    self.number = number
    self.run = run
    stream = StoredStream(place: place, end: 0, hiddenAhead: 0, bytes: 0, lines: 0, total: nil)
    lastChunk = 0
    seal = 0
  }

  var isSound: Bool { seal == expectedSeal }

  var expectedSeal: Int64 {
    var record = RecordBytes()
    record.append("runbook output 1")
    record.append(stream.place.key)
    record.append(stream.place.stream.rawValue)
    record.append(stream.place.step)
    record.append(Int64(stream.place.attempt))
    record.append(stream.end)
    record.append(stream.hiddenAhead)
    record.append(stream.bytes)
    record.append(stream.lines)
    record.append(stream.total)
    record.append(lastChunk)
    return record.seal
  }

  /// The chunk's index has 32 bits in `output_chunks.place`.
  func place(_ chunk: Int64) -> Int64 { number << 32 + chunk }
  static let highestChunk: Int64 = 0xffff_ffff
}

extension Database {
  fileprivate func checked(_ row: OutputRow) throws -> OutputRow {
    guard row.isSound else {
      throw damaged("the row of the output of step `\(row.stream.place.step)` does not match its checksum")
    }
    return row
  }

  /// Of any run: copies are alike.
  fileprivate func outputRow(_ key: String, _ stream: OutputStream) throws -> OutputRow? {
    try connection.first(
      """
      SELECT number, run, key, stream, step, attempt, end_raw, hidden, bytes, lines, total, last_chunk, seal
      FROM output_streams WHERE key = ? AND stream = ? ORDER BY number LIMIT 1
      """, .text(key), .text(stream.rawValue)
    ) { OutputRow($0) }.map { try checked($0) }
  }

  private func outputRow(_ place: OutputPlace, of head: RunHead) throws -> OutputRow? {
    try connection.first(
      """
      SELECT number, run, key, stream, step, attempt, end_raw, hidden, bytes, lines, total, last_chunk, seal
      FROM output_streams WHERE run = ? AND key = ? AND stream = ?
      """, .integer(head.number), .text(place.key), .text(place.stream.rawValue)
    ) { OutputRow($0) }.map { try checked($0) }
  }

  fileprivate func chunk(at place: Int64, of row: OutputRow) throws -> OutputChunk {
    let found = try connection.first(
      "SELECT first_raw, end_raw, first_byte, first_line, lines, body, marks, seal FROM output_chunks WHERE place = ?",
      .integer(place)
    ) { row in
      (
        chunk: OutputChunk(
          first: row.integer(0), end: row.integer(1), firstByte: row.integer(2), firstLine: row.integer(3),
          lines: row.integer(4), body: row.bytes(5), marks: row.bytes(6)), seal: row.integer(7)
      )
    }
    guard let found, found.chunk.seal == found.seal else {
      throw damaged("a part of the output of step `\(row.stream.place.step)` does not match its checksum")
    }
    return found.chunk
  }

  func append(_ writes: [OutputWrite], to head: RunHead) throws {
    for write in writes {
      var row = try outputRow(write.place, of: head) ?? newRow(write.place, of: head)
      // It is there already.
      guard write.first >= row.stream.end else { continue }
      if !write.body.isEmpty || !write.marks.isEmpty { try append(write, to: &row) }
      row.stream.end = write.end
      row.stream.hiddenAhead = write.hiddenAhead
      row.stream.bytes += Int64(write.body.count)
      row.stream.lines += write.lines
      row.stream.total = write.total ?? row.stream.total
      try dropMiddle(of: row)
      try connection.run(
        """
        UPDATE output_streams SET end_raw = ?, hidden = ?, bytes = ?, lines = ?, total = ?, last_chunk = ?, seal = ?
        WHERE number = ?
        """,
        .integer(row.stream.end), .integer(row.stream.hiddenAhead), .integer(row.stream.bytes),
        .integer(row.stream.lines), .integer(row.stream.total), .integer(row.lastChunk), .integer(row.expectedSeal),
        .integer(row.number))
    }
  }

  private func newRow(_ place: OutputPlace, of head: RunHead) throws -> OutputRow {
    let number = try connection.first(
      """
      INSERT INTO output_streams
        (run, key, stream, step, attempt, end_raw, hidden, bytes, lines, total, last_chunk, seal)
      VALUES (?, ?, ?, ?, ?, 0, 0, 0, 0, NULL, 0, 0) RETURNING number
      """, .integer(head.number), .text(place.key), .text(place.stream.rawValue), .text(place.step),
      .integer(Int64(place.attempt))
    ) { $0.integer(0) }
    guard let number else { throw damaged("a row of output could not be made") }
    return OutputRow(number: number, run: head.number, place: place)
  }

  /// To the newest chunk, as long as it is small, so that a script that writes a line now and then makes no chunk a
  /// line.
  private func append(_ write: OutputWrite, to row: inout OutputRow) throws {
    if row.lastChunk > 0, try hasRoom(for: write, behind: row.place(row.lastChunk)) {
      var last = try chunk(at: row.place(row.lastChunk), of: row)
      if last.end == write.first, last.body.count + write.body.count <= OutputWrite.chunk {
        last.end = write.end
        last.lines += write.lines
        last.body += write.body
        last.marks += write.marks
        try connection.run(
          "UPDATE output_chunks SET end_raw = ?, bytes = ?, lines = ?, body = ?, marks = ?, seal = ? WHERE place = ?",
          .integer(last.end), .integer(Int64(last.body.count)), .integer(last.lines), .bytes(last.body),
          .bytes(last.marks), .integer(last.seal), .integer(row.place(row.lastChunk)))
        return
      }
    }
    row.lastChunk += 1
    try insert(
      OutputChunk(
        first: write.first, end: write.end, firstByte: row.stream.bytes, firstLine: row.stream.lines,
        lines: write.lines, body: write.body, marks: write.marks), at: row.lastChunk, of: row)
  }

  /// Asked by itself: of a script that writes much each chunk is full, and none is read for nothing.
  private func hasRoom(for write: OutputWrite, behind place: Int64) throws -> Bool {
    let bytes = try connection.first("SELECT bytes FROM output_chunks WHERE place = ?", .integer(place)) {
      $0.integer(0)
    }
    // The reader reports a missing one.
    return bytes.map { $0 + Int64(write.body.count) <= Int64(OutputWrite.chunk) } ?? true
  }

  private func insert(_ chunk: OutputChunk, at index: Int64, of row: OutputRow) throws {
    try connection.run(
      """
      INSERT INTO output_chunks (place, stream, first_raw, end_raw, first_byte, bytes, first_line, lines, seal, marks,
        body)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """,
      .integer(row.place(index)), .integer(row.number), .integer(chunk.first), .integer(chunk.end),
      .integer(chunk.firstByte), .integer(Int64(chunk.body.count)), .integer(chunk.firstLine), .integer(chunk.lines),
      .integer(chunk.seal), .bytes(chunk.marks), .bytes(chunk.body))
  }

  /// What is neither in the first nor in the last 32 MiB.
  private func dropMiddle(of row: OutputRow) throws {
    guard row.stream.end > Int64(OutputLimit.limit) else { return }
    try connection.run(
      "DELETE FROM output_chunks WHERE place > ? AND place < ? AND first_raw >= ? AND end_raw <= ?",
      .integer(row.place(0)), .integer(row.place(row.lastChunk)), .integer(Int64(OutputLimit.head)),
      .integer(row.stream.end - Int64(OutputLimit.tail)))
  }

  fileprivate func copyOutput(_ key: String, _ stream: OutputStream, to head: RunHead) throws {
    guard let source = try outputRow(key, stream), source.run != head.number else { return }
    var copy = try newRow(source.stream.place, of: head)
    let places = try connection.all(
      "SELECT place FROM output_chunks WHERE place > ? AND place <= ? ORDER BY place",
      .integer(source.place(0)), .integer(source.place(OutputRow.highestChunk))
    ) { $0.integer(0) }
    for place in places {
      try insert(try chunk(at: place, of: source), at: place - source.place(0), of: copy)
    }
    copy.stream = source.stream
    copy.lastChunk = source.lastChunk
    try connection.run(
      """
      UPDATE output_streams SET end_raw = ?, hidden = ?, bytes = ?, lines = ?, total = ?, last_chunk = ?, seal = ?
      WHERE number = ?
      """,
      .integer(copy.stream.end), .integer(copy.stream.hiddenAhead), .integer(copy.stream.bytes),
      .integer(copy.stream.lines), .integer(copy.stream.total), .integer(copy.lastChunk), .integer(copy.expectedSeal),
      .integer(copy.number))
  }

  /// With the run it belongs to.
  func removeOutput(of head: RunHead) throws {
    try connection.run(
      "DELETE FROM output_chunks WHERE stream IN (SELECT number FROM output_streams WHERE run = ?)",
      .integer(head.number))
    try connection.run("DELETE FROM output_streams WHERE run = ?", .integer(head.number))
  }
}

extension OutputChunk {
  /// Notices a flipped bit. Quicker than the journal's hash: nobody has to prove that nobody changed it on purpose.
  fileprivate var seal: Int64 {
    var sum: UInt64 = 0x9e37_79b9_7f4a_7c15
    func add(_ number: UInt64) {
      sum = (sum ^ number) &* 0xff51_afd7_ed55_8ccd
      sum ^= sum >> 32
    }
    for number in [first, end, firstByte, firstLine, lines, Int64(body.count)] { add(UInt64(bitPattern: number)) }
    for bytes in [body, marks] {
      unsafe bytes.withUnsafeBytes { bytes in
        var place = 0
        while place + 8 <= bytes.count {
          add(unsafe bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self))
          place += 8
        }
        while place < bytes.count {
          add(UInt64(unsafe bytes[place]))
          place += 1
        }
      }
    }
    return Int64(bitPattern: sum)
  }
}
