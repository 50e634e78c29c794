import Glibc

/// How far tests go that could go on for ever: kill points, seeds, storms.
public enum Campaign {
  /// `make torture`: everything. Otherwise what fits into a check of every change.
  public static let isLong = unsafe getenv("RUNBOOK_TORTURE") != nil

  /// `short` in every check, `long` in a torture.
  public static func count(_ short: Int, torture long: Int) -> Int { isLong ? long : short }
}
