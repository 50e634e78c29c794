/// Reports that do not fit the state of their step. Each is a mistake of the engine: it is journaled as ignored and
/// changes nothing. Tests fail on such an entry.
extension RunMachine {
  /// Why the report cannot be true of the step as it stands; nil if it can.
  func misfit(of event: StepEvent, _ path: StepPath) -> String? {
    switch event {
    case .skipped(let purpose), .refused(let purpose, _): return beginMisfit(path, purpose)
    case .began(let started): return beginMisfit(path, started.purpose)
    case .settled, .unsettled: return orders.contains(.settle(path)) ? nil : "it is not being brought to rest"
    case .found where orders.contains(.settle(path)): return nil
    case .asked, .found, .cleared, .succeeded, .called, .failed, .replyLost, .resend, .adopted, .unknowable,
      .attemptDue, .observed,
      .cancelled, .approvalTimedOut, .askTimedOut:
      guard active.contains(path) else { return "it is not started" }
      return fits(event, state(of: path).progress) ? nil : "it is \(state(of: path).progress.word)"
    }
  }

  private func beginMisfit(_ path: StepPath, _ purpose: Purpose) -> String? {
    isDue(path, purpose) ? nil : "it is not its turn"
  }

  /// Why the report cannot be true of the step that holds others as it stands; nil if it can.
  func misfit(of event: ScopeEvent, _ path: StepPath) -> String? {
    switch event {
    case .skipped, .refused, .opened:
      return isDue(path, .do) || orders.contains(.open(path)) ? nil : "it is not its turn"
    case .closed: return orders.contains(.close(path)) ? nil : "its steps have not come to their end"
    }
  }

  private func fits(_ event: StepEvent, _ progress: StepMachine.Progress) -> Bool {
    switch (event, progress) {
    case (.cancelled, _): true
    case (.asked, .calling): true
    case (.succeeded, .calling), (.succeeded, .lost), (.succeeded, .waiting): true
    case (.called, .calling), (.called, .lost): true
    case (.failed, .calling), (.failed, .lost), (.failed, .waiting), (.failed, .asking): true
    case (.replyLost, .calling), (.replyLost, .lost), (.replyLost, .waiting): true
    case (.adopted, .calling), (.adopted, .lost): true
    case (.found, .lost), (.cleared, .lost), (.resend, .lost), (.unknowable, .lost): true
    case (.attemptDue, .retrying): true
    case (.observed, .waiting): true
    case (.approvalTimedOut, .asking): true
    case (.askTimedOut, .parked): true
    case (.asked, _), (.succeeded, _), (.called, _), (.failed, _), (.replyLost, _), (.adopted, _), (.resend, _),
      (.unknowable, _), (.found, _), (.cleared, _), (.attemptDue, _), (.observed, _), (.approvalTimedOut, _),
      (.askTimedOut, _):
      false
    case (.skipped, _), (.refused, _), (.began, _), (.settled, _), (.unsettled, _): true
    }
  }
}

extension StepMachine.Progress {
  /// In a sentence about the step: "it is …".
  fileprivate var word: String {
    switch self {
    case .calling: "being called"
    case .lost: "without an outcome"
    case .retrying: "pausing before its next attempt"
    case .waiting: "waited for"
    case .parked: "waiting for a person's word about its outcome"
    case .asking: "waiting for an approval"
    }
  }
}
