import ProviderKit
package import Runbook

/// ZStack Cloud and ZSphere: REST and JSON, a session or an access key; every change is a job whose id the caller
/// chooses, so that it is carried out once however often it is sent.
package struct ZStackProvider: ProviderKind {
  package let type = "zstack"
  package let summary = "virtual machines, snapshot groups and backups of a ZStack installation"
  static let exampleURL = "https://zstack.example.com:8080/zstack/v1"

  package let fields = [
    Field(
      "url", .url, required: true,
      help: "where the API is: `http://HOST:8080/zstack/v1`; `/zstack/v1` may be left out; no default"),
    Field("account", .string, help: "account to log in with, together with `password`"),
    Field("password", .string, acceptsSecret: true, help: "its password; only its SHA-512 digest is sent"),
    Field("session", .string, acceptsSecret: true, help: "a session opened elsewhere; it is not prolonged"),
    Field("access_key_id", .string, acceptsSecret: true, help: "an access key, together with `access_key_secret`"),
    Field("access_key_secret", .string, acceptsSecret: true, help: "signs each request; it is never sent"),
    Field("backup_storage", .string, help: "id of the image store that backups go to; default: the only one"),
    CloudZone.field,
  ]

  package let credentials = [["session"], ["account", "password"], ["access_key_id", "access_key_secret"]]
  package let actions: [ActionDeclaration] = ZStackProvider.table.map { $0.declaration }
  package let facts = ZStackProvider.knownFacts

  package init() {}

  package func twin(clock: any EngineClock, seed: UInt64, isSealed: Bool) -> any SimulatedSystem {
    SimulatedZStack(clock: clock, seed: seed, credentials: isSealed ? .any : .wellFormed, withLastNight: true)
  }

  package func connect(
    _ settings: Arguments, environment: ProviderEnvironment
  ) throws(StepFailure) -> any Provider {
    let connection = try Connection(
      to: "ZStack", settings, defaultURL: nil, example: ZStackProvider.exampleURL, environment: environment)
    let storage = try settings.optionalText("backup_storage").flatMap { $0.isEmpty ? nil : $0 }
    let zone = try CloudZone(try settings.optionalText("time_zone"))
    let credential = try ZStackCredential(settings)
    let session = environment.shared.object(for: ZStackProvider.sessionKey(connection, credential)) { SharedSession() }
    var client = ZStackClient(
      connection: connection, credential: credential, session: session,
      takenJobs: environment.shared.object(for: "jobs of \(connection.accountKey)") { ZStackTakenJobs() },
      zone: zone, backupStorage: storage)
    let alone = client
    let readServers = { @Sendable () async throws(StepFailure) -> [CloudServer] in try await alone.servers() }
    let readItems = { @Sendable (kind: ItemKind) async throws(StepFailure) -> [CloudItem] in
      try await alone.items(kind, server: nil, type: nil, asOf: nil)
    }
    client.watch = CloudWatch(
      of: connection.accountKey, environment, readServers: readServers, kinds: ItemKind.allCases, readItems: readItems)
    if let storage { try client.checkID(storage, "backup storage") }
    return ConnectedZStack(client: client)
  }

  /// Runs that use the same password of the same account share a session.
  private static func sessionKey(_ connection: Connection, _ credential: ZStackCredential) -> String {
    var whose = "\(connection.base.origin)\(connection.base.path)\n"
    if case .account(let name, let password) = credential { whose += "\(name)\n\(password.reveal())" }
    return "zstack/session/" + Hex.text(SHA256.hash(Array(whose.utf8)))
  }
}
