/// What faults do to a change that begins at a twin.
struct TwinTwist: Sendable {
  var isStuck = false
  var fails = false
  /// The native word meanwhile, which no document names.
  var word: String?
}

extension [TwinFault] {
  /// Strikes those that concern how a change of this operation goes.
  /// - Parameter word: what `unknown_status` shows where it names none.
  mutating func twist(_ operation: String, word: String = "quiescing") -> TwinTwist {
    var twist = TwinTwist()
    twist.isStuck = strike(operation) { $0 == .stuck } != nil
    twist.fails = strike(operation) { $0 == .fails } != nil
    if let fault = strike(operation, where: { $0 == .unknownStatus }) { twist.word = fault.word ?? word }
    return twist
  }
}
