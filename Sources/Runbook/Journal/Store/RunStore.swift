/// Where journals, leases, locks and messages are kept: the contracts beside this file, fulfilled together, because a
/// transaction of one writes what another reads.
///
/// A call suspends only in a store that is reached over a network. A store in this process fulfils the contracts with
/// synchronous functions, which costs no suspension: the caller goes on where it was.
public protocol RunStore: Runs, Journal, Leases, Locks, Inbox, Durations, OutputStore {
  /// A random key of this store, made once, for keyed digests of requests. Read when the store is opened.
  var digestKey: [UInt8] { get }
}
