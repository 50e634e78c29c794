/// The forms a store has had, oldest first. Never change one that was released: add the next. Each leaves
/// `user_version` one higher; all that a store lacks are made in one transaction.
enum Migrations {
  /// "Runb": tells our files from other SQLite databases.
  static let applicationID: Int64 = 0x5275_6e62
  static var newest: Int { all.count }

  static let all: [StaticString] = [first, durations, locksByRun, bootTimes, sweeping, output]

  /// The form since which `runs.restored` tells which rollbacks are owed.
  static let flags = 5

  /// - `store.changes` counts transactions that append nothing; `store.seal` is a checksum of the columns before it.
  /// - `runs.head` is the hash of the run's last entry; `summary_seal` and `lease_seal` are checksums of those columns.
  /// - `runs.epoch` fences: it rises with each take-over; `owned` is 0 after `release`.
  /// - `entries.place` is the run's number × 2³² + sequence: one run's entries lie together, in order. `requests.place`
  ///   likewise.
  /// - `runs.last_sequence`, `last_request` and `lock_count` tell when rows of other tables are missing.
  /// - Times are nanoseconds since 1970.
  private static let first: StaticString = """
    CREATE TABLE store (
      only INTEGER PRIMARY KEY CHECK (only = 1),
      incarnation TEXT NOT NULL,
      digest_key BLOB NOT NULL,
      seal INTEGER NOT NULL,
      changes INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE runs (
      number INTEGER PRIMARY KEY CHECK (number BETWEEN 1 AND 2147483647),
      epoch INTEGER NOT NULL,
      owned INTEGER NOT NULL,
      last_sequence INTEGER NOT NULL,
      head BLOB NOT NULL,
      id TEXT NOT NULL UNIQUE,
      name TEXT NOT NULL,
      status TEXT NOT NULL,
      outcome TEXT,
      rollback TEXT,
      exit_code INTEGER,
      started_at INTEGER NOT NULL,
      ended_at INTEGER,
      key TEXT,
      fingerprint TEXT NOT NULL,
      restored INTEGER NOT NULL,
      summary_seal INTEGER NOT NULL,
      owner_host TEXT NOT NULL,
      owner_boot TEXT NOT NULL,
      owner_pid INTEGER NOT NULL,
      owner_start INTEGER NOT NULL,
      renewed_at INTEGER NOT NULL,
      expires_at INTEGER NOT NULL,
      lease_seal INTEGER NOT NULL,
      last_request INTEGER NOT NULL,
      lock_count INTEGER NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX runs_by_key ON runs (key) WHERE key IS NOT NULL;
    CREATE INDEX open_runs ON runs (id) WHERE status <> 'ended';
    CREATE TABLE entries (
      place INTEGER PRIMARY KEY,
      at INTEGER NOT NULL,
      epoch INTEGER NOT NULL,
      kind TEXT NOT NULL,
      body BLOB NOT NULL,
      hash BLOB NOT NULL
    ) STRICT;
    CREATE TABLE locks (
      name TEXT PRIMARY KEY,
      run_id TEXT NOT NULL,
      seal INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE requests (
      place INTEGER PRIMARY KEY,
      kind TEXT NOT NULL,
      body BLOB NOT NULL,
      requester TEXT NOT NULL,
      at INTEGER NOT NULL,
      seal INTEGER NOT NULL
    ) STRICT;
    PRAGMA application_id = 0x52756e62;
    PRAGMA user_version = 1;
    """

  /// How long waits took, the newest with the highest number, in nanoseconds: advice for the rhythm of later ones,
  /// guarded by no checksum because nothing true depends on it.
  private static let durations: StaticString = """
    CREATE TABLE durations (
      number INTEGER PRIMARY KEY,
      key TEXT NOT NULL,
      took INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX durations_by_key ON durations (key, number);
    PRAGMA user_version = 2;
    """

  /// Each run asks for its own locks when it begins and gives them back when it ends.
  private static let locksByRun: StaticString = """
    CREATE INDEX locks_by_run ON locks (run_id);
    PRAGMA user_version = 3;
    """

  /// When a lease ends on the boot-time clock, in nanoseconds; NULL in one of an earlier release.
  private static let bootTimes: StaticString = """
    ALTER TABLE runs ADD COLUMN until_boot TEXT;
    ALTER TABLE runs ADD COLUMN until_elapsed INTEGER;
    PRAGMA user_version = 4;
    """

  /// - `runs.restored` holds two flags since this form: 1 restored, 2 the rollback is owed. The index finds the few
  ///   that have one.
  /// - `swept` names what was removed from the store, so that a mark that was made before knows its run again; rows
  ///   older than a year go. `sweeps.entries` counts all entries that were ever removed.
  private static let sweeping: StaticString = """
    CREATE INDEX flagged_runs ON runs (id) WHERE restored <> 0;
    CREATE TABLE swept (
      run_id TEXT PRIMARY KEY,
      last_sequence INTEGER NOT NULL,
      at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE sweeps (
      only INTEGER PRIMARY KEY CHECK (only = 1),
      entries INTEGER NOT NULL
    ) STRICT;
    INSERT INTO sweeps (only, entries) VALUES (1, 0);
    PRAGMA user_version = 5;
    """

  /// Masked output of scripts. Places are counted in bytes as they were written (`…_raw`), in masked bytes
  /// (`first_byte`), and in line breaks before them (`first_line`).
  ///
  /// - `output_chunks.place` is the stream's number × 2³² + the chunk's index, from 1. What is missing between two
  ///   chunks was left out. Small columns come first: to find a chunk no body is read.
  /// - `output_chunks.marks` says what a mask hides, secrets by reference, as the journal does.
  private static let output: StaticString = """
    CREATE TABLE output_streams (
      number INTEGER PRIMARY KEY CHECK (number BETWEEN 1 AND 2147483647),
      run INTEGER NOT NULL,
      key TEXT NOT NULL,
      stream TEXT NOT NULL,
      step TEXT NOT NULL,
      attempt INTEGER NOT NULL,
      end_raw INTEGER NOT NULL,
      hidden INTEGER NOT NULL,
      bytes INTEGER NOT NULL,
      lines INTEGER NOT NULL,
      total INTEGER,
      last_chunk INTEGER NOT NULL,
      seal INTEGER NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX output_streams_by_run ON output_streams (run, key, stream);
    CREATE INDEX output_streams_by_key ON output_streams (key, stream);
    CREATE TABLE output_chunks (
      place INTEGER PRIMARY KEY,
      stream INTEGER NOT NULL,
      first_raw INTEGER NOT NULL,
      end_raw INTEGER NOT NULL,
      first_byte INTEGER NOT NULL,
      bytes INTEGER NOT NULL,
      first_line INTEGER NOT NULL,
      lines INTEGER NOT NULL,
      seal INTEGER NOT NULL,
      marks BLOB NOT NULL,
      body BLOB NOT NULL
    ) STRICT;
    CREATE INDEX output_chunks_by_byte ON output_chunks (stream, first_byte);
    CREATE INDEX output_chunks_by_line ON output_chunks (stream, first_line);
    PRAGMA user_version = 6;
    """
}
