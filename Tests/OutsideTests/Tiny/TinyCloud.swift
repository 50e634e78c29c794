import Runbook

/// A cloud from outside: this folder is all of it. Its servers have a size, which can be changed while they are off.
struct TinyCloud: ProviderKind {
  static let origin = "https://tiny.example.com"

  let type = "tiny"
  let summary = "servers that can be resized"
  let fields = [Field("token", .string, required: true, acceptsSecret: true, help: "of the account")]
  var actions: [ActionDeclaration] { TinyCloud.table.map { $0.declaration } }
  let facts = ProviderFacts(
    states: [.init("on", "running"), .init("off", "stopped")], limits: ["a stop or start takes 20 seconds"],
    hazards: ["a size can be changed while the server is off, and at no other time"])

  func connect(_ settings: Arguments, environment: ProviderEnvironment) throws(StepFailure) -> any Provider {
    guard let token = try settings.revealed("token") else { throw StepFailure.unfit("`token` is missing") }
    return TinyAccount(client: TinyClient(transport: environment.transport, token: Secret(token, named: ["token"])))
  }

  func twin(clock: any EngineClock, seed: UInt64, isSealed: Bool) -> any SimulatedSystem { TinyTwin(clock: clock) }
}

/// The capability table: every action, how it is done here, and how it is bound to an account.
extension TinyCloud {
  struct Row: Sendable {
    let declaration: ActionDeclaration
    let bind: @Sendable (TinyClient, ActionDeclaration) -> any Action
  }

  static let table: [Row] = [
    Row(
      declaration: ActionDeclaration(
        "server.status", "read a server's state", fields: [server], outputs: ["state": .string, "size": .int],
        effect: .none, class: .convergent, operation: Operation("GET /servers/{id}"))
    ) { TinyStatus(client: $0, declaration: $1) },
    power("server.stop", "shut a server down and wait until it is stopped", .stopped),
    power("server.start", "start a server and wait until it is running", .running),
    Row(
      declaration: ActionDeclaration(
        "tiny.resize", "change the size of a server",
        fields: [server, Field("size", .int, required: true, bounds: .int(1...64), help: "in units, 1 to 64")],
        effect: .change, class: .convergent,
        suggestedUndo: "{action: tiny.resize, with: {server: SERVER, size: \"${{ self.before.size }}\"}}",
        before: ["size": .int], serverField: "server",
        operation: Operation("PUT /servers/{id}/size", recovery: "the size is read", needs: [.stopped]))
    ) { TinyResize(client: $0, declaration: $1) },
  ]

  private static let server = Field("server", .string, required: true, help: "id of the server")

  private static func power(_ name: String, _ summary: String, _ wanted: PowerState) -> Row {
    Row(
      declaration: ActionDeclaration(
        name, summary, fields: [server], outputs: ["state": .string], effect: .change, class: .convergent,
        wait: WaitDefaults(until: wanted.rawValue, failsOn: "error", timeout: .seconds(300)),
        before: ["state": .string], serverField: "server",
        operation: Operation("PUT /servers/{id}/power", recovery: "the state is read", leaves: .becomes(wanted)))
    ) { TinyPower(client: $0, wanted: wanted, declaration: $1) }
  }
}

/// One account of it.
struct TinyAccount: Provider {
  let client: TinyClient
  var account: String { "tiny.example.com" }

  func action(_ name: String) -> (any Action)? {
    TinyCloud.table.first { $0.declaration.name == name }.map { $0.bind(client, $0.declaration) }
  }
  func liveCheck() async throws(StepFailure) -> [String] { [] }
  func state(ofServer id: String) async throws(StepFailure) -> PowerState? { try await client.server(id).state }
}
