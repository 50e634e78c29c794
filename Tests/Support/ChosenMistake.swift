import Glibc

/// For processes that a test starts with an environment of their own.
public enum ChosenMistake {
  /// The mistake that `make planted` has told this process to make, if any: `RUNBOOK_MISTAKE`.
  public static let environment: [String: String] = {
    guard let name = unsafe getenv("RUNBOOK_MISTAKE") else { return [:] }
    return unsafe ["RUNBOOK_MISTAKE": String(cString: name)]
  }()
}
