package import Runbook

extension ActionCall {
  /// Refuses to delete an item that an open undo step of the run would put back.
  /// - Throws: `conflict`, without an effect.
  package func refuseIfNeeded(_ id: String, as what: String) throws(StepFailure) {
    guard neededIDs.contains(id) else { return }
    throw StepFailure(
      .conflict,
      "\(what) \(id.excerpt(64)) is not deleted: an open undo step of this run needs it; put a `commit` before this "
        + "step, or leave it to a later run")
  }
}
