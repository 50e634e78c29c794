@testable import Runbook

extension SearchedMachine {
  /// Every stored property of the machine's parts: as they are, and as the search knows them.
  static var storedProperties: [(name: String, stored: Set<String>, known: Set<String>)] {
    func members(_ value: Any) -> Set<String> { Set(Mirror(reflecting: value).children.compactMap(\.label)) }
    let machine = RunMachine(runbook(SearchedPlaces(RunbookGenerator.full)))
    let entry = RollbackStack.Entry(step: .root, kind: .irreversible)
    return [
      ("RunMachine", members(machine), runInPicture.union(runOutside)),
      ("StepMachine", members(StepMachine()), stepInPicture.union(stepOutside)),
      ("Scope", members(machine.root), scopeInPicture.union(scopeOutside)),
      ("EndingMachine", members(machine.ending), endingInPicture),
      ("Questions", members(machine.questions), questionsOutside.union(["count", "told"])),
      ("RollbackStack", members(RollbackStack()), ["entries", "positions", "openEnd"]),
      ("RollbackStack.Entry", members(entry), ["step", "kind", "state"]),
    ]
  }

  private static let runInPicture: Set<String> = [
    "leaves", "active", "root", "ending", "questions", "isChecked", "resumedAt", "leftOutUndo", "isRestored", "stack",
    "isLeftOut",
  ]

  private static let runOutside: Set<String> = [
    // They never change in a run.
    "runbook", "tree", "started", "startedAt",
    // No step of a searched runbook holds others.
    "scopes", "openScopes", "borne",
    // Time stands still.
    "wallAhead", "anchor",
    // They are read by the interpreter, and change no order.
    "wasRestored", "holdsStored",
  ]

  private static let scopeInPicture: Set<String> = [
    "cursor", "live", "stop", "rollbackStartedAt", "endedWith", "rollbackFailure",
  ]

  private static let scopeOutside: Set<String> = [
    // They never change in the list of a run.
    "path", "order", "opened", "count", "rescued", "ended", "startedAt", "endedAt", "hasGate",
    // One step after the other is begun.
    "ahead",
    // The list of a run is no loop.
    "unwinding", "failures", "firstFailure", "undone", "batch", "batchEnd",
  ]

  private static let endingInPicture: Set<String> = [
    "verdict", "outputs", "outputsError", "alwaysFailed", "ended", "isDecidedSinceEnd",
  ]

  private static let questionsOutside: Set<String> = [
    // Numbers of messages decide nothing in the machine.
    "lastRequest",
    // They are read by the interpreter, and change no order.
    "toldStates",
    // Time stands still.
    "askedTime", "askedTimeOfRollback",
  ]

  private static let stepInPicture: Set<String> = [
    "status", "purpose", "progress", "approvals", "attempt", "firstAttempt", "key", "error", "effect", "effectBefore",
    "lostSince", "lostRequests", "sends", "startedAt",
  ]

  private static let stepOutside: Set<String> = [
    // Time stands still.
    "keySince", "intendedAt", "waitingSince", "endedAt", "deadline",
    // They are handed on, and no decision is made by them.
    "requestDigest", "arguments", "scriptPlace", "result", "outputs", "before",
  ]
}
