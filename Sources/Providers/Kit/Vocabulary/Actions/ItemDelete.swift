package import Runbook

/// Convergent: a missing item counts as deleted, so "404" to a repeat is success.
package struct ItemDelete<Account: Cloud>: CloudAction {
  package let cloud: Account
  let kind: ItemKind
  private let listsAccount: Bool
  package let declaration: ActionDeclaration

  /// - Parameter listsAccount: the provider can list the items of the whole account.
  package init(cloud: Account, kind: ItemKind, listsAccount: Bool = true, declaration: ActionDeclaration) {
    self.cloud = cloud
    self.kind = kind
    self.listsAccount = listsAccount
    self.declaration = declaration
  }

  package func capture(_ call: ActionCall) async throws(StepFailure) -> [String: Value] {
    try call.refuseIfNeeded(try call.with.text(kind.rawValue), as: kind.rawValue)
    let item = try await find(call)
    if let item, item.isProtected {
      throw StepFailure(
        .conflict,
        "\(kind.rawValue) \(item.id) is protected at \(cloud.service): take the protection off there "
          + "before it is deleted"
      )
    }
    return ["exists": .bool(item != nil)]
  }

  package func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    let (id, server) = try target(call)
    try call.refuseIfNeeded(id, as: kind.rawValue)
    guard call.before["exists"] != false else {
      call.report("\(kind.rawValue) \(id) is already gone")
      return ActionResult()
    }
    _ = try await cloud.delete(kind, id, server: server, key: call.key, until: call.deadline)
    return ActionResult()
  }

  package func probe(_ call: ActionCall) async throws(StepFailure) -> ProbeAnswer {
    switch try await find(call)?.state {
    case nil, .absent, .deleting: .applied(ActionResult())
    default: .notApplied
    }
  }

  package func observe(_ call: ActionCall, after result: ActionResult) async throws(StepFailure) -> Observation {
    guard let item = try await find(call), item.state != .absent else { return Observation(.done, result: result) }
    return Observation(.pending, nativeState: item.nativeState, result: result)
  }

  package func isSettled(_ call: ActionCall) async throws(StepFailure) -> Bool { try await cloud.isAtRest(call) }

  private func target(_ call: ActionCall) throws(StepFailure) -> (id: String, server: String?) {
    let server = try call.with.optionalText("server")
    return (try call.with.text(kind.rawValue), server?.isEmpty == true ? nil : server)
  }

  /// One that belongs to another server than the author says is a `conflict`: neither deleted nor taken for gone.
  private func find(_ call: ActionCall) async throws(StepFailure) -> CloudItem? {
    let (id, server) = try target(call)
    if let item = try await cloud.item(kind, id, server: server) { return item }
    guard let server, listsAccount, let item = try await cloud.item(kind, id, server: nil) else {
      return nil
    }
    let owner = item.server.map { "server \($0)" } ?? "no server that \(cloud.service) names"
    throw StepFailure(.conflict, "\(kind.rawValue) \(id) belongs to \(owner), not to \(server)")
  }
}
