import Runbook

/// A cloud that is reached over the network.
protocol RemoteCloud: Cloud {
  /// Whatever is sent goes through it.
  var connection: Connection { get }
}

extension RemoteCloud {
  var maxRequestLife: Duration { connection.maxRequestLife }
  var powerRequests: PowerRequests? { connection.powerRequests }
}

/// One row of a cloud's table: an action, and how it is bound to an account.
struct CloudRow<Client: RemoteCloud>: Sendable {
  let declaration: ActionDeclaration
  let bind: @Sendable (Client) -> any Action
}

/// What the accounts of all clouds have in common.
protocol CloudAccount: Provider {
  associatedtype Client: RemoteCloud
  var client: Client { get }
  var table: [CloudRow<Client>] { get }
  /// Asks for something that needs a credential, and changes nothing.
  func proveCredential() async throws(StepFailure)
}

extension CloudAccount {
  /// The host: ids of servers are unique there, whatever credential is used.
  var account: String { client.connection.base.host }

  func action(_ name: String) -> (any Action)? { table.first { $0.declaration.name == name }?.bind(client) }

  func state(ofServer id: String) async throws(StepFailure) -> PowerState? { try await client.server(id).state }

  /// What the operator must put right is a problem; anything else may be over in a moment, and is thrown.
  func liveCheck() async throws(StepFailure) -> [String] {
    do { try await proveCredential() } catch {
      guard [.auth, .input, .limit].contains(error.kind) else { throw error }
      return [error.message]
    }
    return []
  }
}
