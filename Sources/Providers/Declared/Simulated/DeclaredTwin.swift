import ProviderKit
import Runbook
import Synchronization

/// The twin of a declared provider: the states, durations and routes of its file behind the provider's own wire format.
/// A file without a `twin` has one that knows nothing.
final class DeclaredTwin: SimulatedSystem {
  let type: String

  struct State {
    var world: DeclaredWorld
    var faults: [TwinFault] = []
    /// Requests whose effect takes place later, in the order of their times.
    var late: [(at: Timestamp, asked: TwinRequest)] = []
    var requests: [String] = []
  }

  private let rules: TwinManifest
  private let basePath: String
  private let clock: any EngineClock
  private let isSealed: Bool
  private let vocabulary: TwinFault.Vocabulary
  private let state: Mutex<State>

  init(_ manifest: ProviderManifest?, type: String, clock: any EngineClock, seed: UInt64, isSealed: Bool) {
    self.type = type
    rules = manifest?.twin ?? .empty
    basePath = manifest.flatMap { BaseURL($0.url) }?.path ?? ""
    self.clock = clock
    self.isSealed = isSealed
    var operations: [String] = []
    for route in rules.routes where !operations.contains(route.operation) { operations.append(route.operation) }
    vocabulary = TwinFault.Vocabulary(operations: operations)
    state = Mutex(State(world: DeclaredWorld(rules, seed: seed, at: clock.now)))
  }

  var ledger: [LedgerEntry] {
    let now = clock.now
    return state.withLock { state in
      settle(&state, now)
      return state.world.ledger
    }
  }
  func backups(of server: String) -> [LedgerEntry] {
    let now = clock.now
    return state.withLock { state in
      settle(&state, now)
      return state.world.items.filter { $0.kind == .backup && $0.server == server && !$0.isHidden }
        .map { LedgerEntry(at: $0.createdAt, effect: "backup.create", subject: $0.id, detail: $0.name) }
        .sorted { $0.at < $1.at }
    }
  }

  var firedFaults: [String] { state.withLock { $0.faults.filter { $0.hasFired }.map { $0.text } } }
  var unfiredFaults: [String] { state.withLock { $0.faults.filter { !$0.hasFired }.map { $0.text } } }
  var requests: [String] { state.withLock { $0.requests } }

  func ensureServer(_ id: String) {
    let now = clock.now
    state.withLock { $0.world.add(id, nil, now) }
  }

  func inject(_ fault: String) throws(ExpressionFailure) {
    let parsed = try TwinFault(fault, vocabulary)
    state.withLock { $0.faults.append(parsed) }
  }

  func answer(_ request: SimulatedRequest) -> SimulatedReply {
    let now = clock.now
    return state.withLock { state in
      settle(&state, now)
      guard let asked = TwinRequest(request, rules, below: basePath, state.world) else {
        return .response(rules.refusal(.missing))
      }
      let operation = asked.route.operation
      state.requests.append(operation)
      if !accepts(request) || state.faults.strike(operation, where: { $0 == .tokenExpires }) != nil {
        return .response(rules.refusal(.auth))
      }
      let before = state.faults.before(operation)
      switch before?.kind {
      case .requestLost: return .lost
      case .requestLate:
        state.late.append((at: now + (before?.duration ?? .seconds(30)), asked: asked))
        state.late.sort { $0.at < $1.at }
        return .lost
      case .status(let status): return .response(.fault(status, retryAfter: before?.duration))
      case .html: return .response(.html)
      default: break
      }
      let response = act(&state, asked, now)
      return state.faults.reply(operation, response)
    }
  }

  private func accepts(_ request: SimulatedRequest) -> Bool {
    guard let credential = rules.credential else { return true }
    guard let header = request.header(credential.header), header.hasPrefix(credential.prefix) else { return false }
    let token = String(header.dropFirst(credential.prefix.count))
    if isSealed { return !token.isEmpty }
    return rules.token?.matches(token) ?? !token.isEmpty
  }

  /// Lets what was under way until `now` happen, requests that came late included.
  private func settle(_ state: inout State, _ now: Timestamp) {
    while let next = state.late.first, next.at <= now {
      state.late.removeFirst()
      state.world.settle(next.at)
      _ = act(&state, next.asked, next.at)
    }
    state.world.settle(now)
  }

  private func act(_ state: inout State, _ asked: TwinRequest, _ now: Timestamp) -> HTTPResponse {
    let untouched = (faults: state.faults, changes: state.world.ledger.count)
    let operation = asked.route.operation
    let isChange = DeclaredAction.names.contains(operation) || operation == "server.hard_stop"
    let twist = isChange ? state.faults.twist(operation) : TwinTwist()
    let response: HTTPResponse
    do throws(DeclaredWorld.Refusal) {
      let subject = try asked.carryOut(in: &state.world, now, twist)
      response = asked.response(rules, state.world, subject)
    } catch {
      response = rules.refusal(error.reason)
    }
    // A fault of a change that was refused, or had nothing to do, has not struck.
    if state.world.ledger.count == untouched.changes { state.faults = untouched.faults }
    return response
  }
}

extension TwinManifest {
  /// Of a file without a `twin`: it answers nothing.
  static var empty: TwinManifest {
    TwinManifest(
      usesNumbers: false, examples: [], running: "", jobStates: [:], documents: [:], refusals: [:], pageNumber: nil,
      pageSize: nil, defaultPageSize: 25, changes: [:], routes: [], token: nil, credential: nil)
  }

  /// The provider's own words for no.
  func refusal(_ reason: Reason) -> HTTPResponse {
    guard let refusal = refusals[reason], let document = documents["error"] else {
      return .json(501, ["error": "this file declares no `twin`"])
    }
    let scope = DictionaryScope(["error": ["code": .string(refusal.code), "message": .string(refusal.message)]])
    return .json(refusal.status, (try? document.evaluate(in: scope)) ?? .string(refusal.message))
  }
}
