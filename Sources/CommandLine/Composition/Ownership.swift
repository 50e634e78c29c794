import Operations
import Posix
import Runbook

/// Who we are to other processes and to the journal.
enum Ownership {
  /// For people: nobody is judged by it.
  static var own: Owner {
    let identity = ProcessIdentity.own
    return Owner(host: Host.name, bootID: identity.bootID, pid: identity.pid, processStart: identity.start)
  }

  /// The operating-system user, for the journal.
  static var requester: String { User.name }
}

extension OperationContext {
  /// On this machine, by the user of this process.
  init(_ store: any RunStore) {
    self.init(
      store: store, clock: SystemClock(), owner: Ownership.own, requester: Ownership.requester,
      actions: Composition.actions,
      check: { (source) throws(Diagnostics) in try CheckedRunbook(source).runbook })
  }
}

extension Fence {
  /// Of this process, with the kernel's timer.
  static let shared = Fence {
    guard let timer = try? KillTimer.ofProcess.get() else { return nil }
    return { moment in
      if let moment { timer.arm(at: moment) } else { timer.disarm() }
    }
  }
}
