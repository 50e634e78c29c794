/// A message to the owner of a run: `cancel`, `resolve`, `rollback.skip` …, with its arguments as JSON.
public struct RunRequest: Sendable, Equatable {
  /// Numbered from 1 in each run.
  public var id: Int64
  public var kind: String
  public var body: [UInt8]
  /// Operating-system user who asked.
  public var requester: String
  public var at: Timestamp
  public init(id: Int64, kind: String, body: [UInt8], requester: String, at: Timestamp) {
    self.id = id
    self.kind = kind
    self.body = body
    self.requester = requester
    self.at = at
  }
}

/// What became of a message that was to be posted.
public enum PostedRequest: Sendable, Equatable {
  /// Under this number.
  case posted(Int64)
  /// Nothing was posted: this earlier message stands in its way.
  case refused(RunRequest)
}

/// Messages from people to the owners of runs. Messages need no lease: anybody who may write to the store posts them,
/// and they wait for the next owner if the run has none.
public protocol Inbox: Sendable {
  /// Posts a message to the owner of a run, unless one of the run's messages stands in its way: looked for in the same
  /// transaction, so of two that are posted at once one finds the other.
  func post(
    _ kind: String, body: [UInt8], to runID: String, requester: String,
    unless isInTheWay: @Sendable (RunRequest) -> Bool
  ) async throws(StoreFailure) -> PostedRequest

  /// The messages whose number is greater than `id`, oldest first; 0: all of them.
  func requests(for runID: String, after id: Int64) async throws(StoreFailure) -> [RunRequest]
}

extension Inbox {
  /// Posts a message, whatever was posted before.
  public func post(_ kind: String, body: [UInt8], to runID: String, requester: String) async throws(StoreFailure) {
    _ = try await post(kind, body: body, to: runID, requester: requester) { _ in false }
  }
}
