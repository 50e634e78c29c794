/// A fault of the machine that is known and not mended yet. This list is empty when all are.
struct KnownFault: Hashable, Sendable {
  var property: Property
  /// A part of the complaint.
  var complaint: String
  var reason: String

  func explains(_ violation: Violation) -> Bool {
    violation.property == property && violation.complaint.contains(complaint)
  }

  static let all: [KnownFault] = [
    KnownFault(
      property: .aPersonCanEndIt, complaint: "",
      reason: "an undo step that is left out keeps the failed one beside it from being tried again"),
    KnownFault(
      property: .answersHaveConsequences, complaint: "settle",
      reason: "an undo step that is left out keeps the failed one beside it from being tried again"),
    KnownFault(
      property: .closingWordsAreTrue, complaint: "neverHappened",
      reason: "the probe of the last attempt is taken for one of all attempts"),
    KnownFault(
      property: .keysAreKept, complaint: "has the key of another attempt",
      reason:
        "an undo step that is begun anew after `rollback resume` has the key of one attempt and the number of another"),
    KnownFault(
      property: .rollbackWordIsTrue, complaint: "pending without a reason",
      reason: "what a person leaves out before the end does not change the word of the rollback"),
    KnownFault(
      property: .rollbackWordIsTrue, complaint: "nothing blocks",
      reason: "what a person leaves out before the end does not change the word of the rollback"),
    KnownFault(
      property: .rollbackWordIsTrue, complaint: "no rollback was needed, and something is owed",
      reason: "facts that follow from a person's decision about a rollback are not journaled with it"),
    KnownFault(
      property: .foreignWordsChangeNothing, complaint: "what the engine says is heeded",
      reason: "events about steps that are not under way are heeded"),
    KnownFault(
      property: .nothingIsOverdue, complaint: "were due",
      reason: "facts that follow from a person's decision about a rollback are not journaled with it"),
    KnownFault(
      property: .closingWordsAreTrue, complaint: "its undo steps failed",
      reason: "an entry is called undone although each of its undo steps failed or was skipped"),
    KnownFault(
      property: .rollbackWordIsTrue, complaint: "and nothing was undone",
      reason: "an entry is called undone although each of its undo steps failed or was skipped"),
    KnownFault(
      property: .reportIsTrue, complaint: "is told to be undone",
      reason: "an undo step that failed with `on_error: continue` is not told of at the good end of a drill"),
    KnownFault(
      property: .adviceIsAccepted, complaint: "offers a cancel",
      reason: "a cancel is offered after a last step whose failure is borne and whose outcome is not known"),
    KnownFault(
      property: .endIsTrue, complaint: "the run has failed, and was cancelled",
      reason: "a problem of the live checks overrides a cancel that was accepted"),
  ]
}
