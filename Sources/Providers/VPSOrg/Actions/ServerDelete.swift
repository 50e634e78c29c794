import Runbook

/// Only a server that the same run created may be deleted, and no action creates one at VPS.org: always refused, before
/// the run's first change where that is possible.
struct VPSOrgServerDelete: StandardAction {
  static let declaration = ServerVocabulary.delete(within: .seconds(900))
  private static let reason =
    "`server.delete` deletes only a server that this run created, and no run can create one at VPS.org: "
    + "delete it there by hand"
  let client: VPSOrgClient

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    throw StepFailure(.input, VPSOrgServerDelete.reason)
  }
  func probe(_ call: ActionCall) async throws(StepFailure) -> ProbeAnswer { .notApplied }
  func liveCheck(_ call: ActionCall) async throws(StepFailure) -> [String] { [VPSOrgServerDelete.reason] }
}
