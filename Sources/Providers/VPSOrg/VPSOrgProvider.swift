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
    let url = try settings.optionalText("url") ?? VPSOrgProvider.defaultURL
    guard let base = BaseURL(url) else {
      throw StepFailure(.input, "`url` of a `vps_org` provider must be like `\(VPSOrgProvider.defaultURL)`")
    }
    let word = try settings.optionalText("api") ?? VPSOrgDialect.d1.rawValue
    guard let dialect = VPSOrgDialect(rawValue: word) else { throw StepFailure(.input, "`api` must be d1 or d2") }
    let timeout = try settings.duration("timeout") ?? .seconds(30)
    guard timeout > .zero else { throw StepFailure(.input, "`timeout` must be above zero") }
    let client = VPSOrgClient(
      base: base, dialect: dialect, token: try VPSOrgProvider.token(settings), timeout: timeout,
      maxRequestLife: try settings.duration("max_request_life") ?? timeout + .seconds(60),
      caFile: try settings.optionalText("ca_file"),
      allowsPlainHTTP: try settings.optionalText("plain_http") == "allow",
      pacer: try VPSOrgProvider.pacer(settings, environment), transport: environment.transport, clock: environment.clock)
    return ConnectedVPSOrg(client: client)
  }

  private static func token(_ settings: Arguments) throws(StepFailure) -> Secret {
    if case .secret(let secret)? = settings["token"], !secret.isEmpty { return secret }
    return Secret(try settings.text("token"), named: [])
  }

  private static func pacer(_ settings: Arguments, _ environment: ProviderEnvironment) throws(StepFailure)
    -> RequestPacer?
  {
    let limit: Double
    switch settings["max_requests_per_second"] {
    case nil: return nil
    case .int(let number)?: limit = Double(number)
    case .double(let number)?: limit = number
    default: throw StepFailure(.input, "`max_requests_per_second` must be a number")
    }
    guard limit > 0 else { throw StepFailure(.input, "`max_requests_per_second` must be above zero") }
    return RequestPacer(perSecond: limit, clock: environment.clock)
  }

  /// Every action with how it is bound to an account.
  static let table: [(declaration: ActionDeclaration, bind: @Sendable (VPSOrgClient) -> any Action)] = [
    (VPSOrgServerStatus.declaration, { VPSOrgServerStatus(client: $0) }),
    (VPSOrgServerList.declaration, { VPSOrgServerList(client: $0) }),
    (VPSOrgServerFind.declaration, { VPSOrgServerFind(client: $0) }),
    (VPSOrgServerStop.declaration, { VPSOrgServerStop(client: $0) }),
    (VPSOrgServerStart.declaration, { VPSOrgServerStart(client: $0) }),
    (VPSOrgServerReboot.declaration, { VPSOrgServerReboot(client: $0) }),
    (VPSOrgServerDelete.declaration, { VPSOrgServerDelete(client: $0) }),
    (VPSOrgSnapshotCreate.declaration, { VPSOrgSnapshotCreate(client: $0) }),
    (VPSOrgItemList<VPSOrgSnapshots>.declaration, { VPSOrgItemList<VPSOrgSnapshots>(client: $0) }),
    (VPSOrgItemFind<VPSOrgSnapshots>.declaration, { VPSOrgItemFind<VPSOrgSnapshots>(client: $0) }),
    (VPSOrgItemRestore<VPSOrgSnapshots>.declaration, { VPSOrgItemRestore<VPSOrgSnapshots>(client: $0) }),
    (VPSOrgItemPrune<VPSOrgSnapshots>.declaration, { VPSOrgItemPrune<VPSOrgSnapshots>(client: $0) }),
    (VPSOrgItemDelete<VPSOrgSnapshots>.declaration, { VPSOrgItemDelete<VPSOrgSnapshots>(client: $0) }),
    (VPSOrgBackupCreate.declaration, { VPSOrgBackupCreate(client: $0) }),
    (VPSOrgItemList<VPSOrgBackups>.declaration, { VPSOrgItemList<VPSOrgBackups>(client: $0) }),
    (VPSOrgItemFind<VPSOrgBackups>.declaration, { VPSOrgItemFind<VPSOrgBackups>(client: $0) }),
    (VPSOrgItemRestore<VPSOrgBackups>.declaration, { VPSOrgItemRestore<VPSOrgBackups>(client: $0) }),
    (VPSOrgItemPrune<VPSOrgBackups>.declaration, { VPSOrgItemPrune<VPSOrgBackups>(client: $0) }),
    (VPSOrgItemDelete<VPSOrgBackups>.declaration, { VPSOrgItemDelete<VPSOrgBackups>(client: $0) }),
    (VPSOrgRawRequest.declaration, { VPSOrgRawRequest(client: $0) }),
  ]
}

/// One account.
struct ConnectedVPSOrg: Provider {
  let client: VPSOrgClient

  /// The host: ids of servers are unique there, whatever token is used.
  var account: String { client.base.host }

  func action(_ name: String) -> (any Action)? {
    VPSOrgProvider.table.first { $0.declaration.name == name }?.bind(client)
  }

  func liveCheck() async throws(StepFailure) -> [String] {
    do { try await client.whoAmI() } catch {
      if error.kind == .auth || error.kind == .input { return [error.message] }
      throw error
    }
    return []
  }
}
