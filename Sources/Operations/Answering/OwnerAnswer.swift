import Runbook

/// The answer of a run's owner to a message.
public enum OwnerAnswer: Sendable, Equatable {
  case heeded
  /// With the reason.
  case ignored(String)
  /// It has not said anything yet.
  case silent
}

extension OperationContext {
  /// How long an operation waits for an owner: it may be in the middle of a call that cannot be cut short.
  private static let patience = Duration.seconds(60)
  private static let pollTime = Duration.milliseconds(200)
  /// After this the person is told what is waited for.
  private static let silence = Duration.seconds(3)

  /// Waits until the run's owner has answered message number `request`, nobody owns the run any more, or a minute is
  /// over.
  /// - Parameters:
  ///   - sequence: of an entry before the answer.
  ///   - isWaiting: called once, if the answer takes longer than three seconds.
  func answer(
    to request: Int64, of run: String, after sequence: Int64, isWaiting: () -> Void
  ) async throws(OperationRefusal) -> OwnerAnswer {
    guard await isLive(run) else { return .silent }
    let begin = clock.monotonic
    var last = sequence
    var hasSaidSo = false
    while true {
      // Asked before the entries are read: what an owner wrote before it let go of the run is not missed.
      let isLive = await isLive(run)
      let entries = try await asked(about: run) { () throws(StoreFailure) in
        try await store.entries(of: run, after: last)
      }
      for entry in entries {
        last = entry.sequence
        guard let body = try? JSONReader.read(entry.body), body["_request"]?.int == request else { continue }
        return entry.kind == "request.ignored" ? .ignored(body["reason"]?.string ?? "no reason is given") : .heeded
      }
      let waited = clock.monotonic - begin
      if !isLive || waited >= OperationContext.patience { return .silent }
      if !hasSaidSo, waited >= OperationContext.silence {
        hasSaidSo = true
        isWaiting()
      }
      await clock.sleep(for: OperationContext.pollTime)
    }
  }

  /// A row for the owner of a run, who reads it within a second; not posted if an earlier one is in its way.
  func post(
    _ kind: String, _ body: Value, to run: String, unless isInTheWay: @Sendable (RunRequest) -> Bool
  ) async throws(OperationRefusal) -> PostedRequest {
    try await asked(about: run) { () throws(StoreFailure) in
      try await store.post(
        kind, body: JSONWriter.bytes(body), to: run, requester: requester, unless: isInTheWay)
    }
  }
}
