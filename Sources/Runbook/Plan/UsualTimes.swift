/// How long a runbook's steps took in its earlier runs: the median of those that succeeded.
public struct UsualTimes: Sendable, Equatable {
  /// By the step's path; all iterations of a loop count for the step in it, whose path has a `*`: `wave[*].one`.
  public private(set) var steps: [String: Duration] = [:]
  /// Of the whole run.
  public private(set) var run: Duration?
  /// How many runs were looked at.
  public let count: Int
  /// So many runs are looked at, the newest.
  public static let limit = 5

  /// - Parameter reports: of ended runs of the runbook; those that did not succeed, or were simulated, do not count.
  public init(_ reports: [RunReport]) {
    let good = reports.filter { $0.outcome == .succeeded && !$0.isSimulated }.prefix(UsualTimes.limit)
    count = good.count
    var times: [String: [Duration]] = [:]
    for report in good {
      for step in report.steps where step.status == .succeeded {
        if let took = step.elapsed { times[step.template, default: []].append(took) }
      }
    }
    steps = times.compactMapValues { UsualTimes.median($0) }
    run = UsualTimes.median(good.compactMap { $0.elapsed })
  }

  private static func median(_ times: [Duration]) -> Duration? {
    let sorted = times.sorted()
    return sorted.isEmpty ? nil : sorted[sorted.count / 2]
  }

  /// For the end of a plan; nil if there was no such run.
  var words: String? {
    run.map { "Earlier runs took \($0.elapsedText) (the median of \(count))." }
  }
}
