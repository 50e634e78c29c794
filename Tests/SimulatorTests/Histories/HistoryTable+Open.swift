import Simulator

extension HistoryRow {
  /// Runs that wait for a person, or whose answer nobody has read yet.
  static let parked: [HistoryRow] = [
    HistoryRow(
      "parked",
      asks: "park publish", ends: "parked publish, holds rack-2"),
    HistoryRow(
      "parked-ssh",
      asks: "park remote", ends: "parked remote"),
    HistoryRow(
      "killed-in-a-post-and-resumed",
      asks: "park send", ends: "parked send"),
    HistoryRow(
      "parked-answered-applied-unread",
      asks: "park publish", ends: "exit 0, rollback not_needed",
      does: ["sh echo after", "sh echo last"]),
    HistoryRow(
      "parked-answered-not-applied-unread",
      asks: "park publish", ends: "exit 3, rollback succeeded",
      does: ["sh echo undone", "sh echo last"]),
    HistoryRow(
      "parked-answered-fail-unread",
      asks: "park publish", ends: "exit 3, rollback succeeded",
      does: ["sh echo undone", "sh echo last"]),
    HistoryRow(
      "parked-answered-retry-unread",
      asks: "park publish", ends: "exit 0, rollback not_needed",
      does: ["POST /codes/503,503,503,200", "sh echo after", "sh echo last"]),
    HistoryRow(
      "parked-answered-retry-unread",
      in: .init(note: "no answer again", web: [.init(matching: "/codes/", status: 503)]),
      asks: "park publish", ends: "parked publish, holds rack-2",
      does: ["POST /codes/503,503,503,200"]),
    HistoryRow(
      "parked-answered-retry",
      asks: "park publish", ends: "parked publish, holds rack-2"),
  ]

  /// Runs that were left at a durable point (exit 9).
  static let left: [HistoryRow] = [
    HistoryRow(
      "left-in-a-script",
      asks: "call long, then reconcile long", ends: "exit 0, rollback not_needed",
      does: ["sh echo last", "sh echo always"]),
    HistoryRow(
      "left-in-a-wait",
      asks: "watch ready", ends: "exit 0, rollback not_needed",
      does: ["GET /ready/12", "sh echo last"]),
    HistoryRow(
      "left-in-a-retry-pause",
      asks: "retry put", ends: "exit 0, rollback not_needed",
      does: ["PUT /codes/429,200", "sh echo last"]),
    HistoryRow(
      "left-in-an-undo",
      asks: "call change.undo[0], then reconcile change.undo[0]", ends: "exit 3, rollback succeeded",
      does: ["sh echo second", "sh echo undo older", "sh echo always"]),
  ]

  /// Runs whose rollback stopped or is owed.
  static let rollbacks: [HistoryRow] = [
    HistoryRow(
      "rollback-failed",
      asks: "done 4", ends: "rollback resume: exit 3, rollback succeeded",
      does: ["sh test -e /srv/runbooks/rollback-failed.mended", "sh echo second", "sh echo undo older"]),
    HistoryRow(
      "rollback-failed", in: .init(note: "it fails again", scripts: [.init(matching: "mended", exitCode: 1)]),
      asks: "done 4", ends: "rollback resume: exit 4, rollback failed, holds rack-7",
      does: ["sh test -e /srv/runbooks/rollback-failed.mended"]),
    HistoryRow(
      "rollback-resumed-and-failed-again",
      asks: "done 4", ends: "rollback resume: exit 3, rollback succeeded",
      does: ["sh test -e /srv/runbooks/rollback-failed.mended", "sh echo second", "sh echo undo older"]),
    HistoryRow(
      "rollback-blocked",
      asks: "done 4", ends: "rollback resume: exit 4, rollback blocked, holds rack-8"),
    HistoryRow(
      "cancelled-without-rollback",
      asks: "done 5", ends: "rollback resume: exit 5, rollback succeeded",
      does: ["sh echo undone"]),
    HistoryRow(
      "rollback-entry-skipped",
      asks: "done 4",
      ends: .init(
        was: "rollback resume: exit 3, rollback succeeded", now: "rollback resume: exit 4, rollback failed",
        because: "the other undo step of the entry is still owed, and what a person left out ends 4"),
      does: ["sh echo second", "sh sleep 1; echo undo older"]),
    HistoryRow(
      "last-rollback-entry-skipped",
      asks: "done 4",
      ends: .init(
        was: "-", now: "rollback resume: exit 4, rollback failed",
        because: "the other undo step of the entry is still owed, and a way leads to the end"),
      does: ["sh echo second"]),
    HistoryRow(
      "rollback-abandoned",
      asks: "done 4", ends: "-"),
    HistoryRow(
      "pending-rollback-killed-in-the-undo",
      asks: "call change.undo[0], then reconcile change.undo[0]", ends: "exit 5, rollback succeeded"),
    HistoryRow(
      "rollback-resumed-and-killed",
      asks: "call change.undo[0], then reconcile change.undo[0]", ends: "exit 3, rollback succeeded"),
    HistoryRow(
      "rollback-skipped-and-killed-in-the-next-undo",
      asks: "call older.undo[0], then reconcile older.undo[0]",
      ends: .init(
        was: "exit 3, rollback succeeded", now: "exit 4, rollback failed",
        because: "the other undo step of the entry is still owed, and what a person left out ends 4"),
      does: ["sh echo second"]),
  ]
}
