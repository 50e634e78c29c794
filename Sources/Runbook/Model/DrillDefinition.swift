/// What a drill must reach and how that is measured: the keyword `drill`.
public struct DrillDefinition: Sendable {
  /// The longest time in which the service may be away: `restored_at` − `outage_at`. nil: no objective.
  public var rto: Duration?
  /// The oldest that the restored data may be: `outage_at` − `data_as_of`. nil: no objective.
  public var rpo: Duration?
  /// By moment; one that no objective needs is absent. Each gives a timestamp, `data_as_of` also a list of them.
  public var measure: [DrillMoment: Expression]
  /// The steps of `steady_state` as they are done before the first step: `drill.before.ID`, `drill.before[0]`.
  public var before: Body
  /// The same steps as they are done again after the last one: `drill.after.ID`, `drill.after[0]`.
  public var after: Body
  /// What is asked beside the steps, and stops them when one of it holds: `drill.stop_if.ID`, `drill.stop_if[0]`.
  public var stopIf = Body([Step]())
}

/// A moment that `drill.measure` tells; its raw value is the author's word.
public enum DrillMoment: String, Sendable, CaseIterable {
  case outageAt = "outage_at"
  case dataAsOf = "data_as_of"
  case restoredAt = "restored_at"

  /// What it is, for the schema.
  var help: String {
    switch self {
    case .outageAt: "when the service went away; a timestamp"
    case .dataAsOf: "from when the restored data are; a timestamp, or a list, whose earliest counts"
    case .restoredAt: "when the service was back; a timestamp"
    }
  }
}
