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
    HistoryRow(
      "parked-and-cancelled",
      asks: "park publish",
      ends: .init(
        was: "parked publish, holds rack-2", now: "exit 5, rollback succeeded",
        because: "a cancel that was accepted is carried out"),
      does: ["sh echo undone", "sh echo last"]),
    HistoryRow(
      "parked-and-cancelled-and-resumed",
      asks: "park publish",
      ends: .init(
        was: "parked publish, holds rack-2", now: "exit 5, rollback succeeded",
        because: "a cancel that was accepted is carried out"),
      does: ["sh echo undone", "sh echo last"]),
    HistoryRow(
      "parked-and-cancelled-without-rollback",
      asks: "park publish",
      ends: .init(
        was: "parked publish, holds rack-2", now: "exit 5, rollback pending, holds rack-2",
        because: "a cancel that was accepted is carried out; what is owed keeps its lock"),
      does: ["sh echo last"]),
    HistoryRow(
      "parked-and-asked-to-be-repeated-twice",
      asks: "park publish",
      ends: .init(
        was: "exit 0, rollback not_needed", now: "parked publish, holds rack-2",
        because: "the second answer was given to the first question"),
      does: []),
    HistoryRow(
      "put-applied-then-refused-killed-in-on-failure",
      asks: "call on_failure[0], then reconcile on_failure[0]",
      ends: .init(
        was: "exit 1, rollback not_needed", now: "exit 3, rollback succeeded",
        because: "an earlier request may have been applied: effects join"),
      does: ["1m later: DELETE /item"]),
    HistoryRow(
      "put-applied-then-limited-killed-in-the-pause",
      asks: "retry put", ends: "exit 0, rollback not_needed",
      does: ["PUT /codes/502,429"]),
    HistoryRow(
      "put-applied-then-limited-killed-in-the-pause",
      in: .init(note: "refused now", web: [.init(matching: "PUT", status: 409)]),
      asks: "retry put",
      ends: .init(
        was: "exit 1, rollback not_needed", now: "exit 3, rollback succeeded",
        because: "an earlier request may have been applied: effects join"),
      does: ["PUT /codes/502,429", "DELETE /item"]),
    HistoryRow(
      "put-applied-then-limited-and-cancelled-unread",
      asks: "retry put",
      ends: .init(
        was: "exit 5, rollback not_needed", now: "exit 5, rollback succeeded",
        because: "an earlier request may have been applied: effects join"),
      does: ["1m later: DELETE /item"]),
    // The undo stands in the journal as done: it stays so.
    HistoryRow(
      "undone-while-its-script-ran",
      asks: "call always[0], then reconcile always[0]", ends: "exit 3, rollback succeeded"),
    HistoryRow(
      "unknown-undo-taken-for-done",
      asks: "call always[0], then reconcile always[0]", ends: "exit 3, rollback succeeded"),
    HistoryRow(
      "unknown-undo-before-an-older-one",
      asks: "call older.undo[0], then reconcile older.undo[0]", ends: "exit 3, rollback succeeded"),
    HistoryRow(
      "unknown-always-step-taken-for-good",
      asks: "call always[1], then reconcile always[1]",
      ends: .init(
        was: "exit 0, rollback not_needed", now: "exit 1, rollback not_needed",
        because: "a step of `always` of unknown outcome is no success")),
    HistoryRow(
      "lost-undo-script", in: .init(begun: .lost),
      asks: "reconcile change.undo[0]",
      ends: .init(
        was: "never ends, holds rack-12", now: "exit 3, rollback succeeded",
        because: "a clean-up script without an exit code is begun again in a folder of its own"),
      does: ["sh sleep 2", "sh echo second", "sh echo always"]),
  ]
}
