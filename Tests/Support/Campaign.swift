import Glibc

/// How far tests go that could go on for ever: kill points, seeds, storms.
public enum Campaign {
  /// `make torture`: everything. Otherwise what fits into a check of every change.
  public static let isLong = unsafe getenv("RUNBOOK_TORTURE") != nil

  /// `short` in every check, `long` in a torture.
  public static func count(_ short: Int, torture long: Int) -> Int { isLong ? long : short }

  /// Which of `numbers` are tried: every `step`th in a check, from a place that moves with the day; in a torture all or
  /// every `long`th.
  public static func part(
    of numbers: ClosedRange<Int>, every step: Int, torture long: Int = 1
  ) -> StrideThrough<Int> {
    let step = min(count(step, torture: long), max(1, numbers.count / 2))
    return stride(from: numbers.lowerBound + offset(below: step), through: numbers.upperBound, by: step)
  }

  /// Where a part of a long table begins in a check: another place each day, and where `RUNBOOK_SEED` says. It is
  /// printed by the test that fails, in the point it names.
  public static func offset(below count: Int) -> Int {
    guard count > 1 else { return 0 }
    let seed = unsafe getenv("RUNBOOK_SEED").flatMap { unsafe Int(String(cString: $0)) } ?? time(nil) / 86_400
    return abs(seed % count)
  }
}
