import Runbook

/// Fields put one after the other so that no two records give the same bytes: each is preceded by its length.
struct RecordBytes {
  private(set) var bytes: [UInt8] = []

  init(reserving count: Int = 256) { bytes.reserveCapacity(count) }

  mutating func append(_ number: Int64) {
    var rest = UInt64(bitPattern: number)
    for _ in 0..<8 {
      bytes.append(UInt8(truncatingIfNeeded: rest))
      rest >>= 8
    }
  }
  mutating func append(_ field: [UInt8]) {
    append(Int64(field.count))
    bytes.append(contentsOf: field)
  }
  mutating func append(_ text: String) {
    append(Int64(text.utf8.count))
    bytes.append(contentsOf: text.utf8)
  }
  mutating func append(_ text: String?) {
    append(Int64(text == nil ? 0 : 1))
    if let text { append(text) }
  }
  mutating func append(_ number: Int64?) {
    append(Int64(number == nil ? 0 : 1))
    if let number { append(number) }
  }

  /// The first eight bytes of the SHA-256: kept in a row's `seal` column, so that a flipped bit in the row is noticed.
  var seal: Int64 {
    var number: UInt64 = 0
    for byte in SHA256.hash(bytes).prefix(8) { number = number << 8 | UInt64(byte) }
    return Int64(bitPattern: number)
  }
}

/// The hash chain of one run's journal. Each entry's hash covers the one before it; the first covers the run's id, so
/// that entries cannot be moved between runs, swapped, changed or dropped from the middle.
enum JournalChain {
  static func start(of runID: String) -> [UInt8] {
    var record = RecordBytes()
    record.append("runbook journal 1")
    record.append(runID)
    return SHA256.hash(record.bytes)
  }

  /// SHA-256 of the previous hash, sequence, time (in nanoseconds), epoch, kind and body, each with its length.
  static func next(after previous: [UInt8], _ entry: JournalEntry) -> [UInt8] {
    var record = RecordBytes(reserving: 160 + entry.body.count)
    record.append(previous)
    record.append(entry.sequence)
    record.append(entry.at.storedNanoseconds)
    record.append(entry.epoch)
    record.append(entry.kind)
    record.append(entry.body)
    return SHA256.hash(record.bytes)
  }
}

extension Timestamp {
  /// Nanoseconds since 1970, how the store keeps it; saturates outside the years 1678 to 2262.
  var storedNanoseconds: Int64 {
    let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, carried) = product.addingReportingOverflow(Int64(nanoseconds))
    return overflow || carried ? (seconds < 0 ? .min : .max) : sum
  }

  init(storedNanoseconds nanoseconds: Int64) {
    var seconds = nanoseconds / 1_000_000_000
    var rest = nanoseconds % 1_000_000_000
    if rest < 0 {
      rest += 1_000_000_000
      seconds -= 1
    }
    self.init(seconds: seconds, nanoseconds: Int32(truncatingIfNeeded: rest))
  }
}
