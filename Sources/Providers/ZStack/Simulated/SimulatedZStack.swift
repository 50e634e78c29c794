import ProviderKit
package import Runbook
import Synchronization

/// The twin of ZStack: its documented jobs, states, replies and refusals behind its own wire format, driven by the
/// clock handed in. Nothing happens between two requests: what is asked for is worked out from the time of asking.
package final class SimulatedZStack: SimulatedSystem {
  package let type = "zstack"

  private let clock: any EngineClock
  private let state: Mutex<ZStackTwinState>

  /// - Parameters:
  ///   - seed: draws the durations, inside their usual ranges, and the ids.
  ///   - zone: seconds east of UTC of the management node, which writes times without their zone.
  ///   - withLastNight: every server has a backup of last night, by the clock.
  package init(
    clock: any EngineClock, seed: UInt64 = 1, credentials: AcceptedCredentials = .wellFormed, zone: Int64 = 8 * 3600,
    withLastNight: Bool = false
  ) {
    self.clock = clock
    var world = ZStackWorld(seed: seed, zone: zone)
    world.addExamples()
    world.hasLastNight = withLastNight
    if withLastNight { for machine in world.machines { world.addLastNight(machine.uuid, clock.now) } }
    state = Mutex(ZStackTwinState(world: world, sessions: ZStackTwinSessions(credentials, seed: seed)))
  }

  /// `server.stop`, `backup.create` …; the detail is a name, or what was restored.
  package var ledger: [LedgerEntry] {
    let now = clock.now
    return state.withLock { state in
      state.settle(now)
      return state.world.ledger
    }
  }

  package func backups(of server: String) -> [LedgerEntry] {
    let now = clock.now
    return state.withLock { state in
      state.settle(now)
      return state.world.backups(of: server)
    }
  }

  package var firedFaults: [String] { state.withLock { $0.faults.filter { $0.hasFired }.map { $0.text } } }
  package var unfiredFaults: [String] { state.withLock { $0.faults.filter { !$0.hasFired }.map { $0.text } } }
  /// Operations asked for, in order, refused ones included: `server.list`, `backup.create`, `job.read`.
  package var requests: [String] { state.withLock { $0.requests } }

  package func ensureServer(_ id: String) {
    let now = clock.now
    state.withLock { $0.world.addServer(id, now) }
  }

  static let faults = TwinFault.Vocabulary(
    operations: ZStackTwinOperation.allCases.map { $0.rawValue },
    special: [
      "partial_revert", "job_never_ends", "job_purged", "own_location", "sys1001_done", "sys1001_not_done", "host_lost",
    ])

  /// Beside the kinds of every twin: `partial_revert` (one volume of a group is not put back, or not deleted),
  /// `job_never_ends` (the effect is there, the job stays at 202), `job_purged` (nothing is known of the job once it is
  /// over), `own_location` (a job's `location` has the host that was asked, not the management node's idea of it),
  /// `sys1001_done` and `sys1001_not_done` (the job ends in a timeout, with and without the effect), `host_lost` (the
  /// server becomes `Unknown`, whatever was done to it). `token_expires` ends every session, also those that were
  /// opened elsewhere, and access keys; a log-in opens a good one.
  package func inject(_ fault: String) throws(ExpressionFailure) {
    let parsed = try TwinFault(fault, SimulatedZStack.faults)
    state.withLock { $0.faults.append(parsed) }
  }

  /// The native state of a server; nil if there is none of this id.
  package func state(ofServer id: String) -> String? {
    let now = clock.now
    return state.withLock { state in
      state.settle(now)
      return state.world.machines.first { $0.uuid == id }?.state
    }
  }

  /// Sets a server's native state, as somebody at the console does.
  package func setState(ofServer id: String, _ word: String) {
    let now = clock.now
    state.withLock { state in
      state.settle(now)
      guard let index = state.world.machines.firstIndex(where: { $0.uuid == id }) else { return }
      state.world.machines[index].state = word
      state.world.machines[index].lastOpAt = now
    }
  }

  /// Attaches a volume to another server, or deletes it where that is nil, as somebody at the console does.
  package func moveVolume(_ id: String, toServer server: String?) {
    let now = clock.now
    state.withLock { state in
      state.settle(now)
      guard let index = state.world.volumes.firstIndex(where: { $0.uuid == id }) else { return }
      if let server {
        state.world.volumes[index].machine = server
      } else {
        state.world.volumes.remove(at: index)
      }
    }
  }

  package func answer(_ request: SimulatedRequest) -> SimulatedReply {
    let now = clock.now
    return state.withLock { state in
      state.settle(now)
      let call: ZStackTwinCall
      do throws(ZStackTwinRefusal) { call = try ZStackTwinCall(request) } catch { return .response(error.response) }
      return state.reply(to: call, at: now)
    }
  }
}
