import Runbook

// Which run was meant, and what state it is in.
extension Refusal {
  /// Most runs that a refusal names.
  private static let shownLimit = 5

  static func notAnID(_ word: String) -> Refusal {
    Refusal(
      .usage, .notFound, "`\(DisplayText.escaped(word, limit: 80))` is not the id of a run",
      hint: "an id is `r` and 19 letters or digits; `\(Advice.line("list"))` shows them")
  }

  static func severalNeedAPerson(_ runs: [RunSummary]) -> Refusal {
    Refusal(
      .usage, .ambiguous, "`RUN` is missing, and \(runs.count) runs need a person: \(names(runs))",
      hint: "name one of them; `\(Advice.line("list", "--needs-me"))` shows what each needs")
  }

  static func ambiguous(_ word: String, _ runs: [RunSummary]) -> Refusal {
    Refusal(
      .usage, .ambiguous, "`\(word)` begins the ids of \(runs.count) runs: \(names(runs))",
      hint: "write more of the id, or `latest` for the newest run")
  }

  private static func names(_ runs: [RunSummary]) -> String {
    let shown = runs.prefix(shownLimit).map { "\($0.id) (\(DisplayText.escaped($0.name, limit: 32)))" }
    let rest = runs.count - shown.count
    return shown.joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
  }

  static func nothingToCarryOn(_ run: RunSummary, canResumeRollback: Bool) -> Refusal {
    Refusal(
      .usage, .ended, "run \(run.id) has ended: \(RunWords.outcome(run.outcome, rollback: run.rollback))",
      hint: canResumeRollback
        ? "`\(Advice.line("rollback", "resume", run.id))` goes on with its rollback"
        : "`\(Advice.line("rerun", run.id))` starts it anew")
  }

  /// Only a person can say whether a run of a restored store may go on.
  /// - Parameter command: the words of the command which, with `--restored`, is the answer.
  static func restored(_ run: String, _ command: [String]) -> Refusal {
    Refusal(
      .waiting, .restored,
      "run \(run) may have done more than its journal says: its store was put back from an older copy",
      hint: "look at its servers (`\(Advice.line("show", run))`), then say that it may go on: "
        + "`\(Advice.line(command + ["--restored"]))`")
  }
}
