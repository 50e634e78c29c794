import Glibc

/// The sectors in which marks stand, one of 512 bytes for each, so that none is ever half old and half new: in the lock
/// file beside the store, and in the witnesses. Nothing is flushed: a mark may only be older than the store.
struct MarkFile {
  /// Belongs to the object that made this.
  let file: Int32

  enum Place: off_t {
    case entry = 0
    case changes = 512
    case files = 1024
    /// Users who were told that nothing outside of the store's folder can be written.
    case told = 1536
  }

  static let sector = 512
  /// In the sector of the newest entry: how many entries the store holds, removed ones included.
  private static let totalPlace = 256
  private static let totalSize = 32

  func text(at place: Place) -> String { String(decoding: bytes(at: place.rawValue, MarkFile.sector), as: UTF8.self) }

  func write(_ text: String, at place: Place) {
    write(Array(text.utf8.prefix(MarkFile.sector)), at: place.rawValue)
  }

  var entry: StoreMark? { StoreMark(text(at: .entry)) }
  var changes: ChangeMark? { ChangeMark(text(at: .changes)) }
  var files: FilesMark? { FilesMark(text(at: .files)) }

  /// nil if it was never written.
  var total: Int64? {
    let text = String(
      decoding: bytes(at: off_t(MarkFile.totalPlace), MarkFile.totalSize).prefix { $0 != 0x0a }, as: UTF8.self)
    return text.hasPrefix("total ") ? Int64(text.dropFirst(6)) : nil
  }

  /// In one write.
  func write(_ entry: StoreMark, total: Int64?) {
    var sector = Array(entry.line.utf8)
    if let total, sector.count <= MarkFile.totalPlace {
      sector += [UInt8](repeating: 0, count: MarkFile.totalPlace - sector.count) + Array("total \(total)\n".utf8)
    }
    guard sector.count <= MarkFile.sector else { return }
    write(sector + [UInt8](repeating: 0, count: MarkFile.sector - sector.count), at: Place.entry.rawValue)
  }

  /// The newest entry and the count of changes, as they stand in `other`.
  func copy(from other: MarkFile) {
    write(other.bytes(at: 0, 2 * MarkFile.sector), at: 0)
  }

  func isSame(as other: MarkFile) -> Bool {
    bytes(at: 0, 2 * MarkFile.sector) == other.bytes(at: 0, 2 * MarkFile.sector)
  }

  private func bytes(at place: off_t, _ count: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let read = unsafe pread(file, &bytes, count, place)
    return Array(bytes.prefix(max(0, read)))
  }

  private func write(_ bytes: [UInt8], at place: off_t) {
    _ = unsafe bytes.withUnsafeBytes { unsafe pwrite(file, $0.baseAddress, $0.count, place) }
  }
}
