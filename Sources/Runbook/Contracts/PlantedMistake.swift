#if PLANTED_MISTAKES
  import Glibc
#endif

/// Mistakes that a build for tests makes on purpose, one at a time, so that it is proved that the tests catch them:
/// `make planted` builds with `PLANTED_MISTAKES` and names one in `RUNBOOK_MISTAKE`. In every other build `isMade` is
/// false.
public enum PlantedMistake: String, CaseIterable, Sendable {
  case effectsOverwritten, lateRequestForgotten, restNotAwaited, unknownUndoIsDone, unknownAlwaysIsGood
  case answerNotBound, cancelNotForParked, cancelLeavesItRunning, cancelTooLateAccepted
  case locksGivenBackWhilePending, skipClosesEntry
  case approvalNotBound, requesterMayApprove
  case falseConditionIsUndone, resendsNotCounted, wallClockForDurations, maskedTextIsTheValue, lostValueRebuilt
  case newKeyOnResend, cleanUpInTheSameFolder, undoGivesUpInAnOutage, undoRetryIgnored, callBeforeCommit
  case restoredNotAsked, undoneIsInherited, undoBeforeItShows
  case epochNotChecked, lockNotExclusive, flushDropped, ownerJudgedByItsLease, wireNotFenced, witnessIgnored
  case unseenEndIsAnEnd, rankWithoutEpoch, connectionNotKept
  case scriptPlaceIgnored, oneAlignmentMasked, cutBeforeMasking, nothingKeptBack
  case wayBackPruned, numbersRounded, sealedByAList
  case lastAttemptSpeaksForAll, failedUndoIsUndone, keysRepeated
  case siblingsGoOn, rescueBesideBranches, iterationsUndoneOutside, batchesRunTogether, branchesShareALock
  case missLeftStanding, unsetIsMet, failedStepMeasures

  #if PLANTED_MISTAKES
    private static let chosen: PlantedMistake? = unsafe getenv("RUNBOOK_MISTAKE").flatMap {
      unsafe PlantedMistake(rawValue: String(cString: $0))
    }
    public var isMade: Bool { self == PlantedMistake.chosen }
  #else
    @inlinable public var isMade: Bool { false }
  #endif
}
