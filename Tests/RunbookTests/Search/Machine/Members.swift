@testable import Runbook

extension SearchedMachine {
  /// Every stored property of the machine's parts: as they are, and as the search knows them.
  static var storedProperties: [(name: String, stored: Set<String>, known: Set<String>)] {
    func members(_ value: Any) -> Set<String> { Set(Mirror(reflecting: value).children.compactMap(\.label)) }
    let machine = RunMachine(runbook(SearchedPlaces(RunbookGenerator.full)))
    let entry = RollbackStack.Entry(step: "one", kind: .irreversible)
    return [
      ("RunMachine", members(machine), machineInPicture.union(machineOutside)),
      ("StepState", members(StepState()), stateInPicture.union(stateOutside)),
      ("RollbackStack", members(RollbackStack()), ["entries"]),
      ("RollbackStack.Entry", members(entry), ["step", "kind", "state"]),
    ]
  }

  private static let machineInPicture: Set<String> = [
    "states", "stack", "active", "cursor", "stop", "isChecked", "verdict", "rollbackStartedAt", "resumedAt",
    "rollback", "rollbackFailure", "outputs", "outputsError", "ended", "alwaysFailed", "isLeftOut", "leftOutUndo",
    "isDecidedSinceEnd", "questions", "toldQuestions", "isRestored",
  ]

  private static let machineOutside: Set<String> = [
    // They never change in a run.
    "runbook", "mainSteps", "steps", "started", "startedAt",
    // Time stands still.
    "askedTime", "askedTimeOfRollback", "wallAhead", "anchor",
    // Numbers of messages decide nothing in the machine.
    "lastRequest",
    // They are read by the interpreter, and change no order.
    "toldStates", "wasRestored", "holdsStored",
  ]

  private static let stateInPicture: Set<String> = [
    "status", "purpose", "progress", "approvals", "attempt", "key", "error", "effect", "effectBefore", "lostSince",
    "lostRequests", "sends", "startedAt",
  ]

  private static let stateOutside: Set<String> = [
    // Time stands still.
    "keySince", "intendedAt", "waitingSince", "endedAt", "deadline",
    // They are handed on, and no decision is made by them.
    "requestDigest", "arguments", "scriptPlace", "result", "outputs", "before",
  ]
}
