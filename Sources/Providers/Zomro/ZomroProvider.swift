import ProviderKit
package import Runbook

/// Zomro: one address that takes forms (BILLmanager in front of OpenStack), sessions, no idempotency keys, no jobs; the
/// status of a server or an image tells when something is done.
package struct ZomroProvider: ProviderKind {
  package let type = "zomro"
  package let summary = "servers, snapshots, backups and rescue at Zomro"
  package static let defaultURL = "https://api.zomro.com"

  enum Authentication: String, CaseIterable {
    case session, authinfo
  }

  package let fields = [
    Field("username", .string, help: "of the account; goes with `password`"),
    Field("password", .string, acceptsSecret: true, help: "of the account"),
    Field(
      "totp", .string, acceptsSecret: true, help: "second factor: the secret in base32, or a code good for one log-in"),
    Field("session", .string, acceptsSecret: true, help: "id of a session opened elsewhere, instead of a password"),
    Field(
      "auth", .choice(Authentication.allCases.map { $0.rawValue }), default: "session",
      help: "`session`: log in once; `authinfo`: send user and password with every call; default `session`"),
    CloudZone.field,
  ]

  package let credentials = [["session"], ["username", "password"]]
  package let actions: [ActionDeclaration] = ZomroProvider.table.map { $0.declaration }
  package let facts = ZomroProvider.knownFacts

  package init() {}

  package func twin(clock: any EngineClock, seed: UInt64, isSealed: Bool) -> any SimulatedSystem {
    SimulatedZomro(clock: clock, seed: seed, credentials: isSealed ? .any : .wellFormed, withLastNight: true)
  }

  package func connect(
    _ settings: Arguments, environment: ProviderEnvironment
  ) throws(StepFailure) -> any Provider {
    let connection = try Connection(
      to: "Zomro", settings, defaultURL: ZomroProvider.defaultURL, example: ZomroProvider.defaultURL,
      environment: environment)
    let credential = try ZomroProvider.credential(settings)
    let key = connection.accountKey
    var client = ZomroClient(
      connection: connection, credential: credential,
      session: environment.shared.object(for: "session of \(key)") { SharedSession() },
      filters: environment.shared.object(for: "filters of \(key)") { ZomroFilters() },
      rebuilds: environment.shared.object(for: "rebuilds of \(key)") { ZomroRebuildLooks() },
      zone: try CloudZone(try settings.optionalText("time_zone")))
    let alone = client
    let readServers = { @Sendable () async throws(StepFailure) -> [CloudServer] in try await alone.servers() }
    // Backups and snapshots are listed by server only.
    client.watch = CloudWatch(of: key, environment, readServers: readServers)
    return ConnectedZomro(client: client)
  }

  private static func credential(_ settings: Arguments) throws(StepFailure) -> ZomroCredential {
    let word = try settings.optionalText("auth") ?? Authentication.session.rawValue
    guard let way = Authentication(rawValue: word) else {
      throw StepFailure.unfit("`auth` must be session or authinfo")
    }
    let session = try secret("session", settings)
    let username = try settings.optionalText("username") ?? ""
    let password = try secret("password", settings)
    let factor = try secret("totp", settings)
    if let session {
      guard username.isEmpty, password == nil, way == .session else {
        throw StepFailure.unfit("give `session`, or `username` and `password`, not both")
      }
      guard factor == nil else { throw StepFailure.unfit("`totp` goes with `username` and `password` only") }
      return .session(session)
    }
    guard !username.isEmpty, let password else {
      throw StepFailure.unfit("`username` and `password` are missing, or `session` is")
    }
    switch way {
    case .session:
      return .login(
        username: username, password: password, secondFactor: factor.map { ZomroSecondFactor(secret: $0) })
    case .authinfo:
      guard factor == nil else { throw StepFailure.unfit("`totp` goes with `auth: session` only") }
      guard !username.contains(":") else {
        throw StepFailure.unfit("`username` must hold no colon with `auth: authinfo`, which ends it there")
      }
      return .authinfo(username: username, password: password)
    }
  }

  private static func secret(_ name: String, _ settings: Arguments) throws(StepFailure) -> Secret? {
    if case .secret(let secret)? = settings[name] { return secret.isEmpty ? nil : secret }
    guard let text = try settings.optionalText(name), !text.isEmpty else { return nil }
    return Secret(text, named: [])
  }
}
