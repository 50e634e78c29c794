public import Runbook

/// VPS.org: REST and JSON, a bearer token, no idempotency keys, no jobs; a resource's `status` tells when it is done.
public struct VPSOrgProvider: ProviderKind {
  public let type = "vps_org"
  public let summary = "servers, snapshots and backups at VPS.org"
  public static let defaultURL = "https://admin.vps.org/api/v1"

  public let fields = [
    Field("token", .string, required: true, acceptsSecret: true, help: "API token, begins with `vps_`"),
    Field(
      "api", .choice(VPSOrgDialect.allCases.map { $0.rawValue }), default: "d1",
      help: "`d1`: the published API; `d2`: the one of the vendor's own client (UUIDs); default `d1`"),
  ]

  public let actions: [ActionDeclaration] = VPSOrgProvider.table.map { $0.declaration }
  public let facts = ProviderFacts()

  public init() {}

  public func twin(clock: any EngineClock, seed: UInt64, isSealed: Bool) -> any SimulatedSystem {
    SimulatedVPSOrg(clock: clock, seed: seed, tokens: isSealed ? .any : .wellFormed)
  }

  public func connect(
    _ settings: Arguments, environment: ProviderEnvironment
  ) throws(StepFailure) -> any Provider {
    let word = try settings.optionalText("api") ?? VPSOrgDialect.d1.rawValue
    guard let dialect = VPSOrgDialect(rawValue: word) else { throw StepFailure(.input, "`api` must be d1 or d2") }
    let connection = try Connection(
      to: "VPS.org", settings, defaultURL: VPSOrgProvider.defaultURL, example: VPSOrgProvider.defaultURL,
      environment: environment)
    let client = VPSOrgClient(connection: connection, dialect: dialect, token: try VPSOrgProvider.token(settings))
    return ConnectedVPSOrg(client: client)
  }

  private static func token(_ settings: Arguments) throws(StepFailure) -> Secret {
    if case .secret(let secret)? = settings["token"], !secret.isEmpty { return secret }
    return Secret(try settings.text("token"), named: [])
  }

  /// An action with how it is bound to an account.
  struct Row: Sendable {
    let declaration: ActionDeclaration
    let bind: @Sendable (VPSOrgClient) -> any Action
  }

  static let table: [Row] = servers + items(.snapshot, VPSOrgSnapshots.self) + items(.backup, VPSOrgBackups.self)

  private static let servers: [Row] = [
    row(ServerVocabulary.status()) { ServerStatus(cloud: $0, declaration: $1) },
    row(ServerVocabulary.list()) { ServerList(cloud: $0, declaration: $1) },
    row(ServerVocabulary.find()) { ServerFind(cloud: $0, declaration: $1) },
    row(VPSOrgServerStop.declaration) { client, _ in VPSOrgServerStop(client: client) },
    row(VPSOrgServerStart.declaration) { client, _ in VPSOrgServerStart(client: client) },
    row(VPSOrgServerReboot.declaration) { client, _ in VPSOrgServerReboot(client: client) },
    row(VPSOrgServerDelete.declaration) { client, _ in VPSOrgServerDelete(client: client) },
    row(VPSOrgSnapshotCreate.declaration) { client, _ in VPSOrgSnapshotCreate(client: client) },
    row(VPSOrgBackupCreate.declaration) { client, _ in VPSOrgBackupCreate(client: client) },
    row(VPSOrgRawRequest.declaration) { client, _ in VPSOrgRawRequest(client: client) },
  ]

  private static func items<Items: VPSOrgItems>(_ kind: ItemKind, _ items: Items.Type) -> [Row] {
    [
      row(Items.words.list(further: Items.filters)) { ItemList(cloud: $0, kind: kind, declaration: $1) },
      row(Items.words.find(further: Items.filters)) { ItemFind(cloud: $0, kind: kind, declaration: $1) },
      row(VPSOrgItemRestore<Items>.declaration) { client, _ in VPSOrgItemRestore<Items>(client: client) },
      row(Items.words.prune(within: .seconds(900))) { ItemPrune(cloud: $0, kind: kind, declaration: $1) },
      row(Items.words.delete(within: .seconds(900))) { client, declaration in
        ItemDelete(cloud: client, kind: kind, listsAccount: client.dialect == .d1, declaration: declaration)
      },
    ]
  }

  private static func row(
    _ declaration: ActionDeclaration, _ bind: @escaping @Sendable (VPSOrgClient, ActionDeclaration) -> any Action
  ) -> Row {
    Row(declaration: declaration) { bind($0, declaration) }
  }
}

/// One account.
struct ConnectedVPSOrg: Provider {
  let client: VPSOrgClient

  /// The host: ids of servers are unique there, whatever token is used.
  var account: String { client.connection.base.host }

  func action(_ name: String) -> (any Action)? {
    VPSOrgProvider.table.first { $0.declaration.name == name }?.bind(client)
  }

  func state(ofServer id: String) async throws(StepFailure) -> PowerState? { try await client.server(id).state }

  func liveCheck() async throws(StepFailure) -> [String] {
    do { try await client.whoAmI() } catch {
      if error.kind == .auth || error.kind == .input { return [error.message] }
      throw error
    }
    return []
  }
}
