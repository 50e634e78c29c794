public import Runbook
import SQLite

// Creating runs, appending to journals and reading them.
extension SQLiteStore {
  public func create(
    _ run: RunSummary, owner: Owner, leaseFor: Duration, locks: [String], entries: [NewEntry]
  ) throws(StoreFailure) -> Lease {
    try write(.forNewWork) { [clock] database in
      if let key = run.key, let other = try database.summary(withKey: key) { throw StoreFailure.keyTaken(other) }
      guard try RunHead.find(run.id, on: database.connection) == nil else {
        throw StoreFailure.unusable("there already is a run `\(run.id)` in the store `\(database.path)`")
      }
      let lease = Lease(runID: run.id, epoch: 1, owner: owner, for: leaseFor, clock)
      try database.insert(run, lease)
      try database.take(locks, for: run.id)
      guard var head = try RunHead.find(run.id, on: database.connection) else { throw StoreFailure.notFound(run.id) }
      guard try database.proveLife(OwnerLocks.Proof(run: head.number, epoch: 1)) else {
        throw StoreFailure.unusable(
          "another process works on a run of this number: `\(database.path)` was put back from an older copy; end it")
      }
      try database.append(entries, to: run.id, &head)
      return lease
    }
  }

  @discardableResult
  public func append(
    _ entries: [NewEntry], to runID: String, epoch: Int64, summary: RunSummary?, locks: [String], releasingLocks: Bool
  ) throws(StoreFailure) -> Int64 {
    try append(
      entries, to: runID, epoch: epoch, summary: summary, locks: locks, releasingLocks: releasingLocks, output: [])
  }

  @discardableResult
  public func append(
    _ entries: [NewEntry], to runID: String, epoch: Int64, summary: RunSummary?, locks: [String], releasingLocks: Bool,
    output: [OutputWrite]
  ) throws(StoreFailure) -> Int64 {
    let batch = JournalBatch(
      entries, of: runID, epoch: epoch, summary: summary, locks: locks, releasesLocks: releasingLocks, output: output)
    return try write(hasOutput: !output.isEmpty) { database, withOutput in
      try database.append(batch, withOutput: withOutput)
    }
  }

  public func commit(_ batches: [JournalBatch]) -> [Result<Int64, StoreFailure>] {
    do throws(StoreFailure) {
      return try write(hasOutput: batches.contains { !$0.output.isEmpty }) { database, withOutput in
        try batches.map { batch in try database.byItself { try database.append(batch, withOutput: withOutput) } }
      }
    } catch {
      return batches.map { _ in .failure(error) }
    }
  }

  /// If there is no space for output, the rest is written without it.
  private func write<Result: Sendable>(
    hasOutput: Bool, _ body: @Sendable (Database, _ withOutput: Bool) throws -> Result
  ) throws(StoreFailure) -> Result {
    if hasOutput {
      do throws(StoreFailure) { return try write(.forOutput) { try body($0, true) } } catch {
        guard case .diskFull = error else { throw error }
      }
    }
    return try write(.mayUseReserve) { try body($0, false) }
  }

  public func entries(of runID: String, after sequence: Int64) throws(StoreFailure) -> [JournalEntry] {
    try read { database in
      guard let head = try RunHead.find(runID, on: database.connection) else { throw StoreFailure.notFound(runID) }
      return try database.entries(of: runID, head, after: max(0, sequence))
    }
  }

  public func firstEntry(of runID: String) throws(StoreFailure) -> JournalEntry? {
    try read { database in
      guard let head = try RunHead.find(runID, on: database.connection) else { throw StoreFailure.notFound(runID) }
      return try database.firstEntry(of: runID, head)
    }
  }
}

extension Database {
  /// - Returns: the sequence number of the run's last entry.
  func append(_ batch: JournalBatch, withOutput: Bool) throws -> Int64 {
    var head = try head(of: batch.runID, epoch: batch.epoch)
    if withOutput { try append(batch.output, to: head) }
    try take(batch.locks, for: batch.runID)
    try append(batch.entries, to: batch.runID, &head)
    if batch.summary != nil || batch.releasesLocks {
      try update(batch.summary, of: batch.runID, releasingLocks: batch.releasesLocks)
    }
    if batch.releasesLocks { try releaseLocks(of: batch.runID) }
    return head.lastSequence
  }

  /// The end of the run's journal, for its owner of `epoch`.
  func head(of runID: String, epoch: Int64) throws -> RunHead {
    guard let head = try RunHead.find(runID, on: connection) else { throw StoreFailure.notFound(runID) }
    guard head.epoch == epoch && head.isOwned || PlantedMistake.epochNotChecked.isMade else {
      throw StoreFailure.fenced(by: try RunRow.find(runID, on: connection)?.heldLease)
    }
    return head
  }

  /// Adds `entries` after `head` and moves it on.
  func append(_ entries: [NewEntry], to runID: String, _ head: inout RunHead) throws {
    guard !entries.isEmpty else { return }
    guard Int64(entries.count) <= RunHead.lastSequence - head.lastSequence else {
      throw StoreFailure.unusable("the journal of run `\(runID)` is full")
    }
    for new in entries {
      let entry = JournalEntry(
        sequence: head.lastSequence + 1, at: new.at, epoch: head.epoch, kind: new.kind, body: new.body)
      head.hash = JournalChain.next(after: head.hash, entry)
      head.lastSequence = entry.sequence
      try connection.run(
        "INSERT INTO entries (place, at, epoch, kind, body, hash) VALUES (?, ?, ?, ?, ?, ?)",
        .integer(head.place(entry.sequence)), .integer(entry.at.storedNanoseconds), .integer(entry.epoch),
        .text(entry.kind), .bytes(entry.body), .bytes(head.hash))
    }
    try connection.run(
      "UPDATE runs SET last_sequence = ?, head = ? WHERE number = ?",
      .integer(head.lastSequence), .bytes(head.hash), .integer(head.number))
    mark(runID, sequence: head.lastSequence, hash: head.hash, adding: entries.count)
  }

  /// Verified like the others: its hash covers the run's id.
  func firstEntry(of runID: String, _ head: RunHead) throws -> JournalEntry? {
    let row = try connection.first(
      "SELECT at, epoch, kind, body, hash FROM entries WHERE place = ?", .integer(head.place(1))
    ) { row in
      let at = Timestamp(storedNanoseconds: row.integer(0))
      return (
        JournalEntry(sequence: 1, at: at, epoch: row.integer(1), kind: row.text(2), body: row.bytes(3)), row.bytes(4)
      )
    }
    guard let (entry, stored) = row else {
      guard head.lastSequence == 0 else { throw damaged("entry 1 of run `\(runID)` is missing") }
      return nil
    }
    guard JournalChain.next(after: JournalChain.start(of: runID), entry) == stored else {
      throw damaged("entry 1 of run `\(runID)` does not match its hash")
    }
    return entry
  }

  /// Reads and verifies. The chain begins at the entry `after`, and must end at the run's head.
  func entries(of runID: String, _ head: RunHead, after: Int64) throws -> [JournalEntry] {
    guard after < head.lastSequence else { return [] }
    var hash = JournalChain.start(of: runID)
    if after > 0 {
      guard
        let stored = try connection.first(
          "SELECT hash FROM entries WHERE place = ?", .integer(head.place(after)), read: { $0.bytes(0) })
      else { throw damaged("entry \(after) of run `\(runID)` is missing") }
      hash = stored
    }
    let rows = try connection.all(
      "SELECT place, at, epoch, kind, body, hash FROM entries WHERE place > ? AND place <= ? ORDER BY place",
      .integer(head.place(after)), .integer(head.place(RunHead.lastSequence))
    ) { row in
      let entry = JournalEntry(
        sequence: row.integer(0) - head.firstPlace, at: Timestamp(storedNanoseconds: row.integer(1)),
        epoch: row.integer(2), kind: row.text(3), body: row.bytes(4))
      return (entry, row.bytes(5))
    }
    var entries: [JournalEntry] = []
    entries.reserveCapacity(rows.count)
    for (entry, stored) in rows {
      let expected = after + Int64(entries.count) + 1
      guard entry.sequence == expected else { throw damaged("entry \(expected) of run `\(runID)` is missing") }
      hash = JournalChain.next(after: hash, entry)
      guard hash == stored else { throw damaged("entry \(expected) of run `\(runID)` does not match its hash") }
      entries.append(entry)
    }
    guard after + Int64(entries.count) == head.lastSequence, hash == head.hash else {
      throw damaged("the journal of run `\(runID)` does not end at entry \(head.lastSequence) as its row says")
    }
    return entries
  }
}
