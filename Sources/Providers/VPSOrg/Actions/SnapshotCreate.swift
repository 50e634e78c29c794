import ProviderKit
import Runbook

/// Findable by its name: whatever carries the name and was not there before is ours.
struct VPSOrgSnapshotCreate: VPSOrgAction {
  /// The documents' text leaves digits out, their own examples have them.
  static let namePattern = "^[A-Za-z][A-Za-z0-9_-]*$"
  /// Documented: 3 to 10 minutes, elsewhere 3 to 15.
  static let declaration = VPSOrgSnapshots.words.create(
    name: Field(
      "name", .string, required: true, pattern: namePattern, help: "letters, digits, `-` and `_`, a letter first"),
    within: .seconds(1800), class: .findable)
  let client: VPSOrgClient

  func capture(_ call: ActionCall) async throws(StepFailure) -> [String: Value] {
    let name = try name(call)
    return try await client.captureNames(.snapshot, server: try call.with.text("server")) { $0.name == name }
  }

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    let server = try call.with.text("server")
    if let reused = try await client.reuse(.snapshot, call) { return reused.withoutReply }
    do {
      return ActionResult(
        outputs: try await client.createSnapshot(
          server: server, name: try name(call), description: try call.with.optionalText("description")))
    } catch { throw try await client.full(.snapshot, server: server, error) }
  }

  func probe(_ call: ActionCall) async throws(StepFailure) -> ProbeAnswer {
    let name = try name(call)
    return try await client.findNew(.snapshot, call) { $0.name == name }.withoutReply
  }

  func observe(_ call: ActionCall, after result: ActionResult) async throws(StepFailure) -> Observation {
    try await client.observeItem(.snapshot, call, after: result)
  }

  func isSettled(_ call: ActionCall) async throws(StepFailure) -> Bool {
    let name = try name(call)
    return try await client.isNewItemAtRest(.snapshot, call) { $0.name == name }
  }

  func liveCheck(_ call: ActionCall) async throws(StepFailure) -> [String] {
    try await client.problemsOfCreating(.snapshot, call)
  }

  private func name(_ call: ActionCall) throws(StepFailure) -> String {
    let name = try call.with.text("name")
    let isFirstALetter = name.utf8.first.map { ($0 | 0x20) >= 0x61 && ($0 | 0x20) <= 0x7a } ?? false
    let isAllowed = name.utf8.allSatisfy { byte in
      let lower = byte | 0x20
      return (lower >= 0x61 && lower <= 0x7a) || (byte >= 0x30 && byte <= 0x39) || byte == 0x2d || byte == 0x5f
    }
    guard isFirstALetter, isAllowed else {
      throw StepFailure.unfit(
        "`\(name.excerpt(80))` cannot name a snapshot at VPS.org: letters, digits, `-` and `_`, a letter first")
    }
    return name
  }
}
