import Runbook

extension ZomroProvider {
  /// What its documents say and leave open. `docs/providers/zomro.md` is made from it.
  static let knownFacts = ProviderFacts(
    states: [
      .init("active", "running"), .init("stopped", "stopped"),
      .init("rescued, booted_from_iso", "rescue: nothing but leaving it is possible"),
      .init("resized", "unknown: waits for a person to confirm the new size"),
      .init("suspended", "suspended: waits end at once"), .init("error", "error: waits end at once"),
      .init("any other word (stopping, image_uploading, …)", "changing, shown with its word"),
      .init("backup or snapshot Saving, Queued", "creating"), .init("Active", "ready"),
      .init("Killed, Suspended, Deactivated, Error", "failed: waits end at once"),
      .init("Pending_delete", "deleting"), .init("any other word of an image", "creating, shown with its word"),
    ],
    limits: [
      "Five manual backups and five snapshots a server and day. It is not documented whether the API enforces this "
        + "limit "
        + "of the panel; the counters are read before the first change, and a refusal becomes `limit` if they are "
        + "full.",
      "A hundred backups a server. Scheduled ones overwrite the oldest (1 to 10 are kept).",
      "Names have at most 100 characters. Two backups may have the same name, so the run looks before it creates.",
      "The API gives only the date of a creation: `created_at` is the earliest possible instant, `created_at_error` "
        + "how "
        + "much later it may have been: 24 h with `time_zone`, 50 h without.",
      "A session ends an hour after its last request.",
      "No durations are published. Waits allow 15 minutes for power, 30 for rescue, two hours for "
        + "backups and restores.",
    ],
    hazards: [
      "**A restore is a rebuild: the whole disk is overwritten and cannot be brought back.** It is refused in rescue; "
        + "the action leaves rescue first, and says so.",
      "**There is no `backup.restore_as`:** a backup can only be written over a server (`backup.restore`), not beside "
        + "it.",
      "**Leaving rescue always starts the server**, even one that was stopped before it.",
      "**A restore leaves no trace once it is over.** One whose reply was lost is found while it goes on "
        + "(`rebuilding`); if the engine looks too late, a person is asked, because a second restore "
        + "would wipe newer data.",
      "**Filters set in the panel change the lists of the API.** They are cleared before a list is trusted, for "
        + "everybody on the account.",
      "**A stopped server is shown as suspended by the billing.** The power state is read from "
        + "`instance_status` alone.",
      "While a backup is taken the server is `image_uploading` and takes no other change.",
      "The image must fit the server's disk (`min_disk`).",
      "Without a `password` the rescue system can hardly be entered; Windows images ignore it.",
      "Ten failed log-ins or so block this machine's address for a while (HTTP 403 or 460): a log-in is never repeated "
        + "by itself.",
      "Deleting a server, ordering one, resizing and importing images cost money or destroy data, and no rollback can "
        + "undo that: only `zomro.call` can do it.",
    ],
    undocumented: [
      ("replies of success to a change", "HTTP 200, JSON, `doc` without `error`"),
      (
        "how a refusal for the server's state looks",
        "an error of any type: the state is read and added to the message; at rest the request had no effect"
      ),
      ("all error types but those listed for BILLmanager", "permanent; the engine looks for an effect"),
      (
        "HTTP statuses other than 200, 403 and 460",
        "the usual meaning: after 5xx the engine looks for an effect; other 4xx had none"
      ),
      ("ids of new backups and snapshots", "the list is read and searched for the name"),
      (
        "scope of stored filters (user or session)",
        "the user's: cleared before a list must be whole, and if the wanted entry is missing"
      ),
      ("fields that a filter has", "`id` and `name`; one that is stored without the others has none of them"),
      ("zones of dates", "unknown unless `time_zone` is given"),
      ("zone of a schedule's time", "sent as it is written; the panel calls it GMT+3"),
      ("unit of `image_size`", "GB"),
      ("rate limits", "none; 429 waits for `Retry-After`"),
      ("TLS versions and certificates", "those that the system trusts; `ca_file` adds one"),
      ("captcha at log-in", "the API does not ask for one"),
      ("how long a slow call's link may take", "ten minutes"),
      ("whether the rebuild of a backup with a protected image is refused", "no"),
      (
        "whether a repeated stop or start is refused",
        "yes: it is sent all the same, as an earlier request may take effect later; the refusal by a server that is "
          + "in that state already is success"
      ),
    ])
}
