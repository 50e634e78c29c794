import Runbook

extension VPSOrgProvider {
  /// What its documents say and leave open. `docs/providers/vps_org.md` is made from it.
  static let knownFacts = ProviderFacts(
    states: [
      .init("active", "running"), .init("stopped", "stopped"), .init("suspended", "suspended: waits end at once"),
      .init("restoring", "changing"), .init("any other word (starting, quiescing, …)", "changing, shown with its word"),
      .init("snapshot or backup in_progress", "creating"), .init("completed", "ready"),
      .init("failed, error", "failed: waits end at once"),
    ],
    limits: [
      "Five snapshots a server, unfinished and failed ones included. The sixth is refused with 400, whose text is not "
        + "documented: the count is read then, and the failure becomes `limit` with the names of the existing ones. "
        + "Put `snapshot.prune` before.",
      "Ten manual backups a server; automatic ones come on top, are never pruned, and expire.",
      "A snapshot takes 3 to 10 minutes, a restore 5 to 15. Waits allow much more.",
      "Names of snapshots: a letter, then letters, digits, `_` and `-`. The documents do not mention digits, but use "
        + "them.",
    ],
    hazards: [
      "**A restore overwrites everything on the server and cannot be undone.** VPS.org stops the server for it by "
        + "itself.",
      "**Whether it runs after a restore is not documented.** `snapshot.restore` therefore waits until the restore is "
        + "over and then brings the power to the state of `power:`; `same` is how it was when the step began.",
      "**`status: success` in the reply to a restore means accepted.** The state of the server shows the end.",
      "**A restore that is sent twice restores twice**, and data written in between is lost. It is never sent "
        + "again unless its first sending certainly did nothing.",
      "A snapshot of a running server may catch its file systems half-written. The documents advise to stop it first; "
        + "nothing enforces that.",
      "**There is no `backup.restore_as`:** a backup can only be written over a server (`backup.restore`), not beside "
        + "it.",
      "A higher id is not always newer: lists are sorted by `created_at`.",
    ],
    undocumented: [
      ("power requests in d1", "the path of d2"),
      (
        "words while starting, stopping, restarting; words for failures",
        "any unknown word is `changing`; `error`, `failed`"
      ),
      ("power state after a restore", "either (`restore_ends:active`, `restore_ends:stopped`)"),
      (
        "bodies of errors, 403, 409, 429, 5xx",
        "`{\"detail\": …}` or `{\"field\": [...]}`; 409 and 423 are retried, 429 waits for `Retry-After`"
      ),
      ("whether a repeated power request is refused", "start and stop converge"),
      (
        "whether a second snapshot of a name is refused",
        "no: names are not unique there, so the run looks before it creates"
      ),
      (
        "whether unfinished and failed snapshots count towards the five", "yes: the count is read when one is refused"
      ),
      ("how long a snapshot's name may be", "no limit is assumed; a refusal of VPS.org is reported"),
      ("the reply to a restore from a backup", "as that of a snapshot; only its status counts"),
      ("how one server is read in d1", "`GET /servers/{id}/`"),
      (
        "whether `updated_at` moves with a restart or a restore",
        "yes: it shows that a lost request took effect; if it is missing, a person is asked"
      ),
      ("rate limits", "none; `max_requests_per_second` sets a limit"),
      ("idempotency keys, jobs, webhooks", "none: the effect of a lost call is found by name, mark or state"),
      (
        "how a lost backup is found in d2, where it takes no description", "not at all: a person is asked"
      ),
      ("paging", "`next` is followed where it is given, and guarded against loops"),
      ("resizing, rebuilding, rescue", "not offered"),
    ])
}
