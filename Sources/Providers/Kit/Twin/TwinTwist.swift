package import Runbook

/// What faults do to a change that begins at a twin.
package struct TwinTwist: Sendable {
  package var isStuck = false
  package var fails = false
  /// The native word meanwhile, which no document names.
  package var word: String?
  /// A stop or start shows only after this.
  package var slow: Duration?

  /// Nothing unusual.
  package init() {}
}

/// A stop or start that was accepted and that no status shows yet.
package struct TwinSlowChange: Sendable {
  package var showsAt: Timestamp
  /// The native word from then on.
  package var status: String

  package init(showsAt: Timestamp, status: String) {
    self.showsAt = showsAt
    self.status = status
  }
}

extension [TwinFault] {
  /// Strikes those that concern how a change of this operation goes.
  /// - Parameters:
  ///   - word: what `unknown_status` shows where it names none.
  ///   - asksGuest: it is done by the guest, which may take its time.
  package mutating func twist(_ operation: String, word: String = "quiescing", asksGuest: Bool = true) -> TwinTwist {
    var twist = TwinTwist()
    twist.isStuck = strike(operation) { $0 == .stuck } != nil
    twist.fails = strike(operation) { $0 == .fails } != nil
    if let fault = strike(operation, where: { $0 == .unknownStatus }) { twist.word = fault.word ?? word }
    if asksGuest, operation == "server.stop" || operation == "server.start",
      let fault = strike(operation, where: { $0 == .guestSlow })
    {
      twist.slow = fault.duration ?? .seconds(12)
    }
    return twist
  }
}
