import ProviderKit
package import Runbook
import Synchronization

/// The twin of Zomro: its documented limits, durations, replies and refusals behind the wire format of BILLmanager,
/// driven by the clock handed in. Nothing happens between two requests: what is asked for is worked out from the time
/// of asking.
package final class SimulatedZomro: SimulatedSystem {
  package let type = "zomro"

  private let clock: any EngineClock
  private let state: Mutex<ZomroTwinState>

  /// - Parameters:
  ///   - seed: draws the durations, inside their usual ranges, and the ids.
  ///   - withExamples: the documents' backup 5203980 and the account's image `foo` exist.
  ///   - singlesAsObjects: a list of one comes as the object itself; false: as a list, as in the documents.
  ///   - language: of those who send no `lang`: `en` or `ru`.
  ///   - withLastNight: every server has a scheduled backup of last night, by the clock.
  ///   - secondFactor: judges the codes of `totp.confirm`; nil: none is asked for. `authinfo` needs none.
  package init(
    clock: any EngineClock, seed: UInt64 = 1, credentials: AcceptedCredentials = .wellFormed,
    withExamples: Bool = true, singlesAsObjects: Bool = true, language: String = "en", withLastNight: Bool = false,
    secondFactor: (@Sendable (_ code: String, _ now: Timestamp) -> Bool)? = nil
  ) {
    self.clock = clock
    var world = ZomroWorld(seed: seed)
    world.addExamples(withExamples)
    world.hasLastNight = withLastNight
    if withLastNight { for server in world.servers { world.addLastNight(server.id, clock.now) } }
    state = Mutex(
      ZomroTwinState(
        world: world, sessions: ZomroTwinSessions(credentials, seed: seed), secondFactor: secondFactor,
        style: ZomroTwinStyle(singlesAsObjects: singlesAsObjects, language: language)))
  }

  /// `server.stop`, `backup.create` …; the detail is a name, or the image that was booted or written.
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
      return state.world.images.filter { $0.kind == .backup && $0.server == server }
        .map { LedgerEntry(at: $0.createdAt, effect: "backup.create", subject: $0.id, detail: $0.name) }
        .sorted { $0.at < $1.at }
    }
  }

  /// Texts of the injected faults that have struck at least once, in the order of their injection.
  package var firedFaults: [String] { state.withLock { $0.faults.filter { $0.hasFired }.map { $0.text } } }
  package var unfiredFaults: [String] { state.withLock { $0.faults.filter { !$0.hasFired }.map { $0.text } } }
  /// Operations asked for, in order, refused ones included: `server.list`, `backup.create`, `rescue.preview`.
  package var requests: [String] { state.withLock { $0.requests } }

  package func ensureServer(_ id: String) {
    let now = clock.now
    state.withLock { $0.world.addServer(id, now) }
  }

  static let faults = TwinFault.Vocabulary(
    operations: ZomroTwinOperation.allCases.map { $0.rawValue },
    special: ["session_loss", "long_request", "protected_image", "bad_ip", "no_privilege", "running_operation"])

  /// Beside the kinds of every twin: `session_loss` (the session is gone, once), `long_request` (a link instead of the
  /// answer), `protected_image` (the image made is protected), `bad_ip` (the client's address is denied),
  /// `no_privilege` (`access`, though the session lives), `running_operation` (refused as if something were under way),
  /// and `second_factor` (log-ins need a code, any six digits).
  package func inject(_ fault: String) throws(ExpressionFailure) {
    if fault == "second_factor" {
      state.withLock { state in
        state.secondFactor = { code, _ in
          code.utf8.count == 6 && code.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        }
      }
      return
    }
    let parsed = try TwinFault(fault, SimulatedZomro.faults)
    state.withLock { $0.faults.append(parsed) }
  }

  /// `instance_status` of a server; nil if there is none of this id.
  package func status(ofServer id: String) -> String? {
    let now = clock.now
    return state.withLock { state in
      state.settle(now)
      return state.world.server(id)?.status
    }
  }

  /// Sets a server's `instance_status`, as somebody at the provider's console does.
  package func setStatus(ofServer id: String, _ status: String) {
    let now = clock.now
    state.withLock { state in
      state.settle(now)
      guard let index = state.world.servers.firstIndex(where: { $0.id == id }) else { return }
      state.world.servers[index].status = status
      state.world.servers[index].change = nil
    }
  }

  /// POST to `/`; and GET of the links that long requests gave.
  package func answer(_ request: SimulatedRequest) -> SimulatedReply {
    let now = clock.now
    if request.method == "GET", let id = SimulatedZomro.longRequest(request.path) {
      return state.withLock { state in
        state.requests.append(ZomroTwinOperation.longPoll.rawValue)
        return .response(state.poll(id) ?? .zomroPage(404))
      }
    }
    guard request.path == "/" || request.path.isEmpty else { return .response(.zomroPage(404)) }
    guard request.method == "POST" else { return .response(.zomroPage(405)) }
    let form = ZomroTwinForm(request)
    return state.withLock { state in
      state.settle(now)
      return state.reply(to: form, at: now)
    }
  }

  /// `/long/ID/billmgr`.
  private static func longRequest(_ path: String) -> String? {
    let parts = path.split(separator: "/")
    guard parts.count == 3, parts[0] == "long", parts[2] == "billmgr" else { return nil }
    return String(parts[1])
  }
}
