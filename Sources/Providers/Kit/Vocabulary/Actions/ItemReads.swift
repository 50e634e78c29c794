package import Runbook

package struct ItemList<Account: Cloud>: CloudAction {
  package let cloud: Account
  let kind: ItemKind
  package let declaration: ActionDeclaration

  package init(cloud: Account, kind: ItemKind, declaration: ActionDeclaration) {
    self.cloud = cloud
    self.kind = kind
    self.declaration = declaration
  }

  package func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    let isOfServer = declaration.fields.first { $0.name == "server" }?.required ?? false
    let server = isOfServer ? try call.with.text("server") : try call.with.optionalText("server")
    let items = try await cloud.items(
      kind, server: server.flatMap { $0.isEmpty ? nil : $0 }, type: try call.with.optionalText("type"))
    let sorted = items.sorted(by: CloudItem.newestFirst).map { Value.map($0.outputs) }
    return ActionResult(outputs: ["\(kind.rawValue)s": .list(sorted), "count": .int(Int64(sorted.count))])
  }

  package func liveCheck(_ call: ActionCall) async throws(StepFailure) -> [String] {
    try await cloud.problems(call, acting: false)
  }
}

package struct ItemFind<Account: Cloud>: CloudAction {
  package let cloud: Account
  let kind: ItemKind
  package let declaration: ActionDeclaration

  package init(cloud: Account, kind: ItemKind, declaration: ActionDeclaration) {
    self.cloud = cloud
    self.kind = kind
    self.declaration = declaration
  }

  package func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    let server = try call.with.text("server")
    let name = try call.with.optionalText("name")
    let word = kind.rawValue
    let what = "ready \(word)" + (name.map { " named `\($0)`" } ?? "")
    let hits = try await cloud.items(kind, server: server, type: try call.with.optionalText("type"))
      .filter { $0.state == .ready && (name == nil || $0.name == name) }.sorted(by: CloudItem.newestFirst)
    guard let item = hits.first else { throw StepFailure(.notFound, "server \(server) has no \(what)") }
    guard try call.with.bool("newest") == true || hits.count == 1 else {
      let ids = hits.prefix(5).map { $0.id }.joined(separator: ", ")
      throw StepFailure(
        .conflict, "server \(server) has \(hits.count) \(word)s that fit (\(ids)): give a `name`, or `newest: true`")
    }
    if let limit = try call.with.duration("max_age"), call.clock.now - item.createdAt > limit {
      throw StepFailure(
        .notFound,
        "the newest \(what) of server \(server) is from \(item.createdAt)"
          + (item.createdAtError > .zero ? ", or up to \(item.createdAtError.text) later" : "")
          + ", older than \(limit.text)")
    }
    return ActionResult(outputs: item.outputs)
  }

  package func liveCheck(_ call: ActionCall) async throws(StepFailure) -> [String] {
    try await cloud.problems(call, acting: false)
  }
}
