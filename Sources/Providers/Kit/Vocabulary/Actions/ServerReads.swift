package import Runbook

package struct ServerStatus<Account: Cloud>: CloudAction {
  package let cloud: Account
  package let declaration: ActionDeclaration

  package init(cloud: Account, declaration: ActionDeclaration) {
    self.cloud = cloud
    self.declaration = declaration
  }

  package func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    ActionResult(outputs: try await cloud.server(try call.with.text("server")).outputs)
  }

  package func liveCheck(_ call: ActionCall) async throws(StepFailure) -> [String] {
    try await cloud.problems(call, acting: false)
  }
}

package struct ServerList<Account: Cloud>: CloudAction {
  package let cloud: Account
  package let declaration: ActionDeclaration

  package init(cloud: Account, declaration: ActionDeclaration) {
    self.cloud = cloud
    self.declaration = declaration
  }

  package func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    ActionResult(outputs: ["servers": .list(try await cloud.servers().map { .map($0.outputs) })])
  }
}

package struct ServerFind<Account: Cloud>: CloudAction {
  package let cloud: Account
  package let declaration: ActionDeclaration

  package init(cloud: Account, declaration: ActionDeclaration) {
    self.cloud = cloud
    self.declaration = declaration
  }

  package func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    let name = try call.with.text("name")
    let hits = try await cloud.servers().filter { $0.name == name }
    guard let server = hits.first else {
      throw StepFailure(.notFound, "\(cloud.service) has no server named `\(name)`")
    }
    guard hits.count == 1 else {
      let ids = hits.map { $0.id }.joined(separator: ", ")
      throw StepFailure(
        .conflict, "\(cloud.service) has \(hits.count) servers named `\(name)` (\(ids)): name one by its id")
    }
    return ActionResult(outputs: server.outputs)
  }
}
