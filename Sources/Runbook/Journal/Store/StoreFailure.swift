/// Why a store did not do what it was asked to do. Nothing of the call was written, unless the case says otherwise.
public enum StoreFailure: Error, Sendable, Equatable {
  /// Another owner has taken the run over: stop at once, write nothing more.
  case fenced(by: Lease?)
  case notFound(String)
  /// A run with this `--key` exists. The caller compares fingerprints: the same one is attached to, another is refused.
  case keyTaken(RunSummary)
  case lockHeld(lock: String, by: String)
  /// Somebody else has the lease and it has not expired.
  case owned(Lease)
  /// No space left where the store is. Nothing of the refused call was written; it may be repeated when there is space.
  case diskFull(path: String)
  case readOnly(path: String)
  /// Made by a newer release.
  case tooNew(found: Int, known: Int)
  /// The hash chain or the database is damaged; the text says where.
  case damaged(String)
  /// Cannot be opened or is not a store; network file system. One sentence with the path.
  case unusable(String)
  /// Writing or flushing failed, so what is on disk is unknown: stop the process, write nothing more, and let the next
  /// one recover from the disk. Every later call fails the same way. One sentence with the path.
  case writeFailed(String)
}
