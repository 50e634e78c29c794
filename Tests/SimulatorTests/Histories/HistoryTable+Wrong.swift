import Simulator

extension HistoryRow {
  /// Runs in the middle of what they asked of a cloud.
  static let clouds: [HistoryRow] = [
    HistoryRow(
      "cloud-killed-in-a-stop",
      asks: "reconcile stop", ends: "exit 0, rollback not_needed",
      does: [
        "POST /servers/12345/power/", "POST /snapshots/", "9m later: POST /servers/12345/power/", "sh echo updated",
      ]),
    HistoryRow(
      "cloud-killed-while-waiting-for-the-stop", in: .init(note: "it was applied", asked: [.stop]),
      asks: "watch stop", ends: "exit 0, rollback not_needed",
      does: ["POST /snapshots/", "9m later: POST /servers/12345/power/", "sh echo updated"]),
    HistoryRow(
      "cloud-killed-while-waiting-for-the-stop", in: .init(note: "it was never applied"),
      asks: "watch stop", ends: "exit 3, rollback succeeded",
      does: ["14m later: POST /servers/12345/power/"]),
    HistoryRow(
      "cloud-killed-while-waiting-for-a-snapshot", in: .init(note: "it was applied", asked: [.stop, .snapshot]),
      asks: "watch snapshot", ends: "exit 0, rollback not_needed",
      does: ["9m later: POST /servers/12345/power/", "sh echo updated"]),
    HistoryRow(
      "cloud-killed-while-waiting-for-a-snapshot", in: .init(note: "it is gone"),
      asks: "watch snapshot", ends: "exit 3, rollback succeeded",
      does: ["1m later: POST /servers/12345/power/"]),
    HistoryRow(
      "cloud-a-lost-snapshot", in: .init(note: "it was applied", asked: [.stop, .snapshot]),
      asks: "watch snapshot", ends: "exit 0, rollback not_needed",
      does: ["9m later: POST /servers/12345/power/", "sh echo updated"]),
    HistoryRow(
      "cloud-killed-while-restoring", in: .init(note: "it was applied", asked: [.stop, .snapshot, .start, .restore]),
      asks: "watch update.undo[0]", ends: "exit 3, rollback succeeded",
      does: ["8m later: POST /servers/12345/power/"]),
    HistoryRow(
      "cloud-left-while-restoring", in: .init(note: "it was applied", asked: [.stop, .snapshot, .start, .restore]),
      asks: "watch update.undo[0]", ends: "exit 3, rollback succeeded",
      does: ["8m later: POST /servers/12345/power/"]),
  ]

  /// Runs about which the release that wrote them decided wrongly.
  static let wrong: [HistoryRow] = [
    // Expected to change: the cancel is carried out: `change` is undone, exit 5.
    HistoryRow(
      "parked-and-cancelled",
      asks: "park publish", ends: "parked publish, holds rack-2"),
    // Expected to change: as above; the cancel stands in the journal already.
    HistoryRow(
      "parked-and-cancelled-and-resumed",
      asks: "park publish", ends: "parked publish, holds rack-2"),
    // Expected to change: exit 5, rollback pending.
    HistoryRow(
      "parked-and-cancelled-without-rollback",
      asks: "park publish", ends: "parked publish, holds rack-2"),
    // Expected to change: the second answer was given to the first question, so it is parked again and nothing is
    // sent.
    HistoryRow(
      "parked-and-asked-to-be-repeated-twice",
      asks: "park publish", ends: "exit 0, rollback not_needed",
      does: ["POST /codes/503,503,503,200", "sh echo after", "sh echo last"]),
    // Expected to change: effects join, so DELETE, exit 3.
    HistoryRow(
      "put-applied-then-refused-killed-in-on-failure",
      asks: "call on_failure[0], then reconcile on_failure[0]", ends: "exit 1, rollback not_needed"),
    HistoryRow(
      "put-applied-then-limited-killed-in-the-pause",
      asks: "retry put", ends: "exit 0, rollback not_needed",
      does: ["PUT /codes/502,429"]),
    // Expected to change: effects join, so DELETE, exit 3.
    HistoryRow(
      "put-applied-then-limited-killed-in-the-pause",
      in: .init(note: "refused now", web: [.init(matching: "PUT", status: 409)]),
      asks: "retry put", ends: "exit 1, rollback not_needed",
      does: ["PUT /codes/502,429"]),
    // Expected to change: effects join, so DELETE, rollback succeeded.
    HistoryRow(
      "put-applied-then-limited-and-cancelled-unread",
      asks: "retry put", ends: "exit 5, rollback not_needed"),
    // The undo stands in the journal as done: it stays so.
    HistoryRow(
      "undone-while-its-script-ran",
      asks: "call always[0], then reconcile always[0]", ends: "exit 3, rollback succeeded"),
    // May change: exit 4 and the lock kept, because an undo that is unknown is not done; `rollback.ended` stands
    // there.
    HistoryRow(
      "unknown-undo-taken-for-done",
      asks: "call always[0], then reconcile always[0]", ends: "exit 3, rollback succeeded"),
    // May change: the newer entry is closed as undone in the journal, though its undo is unknown.
    HistoryRow(
      "unknown-undo-before-an-older-one",
      asks: "call older.undo[0], then reconcile older.undo[0]", ends: "exit 3, rollback succeeded"),
    // Expected to change: exit 1, because an unknown step of `always` is no success.
    HistoryRow(
      "unknown-always-step-taken-for-good",
      asks: "call always[1], then reconcile always[1]", ends: "exit 0, rollback not_needed"),
    // Expected to change: it is begun again in a folder of its own.
    HistoryRow(
      "lost-undo-script", in: .init(begun: .lost),
      asks: "reconcile change.undo[0]", ends: "never ends, holds rack-12"),
  ]
}
