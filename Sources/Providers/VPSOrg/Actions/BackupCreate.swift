import ProviderKit
import Runbook

/// Findable by the call's key, which travels in the description: a backup has no name at VPS.org.
struct VPSOrgBackupCreate: VPSOrgAction {
  /// Documented: "several minutes depending on server size".
  static let declaration = VPSOrgBackups.words.create(
    name: Field(
      "name", .string, pattern: "^[A-Za-z0-9][A-Za-z0-9._-]*$",
      help: "put in front of the description, as VPS.org gives backups no name; default: none"),
    within: .seconds(2 * 3600), class: .findable)
  let client: VPSOrgClient

  func capture(_ call: ActionCall) async throws(StepFailure) -> [String: Value] {
    let name = try call.with.optionalText("name")
    return try await client.captureNames(.backup, server: try call.with.text("server")) {
      $0.name == name && $0.isManual
    }
  }

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    let server = try call.with.text("server")
    if let reused = try await client.reuse(.backup, call) { return reused.withoutReply }
    let description = BackupMarker.description(
      name: try call.with.optionalText("name"), text: try call.with.optionalText("description"), key: call.key)
    do {
      return ActionResult(outputs: try await client.createBackup(server: server, description: description))
    } catch { throw try await client.full(.backup, server: server, error) }
  }

  /// The `d2` dialect takes no description: there, what is new and has no mark of another call may be ours or not.
  func probe(_ call: ActionCall) async throws(StepFailure) -> ProbeAnswer {
    if client.dialect == .d2 { return .unsure }
    return try await client.findNew(.backup, call) { isOurs($0, call) }.withoutReply
  }

  func observe(_ call: ActionCall, after result: ActionResult) async throws(StepFailure) -> Observation {
    try await client.observeItem(.backup, call, after: result)
  }

  func isSettled(_ call: ActionCall) async throws(StepFailure) -> Bool {
    try await client.isNewItemAtRest(.backup, call) { isOurs($0, call) }
  }

  func liveCheck(_ call: ActionCall) async throws(StepFailure) -> [String] {
    try await client.problemsOfCreating(.backup, call)
  }

  private func isOurs(_ item: CloudItem, _ call: ActionCall) -> Bool {
    item.description.hasSuffix(BackupMarker.mark(call.key))
  }
}
