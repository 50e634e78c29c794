package import Runbook

/// The zone in which a provider writes times without one, as the block's `time_zone` gives it.
package enum CloudZone: Sendable, Equatable {
  /// Seconds east of UTC.
  case offset(Int64)
  /// Not told: it may be any of those that exist.
  case unknown

  /// The zones there are reach from UTC-12:00 to UTC+14:00.
  static let east: Int64 = 14 * 3600
  static let west: Int64 = 12 * 3600

  package static let field = Field(
    "time_zone", .string, pattern: "^(UTC|Z|[+-][0-9][0-9]:[0-9][0-9])$",
    help:
      "the zone of the times in its answers: `UTC`, or an offset such as `+03:00`; default: unknown, which "
      + "`created_at_error` shows"
  )

  /// - Throws: `input` for anything but `UTC` or an offset.
  package init(_ text: String?) throws(StepFailure) {
    guard let text else {
      self = .unknown
      return
    }
    if text == "UTC" || text == "Z" {
      self = .offset(0)
      return
    }
    // An RFC 3339 time in that zone: the offset is checked with it.
    guard text.utf8.count == 6, let noon = Timestamp("2000-01-01T12:00:00" + text) else {
      throw StepFailure.unfit("`time_zone` must be `UTC` or an offset like `+08:00`")
    }
    self = .offset(946_728_000 - noon.seconds)
  }

  /// The earliest instant at which a clock there can have shown this, and how much later it may have been.
  /// - Parameters:
  ///   - local: what the clock showed, written as if in UTC.
  ///   - precision: how long the clock showed it: a day for a date.
  package func instant(_ local: Timestamp, precision: Duration = .zero) -> (at: Timestamp, error: Duration) {
    switch self {
    case .offset(let seconds): (local - .seconds(seconds), precision)
    case .unknown: (local - .seconds(CloudZone.east), .seconds(CloudZone.east + CloudZone.west) + precision)
    }
  }
}
