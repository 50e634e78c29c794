extension Plan {
  /// What a drill must reach, by what that is measured, and what is looked at around its steps.
  public struct Drill: Sendable {
    public var rto: Duration?
    public var rpo: Duration?
    /// The author's expressions, by moment.
    public var measure: [DrillMoment: String]
    /// Done before the first step and again after the last one.
    public var steadyState: [Step]
  }
}

extension PlanText {
  /// The objectives and what measures them, below the name.
  static func drillLines(_ plan: Plan) -> [String] {
    guard let drill = plan.drill else { return [] }
    func told(_ moment: DrillMoment) -> String {
      moment.rawValue + (drill.measure[moment].map { " (`\($0)`)" } ?? "")
    }
    var lines = ["", "drill:"]
    if let rto = drill.rto {
      lines.append("  RTO at most \(DrillReport.shown(rto)): from \(told(.outageAt)) to \(told(.restoredAt))")
    }
    if let rpo = drill.rpo {
      lines.append("  RPO at most \(DrillReport.shown(rpo)): from \(told(.dataAsOf)) to \(told(.outageAt))")
    }
    let code = ExitCode.objectiveMissed.rawValue
    return lines + ["  judged after the last step, before anything is undone; a miss ends the run with exit \(code)"]
  }

  /// A miss is cleaned up like a success.
  static func drillEnd(_ plan: Plan) -> String? {
    guard plan.drill != nil else { return nil }
    guard plan.rollbackAfter.contains(.success) else {
      return "When the drill is over nothing is undone, objectives met or missed: `rollback_policy.after` has no "
        + "`success`."
    }
    return "When the drill is over, its changes are undone, whether it met its objectives or missed them."
  }

  static func drillJSON(_ drill: Plan.Drill, _ step: (Plan.Step) -> Value) -> Value {
    func text(_ duration: Duration?) -> Value { duration.map { .string($0.exactText) } ?? .null }
    var measure: [String: Value] = [:]
    for (moment, source) in drill.measure { measure[moment.rawValue] = .string(source) }
    return [
      "objectives": ["rto": text(drill.rto), "rpo": text(drill.rpo)], "measure": .map(measure),
      "steady_state": .list(drill.steadyState.map(step)),
    ]
  }
}
