package import Runbook

/// An account of a cloud, as the actions that mean the same everywhere need it. A client that fulfils this gets
/// `server.status list find` and the `list find prune delete` of snapshots and backups for nothing, and what its own
/// actions have in common.
package protocol Cloud: Sendable {
  /// For messages: "VPS.org".
  var service: String { get }
  /// How late a request sent now may still take effect.
  var maxRequestLife: Duration { get }

  /// - Parameter asOf: what was read at this monotonic instant or later is news enough; nil: read anew.
  /// - Throws: `not_found` if there is none.
  func server(_ id: String, asOf: Duration?) async throws(StepFailure) -> CloudServer
  func servers() async throws(StepFailure) -> [CloudServer]
  /// - Parameters:
  ///   - server: whose; nil: of the whole account, where the provider can list that.
  ///   - type: `manual` or `automatic`; nil: both.
  func items(
    _ kind: ItemKind, server: String?, type: String?, asOf: Duration?
  ) async throws(StepFailure) -> [CloudItem]
  /// The item of this id among those of the server; nil if it has none.
  func item(
    _ kind: ItemKind, _ id: String, server: String?, asOf: Duration?
  ) async throws(StepFailure) -> CloudItem?
  /// - Parameters:
  ///   - key: of the call, for providers that take an idempotency key.
  ///   - deadline: of the step: nothing is awaited beyond it.
  /// - Returns: whether there was one to delete.
  func delete(
    _ kind: ItemKind, _ id: String, server: String?, key: String, until deadline: Timestamp
  ) async throws(StepFailure) -> Bool
  /// The lists that waits share; nil: each wait asks for itself.
  var watch: CloudWatch? { get }
  /// The stops and starts that this process has had accepted; nil: none are remembered.
  var powerRequests: PowerRequests? { get }
  /// How many of them one server may have; nil: no such limit is known.
  func limit(_ kind: ItemKind) -> Int?
}

extension Cloud {
  package var watch: CloudWatch? { nil }
  package var powerRequests: PowerRequests? { nil }

  package func server(_ id: String) async throws(StepFailure) -> CloudServer { try await server(id, asOf: nil) }

  package func items(
    _ kind: ItemKind, server: String?, type: String? = nil
  ) async throws(StepFailure) -> [CloudItem] {
    try await items(kind, server: server, type: type, asOf: nil)
  }

  package func item(_ kind: ItemKind, _ id: String, server: String?) async throws(StepFailure) -> CloudItem? {
    try await item(kind, id, server: server, asOf: nil)
  }

  package func item(
    _ kind: ItemKind, _ id: String, server: String?, asOf: Duration?
  ) async throws(StepFailure) -> CloudItem? {
    try await items(kind, server: server, type: nil, asOf: asOf).first { $0.id == id }
  }
}

/// An action that means the same on every cloud, bound to one account.
package protocol CloudAction: Action {
  associatedtype Account: Cloud
  var cloud: Account { get }
}

extension CloudAction {
  package var maxRequestLife: Duration { cloud.maxRequestLife }

  package func awaitNews(
    _ call: ActionCall, after observation: Observation?, atMost pause: Duration
  ) async -> Duration? {
    await news(call).wait(atMost: pause)
  }

  @inline(never) private func news(_ call: ActionCall) -> CloudNews { cloud.news(call, declaration) }
}
