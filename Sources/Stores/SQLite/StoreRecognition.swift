import Glibc
import Runbook
import SQLite

/// Tells whether a store is the one that was last used, or an older copy of it: by the mark beside it, by the witnesses
/// that this user keeps elsewhere, and, if its files are not as they were left, by looking it through.
struct StoreRecognition {
  private let path: String
  private let connection: Connection
  private let lock: StoreLock
  private let folders: WitnessFolders
  private let now: Timestamp
  private let witnesses: [StoreWitness]
  private var identity: Identity
  /// Transactions without entries that the store has seen.
  private let changes: Int64

  var incarnation: String { identity.incarnation }
  var digestKey: [UInt8] { identity.digestKey }

  init(
    path: String, connection: Connection, lock: StoreLock, folders: WitnessFolders, now: Timestamp
  ) throws {
    self.path = path
    self.connection = connection
    self.lock = lock
    self.folders = folders
    self.now = now
    let row = try connection.first("SELECT incarnation, digest_key, seal, changes FROM store") { row in
      (Identity(incarnation: row.text(0), digestKey: row.bytes(1)), row.integer(2), row.integer(3))
    }
    guard let (identity, seal, changes) = row, identity.seal == seal else {
      throw StoreFailure.damaged("the store `\(path)` is damaged: its first table does not match its checksum")
    }
    self.identity = identity
    self.changes = changes
    witnesses = PlantedMistake.witnessIgnored.isMade ? [] : folders.existing(identity.incarnation, at: now)
  }

  /// It holds what its mark and every witness say.
  var isWhole: Bool {
    get throws {
      guard try holds(lock.mark, isWitness: false) else { return false }
      for witness in witnesses where !(try holds(witness.mark, isWitness: true)) { return false }
      guard let files = lock.mark.files, files == FilesMark(of: path) else { return try isWholeInside }
      return true
    }
  }

  private func holds(_ mark: MarkFile, isWitness: Bool) throws -> Bool {
    // A witness that cannot be read says nothing; the mark is part of the store.
    guard let entry = mark.entry, entry.incarnation == incarnation else { return isWitness }
    if entry.sequence > 0 {
      let hash = try connection.first(
        "SELECT hash FROM runs JOIN entries ON place = (number << 32) + ?2 WHERE id = ?1", .text(entry.runID),
        .integer(entry.sequence)
      ) { $0.bytes(0) }
      if hash != entry.hash {
        let swept = try connection.first("SELECT last_sequence FROM swept WHERE run_id = ?", .text(entry.runID)) {
          $0.integer(0)
        }
        guard hash == nil, let swept, swept >= entry.sequence else { return false }
      }
    }
    guard let changeMark = mark.changes, changeMark.incarnation == incarnation else { return isWitness }
    return changeMark.changes <= changes
  }

  /// Somebody has changed the database's file or its log, or a checkpoint was cut off: an old file beside a new log, or
  /// the other way round, may hold the newest entry and lack others.
  private var isWholeInside: Bool {
    get throws {
      let words = try connection.first("PRAGMA quick_check(1)") { $0.text(0) } ?? "nothing was found"
      guard words == "ok" else {
        throw StoreFailure.damaged(
          "the store `\(path)` is damaged (\(words)); nothing was repaired. If its file was put back, `\(path)-wal` "
            + "and `\(path)-shm` of the one before must not lie beside it: delete them, or put back a backup")
      }
      let known = ([lock.mark] + witnesses.map(\.mark)).filter { $0.entry?.incarnation == incarnation }
        .compactMap(\.total).max()
      return try known.map { try total >= $0 } ?? true
    }
  }

  /// Entries that were ever written.
  private var total: Int64 {
    get throws(SQLiteError) {
      try connection.first(
        "SELECT (SELECT coalesce(sum(last_sequence), 0) FROM runs) + (SELECT coalesce(sum(entries), 0) FROM sweeps)"
      ) { $0.integer(0) } ?? 0
    }
  }

  /// Gives the copy an identity of its own and marks every run that had not ended, or still owes its rollback.
  /// - Returns: a warning; nil if there never was a run (the store was being made when its maker was stopped).
  mutating func restored() throws -> String? {
    let hadRuns = (lock.mark.entry?.sequence ?? 0) > 0
    identity.incarnation = Identity.random(16).hexadecimal
    try connection.run("BEGIN IMMEDIATE")
    let open = try connection.all("SELECT id FROM runs WHERE status <> 'ended' OR restored <> 0 ORDER BY id") {
      $0.text(0)
    }
    for id in open {
      // A row that is damaged stays so, and is refused when it is read.
      guard var row = try RunRow.find(id, on: connection), row.isIntact else { continue }
      row.summary.isRestored = true
      try row.writeFlags(on: connection)
    }
    try connection.run(
      "UPDATE store SET incarnation = ?, seal = ?", .text(identity.incarnation), .integer(identity.seal))
    try connection.run("COMMIT")
    let hasRuns = try connection.first("SELECT 1 FROM runs LIMIT 1") { _ in true } ?? false
    guard hasRuns || hadRuns else { return nil }
    let runs =
      open.isEmpty
      ? "no run in it was open or owed a rollback"
      : "open runs may have done more than its journal says: \(open.joined(separator: ", "))"
    return "the store `\(path)` lacks its newest entries, so it is an older copy or was cut; \(runs); "
      + "runs that were started since the copy was made are not in it, and the locks they held are free"
  }

  /// For a store that has just been made or recognised as a copy: a mark that asks for nothing.
  func writeMarks() throws {
    lock.mark.write(StoreMark(incarnation: incarnation), total: try total)
    lock.mark.write(ChangeMark(incarnation: incarnation, changes: 0).line, at: .changes)
  }

  /// Of what is known of a whole store the newest counts: the mark beside it may be older than the store.
  func bringMarksUpToDate() throws {
    var newest = lock.mark
    for witness in witnesses where witness.mark.entry?.incarnation == incarnation {
      if (witness.mark.total ?? 0) > (newest.total ?? 0) { newest = witness.mark }
    }
    if let entry = newest.entry, newest.file != lock.mark.file || newest.total == nil {
      lock.mark.write(entry, total: try newest.total ?? total)
    }
    if let mark = lock.mark.changes, mark.changes < changes {
      lock.mark.write(ChangeMark(incarnation: incarnation, changes: changes).line, at: .changes)
    }
  }

  /// What is said once about witnesses; nil if there is nothing to say.
  func note(_ witness: StoreWitness?) throws -> String? {
    guard witness != nil else { return noteUnwritable() }
    guard witnesses.isEmpty, try connection.first("SELECT 1 FROM runs LIMIT 1", read: { _ in true }) ?? false else {
      return nil
    }
    return "the store `\(path)` is used here for the first time by this user: "
      + "an older copy of it cannot be recognised yet; from now on it can"
  }

  private func noteUnwritable() -> String? {
    let told = lock.mark.text(at: .told).prefix { $0 != "\n" }
    let users = told.split(separator: " ").dropFirst(2).map(String.init)
    let user = String(geteuid())
    guard !users.contains(user) else { return nil }
    lock.mark.write("told 1 " + (users.suffix(20) + [user]).joined(separator: " ") + "\n", at: .told)
    return "no folder outside of `\(StoreFolder.parent(of: path))` can be written for this user, "
      + "so it will not be noticed if that folder is put back from an older copy; XDG_DATA_HOME names one"
  }
}

/// Who a store is. A copy that is put back gets a new incarnation.
struct Identity {
  var incarnation: String
  var digestKey: [UInt8]

  var seal: Int64 {
    var record = RecordBytes()
    record.append(incarnation)
    record.append(digestKey)
    return record.seal
  }

  /// From the kernel's generator (getrandom).
  static func random(_ count: Int) -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
  }
}
