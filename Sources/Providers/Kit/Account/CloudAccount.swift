package import Runbook

/// A cloud that is reached over the network.
package protocol RemoteCloud: Cloud {
  /// Whatever is sent goes through it.
  var connection: Connection { get }
}

extension RemoteCloud {
  package var maxRequestLife: Duration { connection.maxRequestLife }
  package var powerRequests: PowerRequests? { connection.powerRequests }
}

/// One row of a cloud's table: an action, and how it is bound to an account.
package struct CloudRow<Client: RemoteCloud>: Sendable {
  package let declaration: ActionDeclaration
  let bind: @Sendable (Client) -> any Action

  /// - Parameters:
  ///   - declaration: of the shared vocabulary, or the cloud's own.
  ///   - operation: how this cloud does it.
  ///   - bind: given the declaration with its operation.
  package init(
    _ declaration: ActionDeclaration, _ operation: Operation,
    _ bind: @escaping @Sendable (Client, ActionDeclaration) -> any Action
  ) {
    let declaration = declaration.on(operation)
    self.declaration = declaration
    self.bind = { bind($0, declaration) }
  }
}

/// Members that the accounts of all clouds share.
package protocol CloudAccount: Provider {
  associatedtype Client: RemoteCloud
  var client: Client { get }
  var table: [CloudRow<Client>] { get }
  /// Asks for something that needs a credential, and changes nothing.
  func proveCredential() async throws(StepFailure)
}

extension CloudAccount {
  /// The host: ids of servers are unique there, whatever credential is used.
  package var account: String { client.connection.base.host }

  package func action(_ name: String) -> (any Action)? { table.first { $0.declaration.name == name }?.bind(client) }

  package func state(ofServer id: String) async throws(StepFailure) -> PowerState? { try await client.server(id).state }

  /// A failure that the operator must put right is returned as a problem; any other may pass by itself, and is thrown.
  package func liveCheck() async throws(StepFailure) -> [String] {
    do { try await proveCredential() } catch {
      guard [.auth, .input, .limit].contains(error.kind) else { throw error }
      return [error.message]
    }
    return []
  }
}
