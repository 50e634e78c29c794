import Glibc
import Runbook

/// The newest journal entry of the store, written beside it after each commit that has entries. A store that does not
/// hold the entry of its mark has lost what was committed: an older copy was put back, or its file or write-ahead log
/// was cut. A store whose mark is missing or of another incarnation is a copy. Either way its open runs may have done
/// more than their journals say.
///
/// A hash chain alone cannot tell this: every beginning of a chain is a good chain.
struct StoreMark: Equatable {
  var incarnation: String
  var runID: String
  var sequence: Int64
  var hash: [UInt8]

  /// One line that fits into one sector, so that it is never half old and half new.
  var line: String { "mark 1 \(incarnation) \(sequence) \(hash.hexadecimal) \(runID)\n" }

  init(incarnation: String, runID: String = "-", sequence: Int64 = 0, hash: [UInt8] = []) {
    self.incarnation = incarnation
    self.runID = runID
    self.sequence = sequence
    self.hash = hash
  }

  /// nil if `text` does not begin with a mark.
  init?(_ text: String) {
    guard let end = text.firstIndex(of: "\n") else { return nil }
    let fields = text[..<end].split(separator: " ", omittingEmptySubsequences: false)
    guard fields.count == 6, fields[0] == "mark", fields[1] == "1", let sequence = Int64(fields[3]),
      let hash = [UInt8](hex: fields[4])
    else { return nil }
    self.init(incarnation: String(fields[2]), runID: String(fields[5]), sequence: sequence, hash: hash)
  }
}

/// How many transactions without a new entry the store has seen (take-overs, requests …): the second half of the mark.
struct ChangeMark: Equatable {
  var incarnation: String
  var changes: Int64

  var line: String { "changes 1 \(incarnation) \(changes)\n" }

  init(incarnation: String, changes: Int64) {
    self.incarnation = incarnation
    self.changes = changes
  }

  /// nil if `text` does not begin with one.
  init?(_ text: String) {
    guard let end = text.firstIndex(of: "\n") else { return nil }
    let fields = text[..<end].split(separator: " ", omittingEmptySubsequences: false)
    guard fields.count == 4, fields[0] == "changes", fields[1] == "1", let changes = Int64(fields[3]) else {
      return nil
    }
    self.init(incarnation: String(fields[2]), changes: changes)
  }
}

/// The database's file and its log as a process of ours left them: if they are found otherwise, somebody has changed
/// one of them, or a checkpoint was cut off. Then the store is looked through once.
struct FilesMark: Equatable {
  /// Bytes of the database's file.
  var size: Int64
  /// Nanoseconds since 1970 of its last change. Only checkpoints write it.
  var changedAt: Int64
  /// The salt of the write-ahead log, in hexadecimal: a new one each time the log begins anew; `-` without a log.
  var salt: String

  var line: String { "files 1 \(size) \(changedAt) \(salt)\n" }

  /// As the files are now.
  init(of store: String) {
    let info = StoreFolder.status(of: store)
    size = Int64(info?.st_size ?? 0)
    changedAt = info.map { Int64($0.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64($0.st_mtim.tv_nsec) } ?? 0
    salt = "-"
    let log = unsafe open(store + "-wal", O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard log >= 0 else { return }
    defer { close(log) }
    var bytes = [UInt8](repeating: 0, count: 8)
    if unsafe pread(log, &bytes, bytes.count, 16) == bytes.count { salt = bytes.hexadecimal }
  }

  /// nil if `text` does not begin with one.
  init?(_ text: String) {
    guard let end = text.firstIndex(of: "\n") else { return nil }
    let fields = text[..<end].split(separator: " ", omittingEmptySubsequences: false)
    guard fields.count == 5, fields[0] == "files", fields[1] == "1", let size = Int64(fields[2]),
      let changedAt = Int64(fields[3])
    else { return nil }
    self.size = size
    self.changedAt = changedAt
    salt = String(fields[4])
  }
}

extension [UInt8] {
  init?(hex: Substring) {
    var bytes: [UInt8] = []
    var high: UInt8?
    for character in hex {
      guard let digit = character.hexDigitValue.map(UInt8.init(truncatingIfNeeded:)) else { return nil }
      if let first = high {
        bytes.append(first << 4 | digit)
        high = nil
      } else {
        high = digit
      }
    }
    guard high == nil else { return nil }
    self = bytes
  }
}
