/// Lets one transaction of a run be written after the other. Who comes while one is being written waits, and what all
/// of them recorded meanwhile goes into the next one.
@EngineActor final class FlushTurns {
  /// Facts recorded, and durable, so far.
  private(set) var recorded = 0
  private(set) var durable = 0
  /// Recorded, without reports that were ignored.
  private(set) var heeded = 0
  /// A write that failed is never repeated: what the disk holds is unknown.
  private(set) var failure: StoreFailure?
  private var isWriting = false
  private var waiting: [CheckedContinuation<Void, Never>] = []

  nonisolated init() {}

  func noteRecorded(isIgnored: Bool) {
    recorded += 1
    if !isIgnored { heeded += 1 }
  }

  /// Returns when everything that is recorded now is durable.
  func write(_ batch: () async throws(StoreFailure) -> Int) async throws(StoreFailure) {
    let wanted = recorded
    while durable < wanted {
      if let failure { throw failure }
      if isWriting {
        await withCheckedContinuation { waiting.append($0) }
        continue
      }
      isWriting = true
      defer { endTurn() }
      do throws(StoreFailure) { durable += try await batch() } catch {
        failure = error
        throw error
      }
    }
  }

  private func endTurn() {
    isWriting = false
    let resumed = waiting
    waiting = []
    for one in resumed { one.resume() }
  }
}
