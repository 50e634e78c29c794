import Operations
import Runbook

/// Why the store said no, in words an operator can act on.
extension Refusal {
  init(_ failure: StoreFailure, run: String? = nil) {
    switch failure {
    case .notFound(let what):
      self.init(
        .usage, .notFound, "there is no run `\(DisplayText.escaped(what, limit: 80))` in this store",
        hint: "`\(Advice.line("list"))` shows the runs; `--store` names another store")
    case .owned(let lease), .fenced(by: let lease?):
      self.init(owner: lease)
    case .fenced(by: nil):
      self.init(
        .refused, .owned, "another process has taken the run over",
        hint: run.map { "`\(Advice.line("logs", $0, "--follow"))` watches it" })
    case .keyTaken(let other):
      self.init(
        .usage, .keyTaken, "this key belongs to run \(other.id), which has another file or other inputs",
        hint: "give a new --key, or the same file and inputs")
    case .lockHeld(let lock, let holder):
      self.init(
        .refused, .locked, "`\(DisplayText.escaped(lock, limit: 200))` is held by \(holder)",
        hint: "`\(Advice.line("show", holder))` says what it does; `--lock-wait 10m` waits for it")
    case .diskFull(let path):
      self.init(
        .stopped, .diskFull, "no space is left on the disk of the store: `\(path)`",
        hint: "make room; nothing of this command was written")
    case .readOnly(let path):
      self.init(
        .usage, .readOnly, "the store `\(path)` is read-only",
        hint: "check its permissions, or name another with --store")
    case .tooNew(let found, let known):
      self.init(
        .usage, .storeNewer, "the store was made by a newer release (version \(found); this one knows \(known))",
        hint: "use that release; nothing was touched")
    case .damaged(let what):
      self.init(.usage, .storeDamaged, what, hint: "put a backup of the store back; nothing was touched")
    case .unusable(let what):
      self.init(.usage, .store, what, hint: "`--store PATH` or RUNBOOK_STORE names another store")
    case .writeFailed(let what):
      self.init(
        .stopped, .storeWrite, what,
        hint: run.map { "`\(Advice.line("resume", $0))` goes on when the disk works again" })
    }
  }

  /// Somebody else works on the run.
  /// - Parameter canCancel: a cancel would be carried out.
  init(owner lease: Lease, canCancel: Bool = false) {
    let host = DisplayText.escaped(lease.owner.host, limit: 80)
    let age = LeaseTerm.age(of: lease, clock: SystemClock()).elapsedText
    self.init(
      .refused, .owned,
      "run \(lease.runID) belongs to process \(lease.owner.pid) on \(host), which was last active \(age) ago",
      hint: "`\(Advice.line("logs", lease.runID, "--follow"))` watches it"
        + (canCancel ? "; `\(Advice.line("cancel", lease.runID))` stops it" : ""))
  }
}
