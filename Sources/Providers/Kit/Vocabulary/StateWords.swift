package import Runbook

/// The state of a snapshot or backup in the words of the language.
package enum ItemState: String, Sendable, CaseIterable {
  /// Also every native word the client has never heard of.
  case creating
  case ready, failed, deleting, absent
}

/// What `power:` of a restore asks for.
package enum PowerAfterRestore: String, Sendable, CaseIterable {
  /// As it was when the intent was journaled.
  case same
  case running, stopped

  /// What the server shall be once it is restored; nil if it may be as it comes (it was neither running nor stopped
  /// before).
  package static func wanted(_ call: ActionCall) throws(StepFailure) -> PowerState? {
    switch PowerAfterRestore(rawValue: try call.with.optionalText("power") ?? same.rawValue) {
    case .running: return .running
    case .stopped: return .stopped
    case .same:
      let before = call.before["state"]?.string.flatMap { PowerState(rawValue: $0) }
      return before == .running || before == .stopped ? before : nil
    case nil: throw StepFailure.unfit("`power` must be same, running or stopped")
    }
  }
}

/// What `mode:` of a stop asks for.
package enum StopMode: String, Sendable, CaseIterable {
  /// The guest is asked to shut down.
  case clean
  /// The power is cut.
  case hard
  /// The power is cut if the guest has not shut down within `grace`.
  case cleanThenHard = "clean_then_hard"
}
