package import Runbook

/// The lists of an account that waits share.
package struct CloudWatch: Sendable {
  /// What a wait looks at.
  enum Target: Sendable {
    case server(String)
    /// All of this kind that a server has.
    case items(ItemKind, server: String)
  }

  private let servers: SharedList<CloudServer>
  private let items: [ItemKind: SharedList<[CloudItem]>]

  /// - Parameters:
  ///   - account: names the account and who enters it; the same for all clients that may share what they read.
  ///   - readServers: all servers of the account, in one request a page.
  ///   - kinds: of what the cloud has a list for the whole account.
  ///   - readItems: all snapshots or backups of the account.
  package init(
    of account: String, _ environment: ProviderEnvironment,
    readServers: @escaping @Sendable () async throws(StepFailure) -> [CloudServer], kinds: [ItemKind] = [],
    readItems: @escaping @Sendable (ItemKind) async throws(StepFailure) -> [CloudItem] = { _ in [] }
  ) {
    let clock = environment.clock
    servers = environment.shared.object(for: "servers of \(account)") {
      SharedList(clock: clock, fingerprint: { CloudWatch.fingerprint($0) }) { () async throws(StepFailure) in
        Dictionary(try await readServers().lazy.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
      }
    }
    var items: [ItemKind: SharedList<[CloudItem]>] = [:]
    for kind in kinds {
      items[kind] = environment.shared.object(for: "\(kind.rawValue)s of \(account)") {
        SharedList(clock: clock, fingerprint: { CloudWatch.fingerprint($0) }) { () async throws(StepFailure) in
          Dictionary(grouping: try await readItems(kind)) { $0.server ?? "" }
        }
      }
    }
    self.items = items
  }

  private static func fingerprint(_ server: CloudServer?) -> Int {
    var hasher = Hasher()
    hasher.combine(server?.nativeState)
    hasher.combine(server?.changeMark)
    return hasher.finalize()
  }

  private static func fingerprint(_ items: [CloudItem]?) -> Int {
    var hasher = Hasher()
    for item in (items ?? []).sorted(by: { $0.id < $1.id }) {
      hasher.combine(item.id)
      hasher.combine(item.nativeState)
    }
    return hasher.finalize()
  }

  /// As it was then or later; nil: the list does not show it.
  package func server(_ id: String, asOf: Duration) async throws(StepFailure) -> CloudServer? {
    try await servers.snapshot(asOf: asOf).elements[id]
  }

  /// nil: there is no such list.
  package func items(_ kind: ItemKind, server: String, asOf: Duration) async throws(StepFailure) -> [CloudItem]? {
    guard let list = items[kind] else { return nil }
    return try await list.snapshot(asOf: asOf).elements[server] ?? []
  }

  /// See `Action.awaitNews`.
  func awaitNews(of target: Target, atMost pause: Duration, clock: any EngineClock) async -> Duration? {
    switch target {
    case .server(let id): return await wait(servers, id, pause) { CloudWatch.fingerprint($0) }
    case .items(let kind, let server):
      guard let list = items[kind] else {
        await clock.sleep(for: pause)
        return nil
      }
      return await wait(list, server, pause) { CloudWatch.fingerprint($0) }
    }
  }

  private func wait<Element>(
    _ list: SharedList<Element>, _ key: String, _ pause: Duration, _ fingerprint: (Element?) -> Int
  ) async -> Duration? {
    await list.awaitNews(of: key, seen: fingerprint(list.latest?.elements[key]), atMost: pause)
  }
}

extension Cloud {
  /// What a wait of this action waits for. Made apart from the waiting, in whose frame nothing of it is to lie.
  @inline(never) func news(_ call: ActionCall, _ action: ActionDeclaration) -> CloudNews {
    CloudNews(watch: watch, target: CloudWatch.Target(of: call, action.name), clock: call.clock)
  }
}

/// The news that one wait waits for.
struct CloudNews {
  fileprivate let watch: CloudWatch?
  /// nil: there is no list that would tell.
  fileprivate let target: CloudWatch.Target?
  fileprivate let clock: any EngineClock

  /// See `Action.awaitNews`.
  func wait(atMost pause: Duration) async -> Duration? {
    guard let watch, let target else {
      await clock.sleep(for: pause)
      return nil
    }
    return await watch.awaitNews(of: target, atMost: pause, clock: clock)
  }
}

extension CloudWatch.Target {
  /// What a wait of this action looks at: what it makes or deletes, else its server. nil: a server is not named.
  @inline(never) fileprivate init?(of call: ActionCall, _ action: String) {
    guard let server = try? call.with.optionalText("server"), !server.isEmpty else { return nil }
    let kind = ItemKind.allCases.first { action.hasPrefix($0.rawValue + ".") }
    if let kind, ["create", "prune", "delete"].contains(where: { action.hasSuffix(".\($0)") }) {
      self = .items(kind, server: server)
    } else {
      self = .server(server)
    }
  }
}
