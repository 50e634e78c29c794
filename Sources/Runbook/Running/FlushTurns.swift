/// Writes the transactions of a run one after the other. A step that wants to flush while one is being written waits;
/// the facts that all steps record meanwhile go into the next one.
@EngineActor final class FlushTurns {
  /// How many facts have been recorded, and how many are durable.
  private var recorded = 0
  private var durable = 0
  /// How many facts have been recorded, without the reports that were ignored.
  private(set) var heeded = 0
  /// A write that failed is never repeated: what the disk holds is unknown.
  private var failure: StoreFailure?
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
