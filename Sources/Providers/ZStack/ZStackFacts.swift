import Runbook

extension ZStackProvider {
  /// What its documents and its code say and leave open. `docs/providers/zstack.md` is made from it.
  static let knownFacts = ProviderFacts(
    states: [
      .init("Running", "running"), .init("Stopped, Created", "stopped"), .init("Paused", "paused"),
      .init("Crashed, Error", "error: waits end at once"),
      .init("Unknown, NoState", "unknown: the link to its host is lost; may come back by itself"),
      .init("Destroyed, Expunging", "absent: deleted, `zstack.recover` brings a `Destroyed` one back"),
      .init(
        "Starting, Stopping, Rebooting, Pausing, Resuming, Migrating, VolumeMigrating, VolumeRecovering, Destroying",
        "changing"), .init("any other word", "changing, shown with its word"),
      .init("snapshot or backup Creating, or any other word", "creating"),
      .init("Ready; a backup without `status` that is Enabled", "ready"),
      .init("Deleting", "deleting"), .init("Error, Failed; state Disabled", "failed: cannot be restored"),
      .init("a group with a deleted snapshot (`Deleted`)", "failed: cannot be restored"),
    ],
    limits: [
      "A job is kept for 3 hours from its beginning. So long the same request is carried out once, however often it is "
        + "sent; later the engine reads the state.",
      "A session lives for 2 hours from its log-in and is prolonged ten minutes before its end. All runs of a process "
        + "share one; it is not closed at the end but ends by itself. ZStack allows 500 at once.",
      "200 snapshots an account by default (`snapshot.volume.num`); the refusal is a `limit`.",
      "ZStack gives up on most jobs after 30 minutes; on a snapshot after 3 hours, on its deletion after 6, on a "
        + "revert after 24, on a restore from a backup after 72, on a new server after 12. Waits allow as much.",
      "Names have at most 255 characters, descriptions 2048, of which the mark of the run takes about 60.",
      "`time_zone` is a fixed offset. Where summer time is kept, times are an hour off for half of the year.",
    ],
    hazards: [
      "**A server that is stopped cannot be backed up.** `backup.create` needs it running or paused; `snapshot.create` "
        + "works in any state.",
      "**A snapshot or backup can be restored only on a stopped server.** The action stops it first, and after five "
        + "minutes cuts its power; afterwards the power is brought to the state of `power:`.",
      "**ZStack reports success for a restore of which single volumes failed.** Each one is checked; a part that "
        + "failed is a failure that names the volumes, and the server is left stopped.",
      "**A group of which one snapshot was deleted cannot be restored**, nor one whose volume was detached.",
      "**The API speaks plain HTTP.** A session, and a digest as good as the password, can be read on the network: "
        + "put a "
        + "proxy with TLS in front, or say `plain_http: allow` for a network you trust.",
      "**SYS.1001 (timed out) says nothing about the effect.** The engine reads the object until it shows one, or "
        + "has been at "
        + "rest without it for a while.",
      "**A job that runs for ever** belongs to a management node that died. The engine reads the "
        + "power state; other changes end in a timeout.",
      "High availability may start a server again that was stopped: a stop is sent with `stopHA`.",
      "`rescue.exit` takes every ISO image out of the drives, also those that were there before `rescue.enter`.",
      "`backup.prune` cannot tell backups of a schedule from others: `prefix` is required.",
    ],
    undocumented: [
      ("what a `grace` stop does when the guest ignores ACPI", "it goes on waiting; `clean_then_hard` cuts the power"),
      ("whether `stopHA` lasts until the next start", "yes: the name says so"),
      ("values of `status` of a backup", "those of snapshots; a backup without one is ready if it is Enabled"),
      ("which of the created backups `resourceUuid` names", "any: all of a group are searched for it"),
      ("what `deleteMode` may be", "`Permissive`, which checks first, or `Enforcing`, which hides errors"),
      ("whether tags in the body of a deletion are heeded", "they are sent as documented, where they are given"),
      ("whether a snapshot group heeds `resourceUuid`", "it is sent; name and mark find it if not"),
      ("`groupUuid` of the entries of a new backup", "the first entry with one gives the backup's id"),
      ("where a description ends up in a group or a backup", "in each entry; without a mark only the name decides"),
      ("the state shown while a backup is restored", "`VolumeRecovering` or `Stopped`; its job shows the end"),
      ("whether a revert changes the paths of volumes", "yes: snapshots are kept that way; no change proves nothing"),
      ("whether `lastOpDate` moves with a reboot", "yes; it is asked only when the job is not known any more"),
      ("what deleting a snapshot does to later ones", "nothing: ZStack keeps their data"),
      ("the zone of all times", "`time_zone` of the block; without it the earliest instant, and an error of 26 hours"),
      ("what a restore as a new server answers", "`inventory`; if not, the id that was sent or the name finds it"),
      ("whether a server starts by itself after a restore", "it stays stopped; `power:` starts it"),
      ("the tag in which a backup holds the id of its call", "not used: name and mark find it"),
      ("HTTPS", "a proxy in front"), ("throttling", "429 is heeded, with `Retry-After`"),
      ("`401`", "there is none; ID.1001 is answered on a read with 503, on a change as the end of its job"),
      ("rescue", "a recipe of an ISO image, the boot order and a restart"),
      ("the type of image stores", "any that contains `ImageStore`"),
      ("the answer of `boot from ISO` calls", "any end of the job without an error"),
    ])
}
