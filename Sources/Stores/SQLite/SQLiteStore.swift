public import Runbook
import SQLite
import Synchronization

/// Journals, leases, locks and requests in one SQLite file that any number of processes share. Write-ahead log, flushed
/// at every commit; what was answered is on the disk. See `docs/decisions/the-store-on-disk.md`.
///
/// Beside the file lie `-wal` and `-shm` (SQLite's own), `.lock`, `.owners` and `.reserve`; a witness lies elsewhere.
/// Do not carry an open store over a `fork`.
public final class SQLiteStore: RunStore {
  /// For tests; everybody else takes the defaults.
  public struct Options: Sendable {
    /// Bytes held back for outcomes on a full disk; 0 for none.
    public var reserve: Int64 = 1 << 20
    /// Length of the write-ahead log, in pages of 4 KiB, at which it is copied into the database.
    public var checkpointFrames = 1000
    /// If false, a store that does not exist is `notFound`: for commands that only look.
    public var creates = true
    /// Folders in which a witness of the store may be kept, absolute, the best first (`WitnessPlaces`); none: no
    /// witness.
    public var witnesses: [String] = []
    /// How often it is said that another process holds the store's lock.
    public var waitInterval: Duration = .seconds(10)
    /// Told so often while another process holds the store's lock. Called on the thread that waits.
    public var onWait: (@Sendable (StoreWait) -> Void)?
    public init() {}
  }

  public let path: String
  public let digestKey: [UInt8]
  /// Something an operator must know though the store can be used: it was put back from an older copy.
  public let warning: String?
  /// Something to be said once, which needs nobody: no older copy could have been noticed so far.
  public let note: String?
  let clock: any EngineClock
  let options: Options
  private let database: Mutex<Database>
  private let hasNoSpace = Atomic(false)

  /// Opens the store and, if need be, makes or migrates it.
  /// - Parameters:
  ///   - path: absolute (`StoreLocation` gives it).
  ///   - clock: its boot-time clock decides when leases end.
  public init(at path: String, clock: any EngineClock, options: Options = Options()) throws(StoreFailure) {
    let opened = try StoreOpening(path: path, options: options, now: clock.now).open()
    self.path = path
    self.clock = clock
    digestKey = opened.digestKey
    warning = opened.warning
    note = opened.note
    self.options = options
    database = Mutex(opened.database)
  }

  /// Known without waiting for a write that is under way.
  public var isOutOfSpace: Bool { hasNoSpace.load(ordering: .acquiring) }

  func write<Result: Sendable>(
    _ space: Database.Space, _ body: @Sendable (Database) throws -> Result
  ) throws(StoreFailure) -> Result {
    try database.withLock { database throws(StoreFailure) in
      defer { hasNoSpace.store(database.isOutOfSpace, ordering: .releasing) }
      return try database.write(space) { try body(database) }
    }
  }

  func alone(_ body: @Sendable (Database) throws -> Void) throws(StoreFailure) {
    try database.withLock { database throws(StoreFailure) in try database.alone { try body(database) } }
  }

  /// On the connection, without a transaction or the store's lock.
  func direct<Result: Sendable>(_ body: @Sendable (Database) throws -> Result) throws(StoreFailure) -> Result {
    try database.withLock { database throws(StoreFailure) in try database.direct { try body(database) } }
  }

  func read<Result: Sendable>(_ body: @Sendable (Database) throws -> Result) throws(StoreFailure) -> Result {
    try database.withLock { database throws(StoreFailure) in try database.read { try body(database) } }
  }
}
