import Simulator

extension HistoryRow {
  /// Runs whose process was killed at a step, an undo step or a step of `always`.
  static let killed: [HistoryRow] = [
    HistoryRow(
      "killed-in-a-script",
      asks: "call long, then reconcile long", ends: "exit 0, rollback not_needed",
      does: ["sh echo last", "sh echo always"]),
    HistoryRow(
      "killed-in-a-script",
      in: .init(note: "it failed", scripts: [.init(matching: DeedLog.ofLastOwner, exitCode: 9, duration: .seconds(1))]),
      asks: "call long, then reconcile long", ends: "exit 3, rollback succeeded",
      does: ["sh echo undo long", "sh echo undone", "sh echo always"]),
    HistoryRow(
      "killed-in-a-script", in: .init(note: "its exit code is lost", begun: .lost),
      asks: "call long, then reconcile long", ends: "exit 3, rollback succeeded",
      does: ["sh echo undo long", "sh echo undone", "sh echo always"]),
    HistoryRow(
      "killed-in-a-script", in: .init(note: "its folder is gone", begun: .absent),
      asks: "call long, then reconcile long", ends: "exit 0, rollback not_needed",
      does: ["sh sleep 4; echo \"$W\"", "sh echo last", "sh echo always"]),
    HistoryRow(
      "killed-in-a-script-without-undo",
      asks: "call long, then reconcile long", ends: "exit 0, rollback not_needed",
      does: ["sh echo last", "sh echo always"]),
    HistoryRow(
      "killed-in-a-script-without-undo", in: .init(note: "its exit code is lost", begun: .lost),
      asks: "call long, then reconcile long", ends: "parked long"),
    HistoryRow(
      "killed-in-a-script-with-a-secret",
      asks: "call work, then reconcile work", ends: "exit 0, rollback not_needed",
      does: ["sh sleep 3"]),
    HistoryRow(
      "killed-in-a-script-with-a-secret", in: .init(note: "the secret has changed", token: "vps_another-token"),
      asks: "call work, then reconcile work",
      ends: .init(
        was: "exit 3, rollback succeeded", now: "exit 0, rollback not_needed",
        because: "how a script ended is read without its secret"),
      does: ["sh sleep 3"]),
    HistoryRow(
      "killed-in-a-get",
      asks: "call send, then reconcile send", ends: "exit 0, rollback not_needed",
      does: ["GET /slow/4", "sh echo last"]),
    HistoryRow(
      "killed-in-a-post",
      asks: "call send, then reconcile send", ends: "parked send"),
    HistoryRow(
      "killed-in-a-post-with-undo",
      asks: "call send, then reconcile send", ends: "exit 3, rollback succeeded",
      does: ["1m later: DELETE /item", "sh echo undone"]),
    HistoryRow(
      "killed-in-an-idempotent-post",
      asks: "call send, then reconcile send", ends: "exit 0, rollback not_needed",
      does: ["POST /slow/4", "sh echo last"]),
    HistoryRow(
      "killed-in-a-put",
      asks: "call send, then reconcile send", ends: "exit 0, rollback not_needed",
      does: ["PUT /slow/4", "sh echo last"]),
    HistoryRow(
      "killed-in-a-put", in: .init(note: "a conflict is answered now", web: [.init(matching: "PUT", status: 409)]),
      asks: "call send, then reconcile send", ends: "exit 3, rollback succeeded",
      does: ["PUT /slow/4", "1m later: DELETE /item", "sh echo undone"]),
    HistoryRow(
      "killed-in-a-wait",
      asks: "watch ready", ends: "exit 0, rollback not_needed",
      does: ["GET /ready/12", "sh echo last"]),
    HistoryRow(
      "killed-in-a-retry-pause",
      asks: "retry put", ends: "exit 0, rollback not_needed",
      does: ["PUT /codes/429,200", "sh echo last"]),
    HistoryRow(
      "killed-in-a-sleep",
      asks: "call pause, then reconcile pause", ends: "exit 0, rollback not_needed",
      does: ["sh echo last"]),
    HistoryRow(
      "killed-in-a-repeated-run",
      asks: "call long, then reconcile long", ends: "exit 0, rollback not_needed",
      does: ["sh echo last", "sh echo always"]),
    HistoryRow(
      "killed-twice",
      asks: "reconcile long", ends: "exit 0, rollback not_needed",
      does: ["sh echo last", "sh echo always"]),
    HistoryRow(
      "killed-and-cancelled",
      asks: "call long, then reconcile long", ends: "exit 5, rollback succeeded",
      does: ["stop the script", "sh echo undo long", "sh echo undone", "sh echo always"]),
    HistoryRow(
      "killed-in-an-ssh-script",
      asks: "call remote, then reconcile remote", ends: "exit 3, rollback succeeded",
      does: ["59m later: sh echo undone"]),
    HistoryRow(
      "a-lost-ssh-script-is-undone",
      asks: "call always[0], then reconcile always[0]", ends: "exit 3, rollback succeeded"),
    HistoryRow(
      "killed-in-an-on-failure-script",
      asks: "call on_failure[0], then reconcile on_failure[0]", ends: "exit 3, rollback succeeded",
      does: ["sh echo looked", "sh echo undone"]),
    HistoryRow(
      "killed-in-an-always-script",
      asks: "call always[0], then reconcile always[0]", ends: "exit 0, rollback not_needed",
      does: ["sh echo last"]),
    HistoryRow(
      "killed-in-an-always-script", in: .init(note: "its exit code is lost", begun: .lost),
      asks: "call always[0], then reconcile always[0]",
      ends: .init(
        was: "never ends", now: "exit 0, rollback not_needed",
        because: "a clean-up script without an exit code is begun again in a folder of its own"),
      does: ["sh sleep 3", "sh echo last"]),
    HistoryRow(
      "killed-in-an-undo-script",
      asks: "call change.undo[0], then reconcile change.undo[0]", ends: "exit 3, rollback succeeded",
      does: ["sh echo second", "sh echo undo older", "sh echo always"]),
    HistoryRow(
      "killed-in-an-undo-script", in: .init(note: "its exit code is lost", begun: .lost),
      asks: "call change.undo[0], then reconcile change.undo[0]",
      ends: .init(
        was: "never ends, holds rack-3", now: "exit 3, rollback succeeded",
        because: "a clean-up script without an exit code is begun again in a folder of its own"),
      does: ["sh sleep 3; echo undone", "sh echo second", "sh echo undo older", "sh echo always"]),
    HistoryRow(
      "killed-in-an-undo-script", in: .init(note: "its folder is gone", begun: .absent),
      asks: "call change.undo[0], then reconcile change.undo[0]", ends: "exit 3, rollback succeeded",
      does: ["sh sleep 3; echo undone", "sh echo second", "sh echo undo older", "sh echo always"]),
    HistoryRow(
      "killed-in-an-undo-request",
      asks: "call change.undo[0], then reconcile change.undo[0]", ends: "exit 3, rollback succeeded",
      does: ["POST /slow/3"]),
    HistoryRow(
      "killed-in-an-undo-request", in: .init(note: "it is refused", web: [.init(matching: "POST", status: 400)]),
      asks: "call change.undo[0], then reconcile change.undo[0]", ends: "exit 4, rollback failed",
      does: ["POST /slow/3"]),
    HistoryRow(
      "killed-in-an-undo-retry-pause",
      asks: "reconcile change.undo[0]", ends: "exit 3, rollback succeeded",
      does: ["PUT /codes/503"]),
    HistoryRow(
      "lost-post-with-undo",
      asks: "settle publish", ends: "exit 3, rollback succeeded",
      does: ["DELETE /item"]),
  ]
}
