import Operations
import Runbook

// Why a run was not begun. Nothing was done.
extension Refusal {
  static func needsPeople(_ step: String, _ field: String) -> Refusal {
    Refusal(
      .usage, .people,
      "`\(step)` has `\(field)`, and this store knows no people: an answer comes from one user of this machine",
      hint: "take `\(field)` out; everybody but the person who starts the run may then approve it")
  }

  static var superseded: Refusal {
    Refusal(
      .refused, .superseded, "a later run of the same runbook replaces this one",
      hint: "nothing was done; the later run does the work")
  }

  static var queued: Refusal {
    Refusal(
      .refused, .locked, "runs that began to wait earlier still wait for the same lock",
      hint: "give a longer `--lock-wait`")
  }

  /// `held by RUN, interrupted since T: runbook resume RUN`.
  static func locked(_ lock: HeldLock, _ holder: LockHolder) -> Refusal {
    let run = lock.runID
    var refusal = Refusal(StoreFailure.lockHeld(lock: lock.name, by: run))
    switch holder {
    case .working: break
    case .owing:
      refusal.message += ", which has ended and still owes its rollback"
      refusal.hint =
        "`\(Advice.line("rollback", "resume", run))` undoes it; "
        + "`\(Advice.line("rollback", "abandon", run, "--reason", "TEXT"))` leaves it as it is; both free the lock"
    case .interrupted(let since):
      refusal.message += ", which was interrupted and was last active at \(since.wholeSecond)"
      refusal.hint = "`\(Advice.line("resume", run))` carries it on to its end"
    }
    return refusal
  }

  static func secretsMissing(_ missing: [MissingSecret], _ canGoWithout: Bool) -> Refusal {
    let each = missing.map { "secret `\($0.name)` is missing: \($0.reason)" }
    let message =
      each.count == 1
      ? each.joined() : "\(each.count) secrets are missing:\n" + each.map { "       \($0)" }.joined(separator: "\n")
    var hints = missing.compactMap(\.hint)
    if canGoWithout {
      let options = missing.map { "--without-secret \($0.name)" }.joined(separator: " ")
      hints.append(
        "`\(options)` goes on without \(missing.count == 1 ? "it" : "them"); a step that needs it fails and names it")
    }
    return Refusal(.usage, .secret, message, hint: hints.isEmpty ? nil : hints.joined(separator: "\n  "))
  }

  static func noLock(_ lock: String, _ held: [String]) -> Refusal {
    let hint = Suggestion.hint(for: lock, among: held.map { DisplayText.escaped($0, limit: 200) })
    return Refusal(
      .usage, .lock, "no run holds a lock `\(DisplayText.escaped(lock, limit: 200))`",
      hint: hint ?? (held.isEmpty ? "no lock is held" : "`\(Advice.line("list", "--locks"))` shows the locks"))
  }
}
