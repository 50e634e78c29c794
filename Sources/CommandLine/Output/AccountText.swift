import Runbook

/// What a check of an account found, for people and for programs.
enum AccountText {
  /// A difference of clocks that no `Date` header is to blame for.
  private static let noteworthySkew = Duration.seconds(5)

  static func lines(_ report: AccountReport) -> [String] {
    var lines: [String] = []
    lines.append(report.identity.map { "account   \($0)" } ?? "account   unknown")
    if !report.rights.isEmpty { lines.append("may       \(report.rights.joined(separator: ", "))") }
    if let skew = report.clockSkew {
      let isLarge = skew > noteworthySkew || skew < .zero - noteworthySkew
      let words = skew < .zero ? "behind ours by \((.zero - skew).text)" : "ahead of ours by \(skew.text)"
      lines.append(
        "clock     " + (isLarge ? "its clock is \(words): check the time of this machine" : "agrees with ours"))
    }
    for quota in report.quotas {
      lines.append("quota     \(quota.name): \(quota.used)" + (quota.limit.map { " of \($0)" } ?? ", no known limit"))
    }
    lines += report.notes.map { "note      \($0)" }
    lines += report.problems.map { "problem   \($0)" }
    if report.problems.isEmpty { lines.append("all well: nothing was changed") }
    return lines
  }

  static func json(_ report: AccountReport, of name: String) -> Value {
    [
      "v": 1, "provider": .string(name), "identity": report.identity.map { .string($0) } ?? .null,
      "rights": .list(report.rights.map { .string($0) }),
      "clock_skew": report.clockSkew.map { .duration($0) } ?? .null,
      "quotas": .list(
        report.quotas.map { quota in
          ["name": .string(quota.name), "used": .int(quota.used), "limit": quota.limit.map { .int($0) } ?? .null]
        }), "notes": .list(report.notes.map { .string($0) }), "problems": .list(report.problems.map { .string($0) }),
    ]
  }
}
