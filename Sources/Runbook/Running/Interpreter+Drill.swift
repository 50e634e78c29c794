extension Interpreter {
  /// Reads the moments that a drill is measured by, and records the verdict.
  func judgeDrill() {
    var moments = DrillMoments()
    var scope = scope(for: nil)
    scope.isMeasuring = !PlantedMistake.failedStepMeasures.isMade
    for (moment, expression) in launch.runbook.drill?.measure ?? [:] {
      do throws(ExpressionFailure) {
        switch DrillReading(try evaluate(expression, in: scope)) {
        case .instant(let instant): moments.instants[moment] = instant
        case .unset(let reason): moments.unset[moment] = reason
        }
      } catch {
        moments.unset[moment] = "could not be evaluated: \(error.message)"
      }
    }
    record(.measured(moments))
  }
}

/// The value of an expression of `drill.measure`.
enum DrillReading: Equatable {
  case instant(Timestamp)
  /// Why it is no moment: completes the moment's name to a sentence.
  case unset(String)

  /// Of a list the earliest: data are as old as their oldest part. One part without a time makes the age unknown.
  init(_ value: Value) {
    switch value {
    case .timestamp(let instant): self = .instant(instant)
    case .null: self = .unset("is null")
    case .optional(let inner): self = inner.map { DrillReading($0) } ?? .unset("has no value")
    case .list(let items): self = DrillReading(earliestOf: items)
    default: self = .unset("is no timestamp")
    }
  }

  private init(earliestOf items: [Value]) {
    var earliest: Timestamp?
    for item in items {
      guard case .instant(let instant) = DrillReading(item) else {
        self = .unset("holds an item that is no timestamp")
        return
      }
      earliest = min(earliest ?? instant, instant)
    }
    self = earliest.map { .instant($0) } ?? .unset("is an empty list")
  }
}
