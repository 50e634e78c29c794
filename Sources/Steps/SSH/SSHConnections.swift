import Posix
import Runbook
import Synchronization

/// The connections that the steps of runs share: one to each machine and login, more where the server lets in no more
/// sessions over one.
public final class SSHConnections: Sendable {
  /// What two steps have in common that may share a connection. In memory alone.
  private struct Place: Hashable {
    let run: String
    let command: [String]
    let secrets: [String?]
  }

  private struct Pool {
    var connections: [SSHConnection] = []
    /// Whether somebody is just opening one; the others wait for it.
    var isOpening = false
    var waiting: [Promise<Bool>] = []
    /// Connections cannot be kept there.
    var isUseless = false
  }

  private let pools = Mutex<[Place: Pool]>([:])

  public init() {}

  enum Way {
    /// Its user calls `leave`.
    case shared(SSHConnection)
    /// The client could not get in: how it ended.
    case failed(ScriptEnd)
    /// Each has to open its own.
    case none
  }

  /// - Throws: `timeout` and `cancelled` with the effect `unknown`, as the client itself would.
  func way(to ssh: SSHCommand, until deadline: Timestamp, _ call: ActionCall) async throws(StepFailure) -> Way {
    let place = Place(
      run: call.runID, command: ssh.keepingArgv(socket: SSHConnection.socket),
      secrets: [ssh.key?.reveal(), ssh.password?.reveal()])
    while true {
      switch choice(of: place) {
      case .use(let connection): return .shared(connection)
      case .none: return .none
      case .wait(let promise):
        // After a failure each goes its own way: nobody waits for ten that fail one after the other.
        if !(await promise.value(whenCancelled: true)) { return .none }
        if Task.isCancelled { throw StepFailure(.cancelled, "nobody waits for the connection", effect: .unknown) }
      case .open:
        do throws(StepFailure) {
          let opened = try await open(ssh, until: deadline, call)
          if case .shared(let connection) = opened {
            add(connection, to: place)
          } else {
            stop(opening: place, isUseless: opened.isNone)
          }
          return opened
        } catch {
          stop(opening: place, isUseless: false)
          throw error
        }
      }
    }
  }

  private enum Choice {
    case use(SSHConnection)
    case wait(Promise<Bool>)
    case open
    case none
  }

  private func choice(of place: Place) -> Choice {
    pools.withLock { pools in
      // Those that nobody has used for long are forgotten, whatever their place.
      for (other, pool) in pools {
        let open = pool.connections.filter { $0.isOpen }
        if open.isEmpty, !pool.isOpening, !pool.isUseless, other != place {
          pools[other] = nil
        } else {
          pools[other]?.isUseless = pool.isUseless || pool.connections.contains { $0.isUseless }
          pools[other]?.connections = open
        }
      }
      var pool = pools[place] ?? Pool()
      defer { pools[place] = pool }
      if pool.isUseless { return .none }
      if let connection = pool.connections.first(where: { $0.enter() }) { return .use(connection) }
      if pool.isOpening {
        let promise = Promise<Bool>()
        pool.waiting.append(promise)
        return .wait(promise)
      }
      pool.isOpening = true
      return .open
    }
  }

  private func add(_ connection: SSHConnection, to place: Place) {
    let waiting = pools.withLock { pools in
      pools[place]?.connections.append(connection)
      return Self.close(&pools[place, default: Pool()])
    }
    for promise in waiting { promise.give(true) }
  }

  private func stop(opening place: Place, isUseless: Bool) {
    let waiting = pools.withLock { pools in
      pools[place]?.isUseless = isUseless
      return Self.close(&pools[place, default: Pool()])
    }
    for promise in waiting { promise.give(false) }
  }

  private static func close(_ pool: inout Pool) -> [Promise<Bool>] {
    pool.isOpening = false
    defer { pool.waiting = [] }
    return pool.waiting
  }
}

extension SSHConnections.Way {
  fileprivate var isNone: Bool { if case .none = self { true } else { false } }
}

// MARK: Opening one

extension SSHConnections {
  /// How long after the login the client may take to listen.
  private static let patience = Duration.seconds(15)

  private func open(
    _ ssh: SSHCommand, until deadline: Timestamp, _ call: ActionCall
  ) async throws(StepFailure) -> Way {
    var request = ScriptRequest(
      key: call.key, command: ssh.keepingArgv(socket: SSHConnection.socket), secretFile: ssh.key)
    request.password = ssh.password
    let life = max(deadline - call.clock.now, .milliseconds(1)) + SSHConnection.idle
    let held: (any HeldProgram)?
    do throws(StepFailure) { held = try await call.scripts.hold(request, life: life) } catch {
      throw SSHCommand.unstarted(error)
    }
    guard let program = held else { return .none }
    var pause = Duration.milliseconds(2)
    var loggedInAt: Timestamp?
    while true {
      if (try? Folder.isThere("\(program.folder)/\(SSHConnection.socket)")) == true {
        let log = log(of: program, call)
        let connection = SSHConnection(program, login: log.login ?? "", life: life)
        if log.login != nil, connection.enter() { return .shared(connection) }
        return .none
      }
      if let end = await program.ending() {
        // In, and out again: that tells nothing about a session. A banner may say that it is in, so all of it counts.
        return SSHLog(end.stderr, mask: call.mask).failure(at: ssh.host).effect == .none ? .failed(end) : .none
      }
      if Task.isCancelled { throw StepFailure(.cancelled, "the connection was given up", effect: .unknown) }
      let now = call.clock.now
      if now >= deadline {
        throw StepFailure(.timeout, "`\(ssh.program.path)` ran out of time and was stopped", effect: .unknown)
      }
      if loggedInAt == nil, pause >= .milliseconds(20), log(of: program, call).login != nil { loggedInAt = now }
      if let loggedInAt, now - loggedInAt > Self.patience { return .none }
      await call.clock.sleep(for: pause)
      pause = min(pause * 2, .milliseconds(20))
    }
  }

  private func log(of program: any HeldProgram, _ call: ActionCall) -> SSHLog {
    SSHLog((try? FileReading.all(of: program.folder + "/stderr", limit: 1 << 20)) ?? [], mask: call.mask)
  }
}
