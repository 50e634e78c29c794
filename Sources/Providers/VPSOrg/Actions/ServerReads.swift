import Runbook

struct VPSOrgServerStatus: StandardAction {
  static let declaration = ServerVocabulary.status()
  let client: VPSOrgClient

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    ActionResult(outputs: try await client.server(try call.with.text("server")).outputs)
  }

  func liveCheck(_ call: ActionCall) async throws(StepFailure) -> [String] {
    try await client.problems(call, acting: false)
  }
}

struct VPSOrgServerList: StandardAction {
  static let declaration = ServerVocabulary.list()
  let client: VPSOrgClient

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    ActionResult(outputs: ["servers": .list(try await client.servers().map { .map($0.outputs) })])
  }
}

struct VPSOrgServerFind: StandardAction {
  static let declaration = ServerVocabulary.find()
  let client: VPSOrgClient

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    let name = try call.with.text("name")
    let hits = try await client.servers().filter { $0.name == name }
    guard let server = hits.first else { throw StepFailure(.notFound, "VPS.org has no server named `\(name)`") }
    guard hits.count == 1 else {
      let ids = hits.map { $0.id }.joined(separator: ", ")
      throw StepFailure(.conflict, "VPS.org has \(hits.count) servers named `\(name)` (\(ids)): name one by its id")
    }
    return ActionResult(outputs: server.outputs)
  }
}
