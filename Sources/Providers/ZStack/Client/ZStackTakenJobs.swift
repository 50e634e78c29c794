import Synchronization

/// The newest jobs that ZStack has taken, of all runs of the process on one account. One of them that ZStack does not
/// know any more was purged or lost with its node: that says nothing about its effect.
final class ZStackTakenJobs: Sendable {
  /// More than any process has under way.
  private static let most = 1000

  private let ids = Mutex<(order: [String], known: Set<String>)>(([], []))

  func note(_ id: String) {
    ids.withLock { ids in
      guard ids.known.insert(id).inserted else { return }
      ids.order.append(id)
      if ids.order.count > ZStackTakenJobs.most { ids.known.remove(ids.order.removeFirst()) }
    }
  }

  func contains(_ id: String) -> Bool { ids.withLock { $0.known.contains(id) } }
}
