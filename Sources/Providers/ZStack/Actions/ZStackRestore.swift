import ProviderKit
import Runbook

/// A snapshot group or a backup put back in place. ZStack wants the machine stopped and leaves it so: the action stops
/// it first, and brings it to the state of `power` afterwards.
struct ZStackItemRestore: ZStackChange {
  let cloud: ZStackClient
  let kind: ItemKind
  let declaration: ActionDeclaration
  /// Documented: 24 hours for a snapshot group, 72 for a backup.
  var longestJob: Duration { .seconds((kind == .snapshot ? 24 : 72) * 3600) }

  func capture(_ call: ActionCall) async throws(StepFailure) -> [String: Value] {
    let machine = try await cloud.machine(try call.with.text("server"))
    return [
      "state": .string(machine.server.state.rawValue), "native_state": .string(machine.server.nativeState),
      "change_mark": machine.server.changeMark.map { .string($0) } ?? .null,
      "volumes": machine.volumesMark.map { .string($0) } ?? .null,
    ]
  }

  func request(_ call: ActionCall) async throws(StepFailure) -> ZStackRequest {
    let id = try call.with.text(kind.rawValue)
    try cloud.checkID(id, kind.rawValue)
    _ = try PowerAfterRestore.wanted(call)
    switch kind {
    case .snapshot: return .action(["volume-snapshots", "group", id], "revertVmFromSnapshotGroup")
    case .backup:
      let stores = Set(try await cloud.members(ofBackup: id).flatMap { $0.stores }).sorted()
      let store = try source(stores, named: try call.with.optionalText("storage"), id)
      return .action(
        ["vm-backups", id], "revertVmFromVmBackup", store.map { ["backupStorageUuid": .string($0)] } ?? [:])
    }
  }

  /// A store is always named where one is known: without it ZStack takes any that is connected.
  private func source(_ stores: [String], named: String?, _ id: String) throws(StepFailure) -> String? {
    if let named = named.flatMap({ $0.isEmpty ? nil : $0 }) {
      try cloud.checkID(named, "backup storage")
      guard stores.isEmpty || stores.contains(named) else {
        throw StepFailure(
          .notFound, "backup \(id) is not in storage \(named), but in \(stores.joined(separator: ", "))")
      }
      return named
    }
    if let own = cloud.backupStorage, stores.contains(own) || stores.isEmpty { return own }
    guard stores.count <= 1 else {
      throw StepFailure(.input, "backup \(id) is in \(stores.joined(separator: ", ")): say in `storage` which to take")
    }
    return stores.first
  }

  /// What stopped the machine and then could not revert it has done something.
  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    do throws(StepFailure) { return try await carryOut(call) } catch { throw await leftStopped(error, call) }
  }

  /// The job may end long after it was sent.
  func observe(_ call: ActionCall, after result: ActionResult) async throws(StepFailure) -> Observation {
    var seen = try await watchJob(call, after: result)
    if case .failed(let failure) = seen.verdict { seen.verdict = .failed(await leftStopped(failure, call)) }
    return seen
  }

  /// A failure whose effect is known, told with the stop that came before it. One that is not known is looked for.
  private func leftStopped(_ error: StepFailure, _ call: ActionCall) async -> StepFailure {
    guard error.effect != .unknown, !error.message.contains("left stopped"), call.before["state"] != "stopped",
      let id = try? call.with.text("server"), let server = try? await cloud.server(id), server.state == .stopped
    else { return error }
    var failure = error
    failure.effect = .applied
    failure.message += "; server \(id) was stopped for it and is left stopped"
    return failure
  }

  /// Nothing is stopped for a revert that is on its way already, or cannot be.
  func prepare(_ call: ActionCall) async throws(StepFailure) -> ActionResult? {
    guard case .unknown = try await cloud.outcome(call.key, purpose: declaration.name) else { return nil }
    if let problem = try await sourceProblem(call) { throw problem }
    try await cloud.bringToStop(try call.with.text("server"), call)
    return nil
  }

  func outputs(_ body: Value, _ call: ActionCall) throws(StepFailure) -> [String: Value]? {
    let server = try call.with.text("server")
    let what = "server \(server) was put back only in part, and is left stopped as its volumes may not fit together"
    if let failure = ZStackPart.failure(in: body, what, cloud.hidden) { throw failure }
    return ["state": "changing"]
  }

  /// A revert gives each volume new data at a new path (inferred). Only a change tells; no change tells nothing.
  func evidence(_ call: ActionCall) async throws(StepFailure) -> ProbeAnswer {
    let machine = try await cloud.machine(try call.with.text("server"))
    let changing = ActionResult(outputs: ["state": "changing"])
    if machine.server.nativeState == "VolumeRecovering" { return .applied(changing) }
    guard let before = call.before["volumes"]?.string, let now = machine.volumesMark else { return .unsure }
    return before == now ? .unsure : .applied(changing)
  }

  func arrived(_ call: ActionCall, after result: ActionResult) async throws(StepFailure) -> Observation {
    let id = try call.with.text("server")
    let server = try await cloud.server(id, asOf: call.asOf)
    if let end = cloud.dead(server, wanting: "restored") { return end }
    var seen = cloud.seen(.pending, server)
    seen.result = result.adding(seen.result)
    if server.state == .changing || server.state == .unknown { return seen }
    guard let wanted = try PowerAfterRestore.wanted(call), wanted != server.state else {
      seen.verdict = .done
      return seen
    }
    call.report("restored and `\(server.nativeState)`; asking for \(wanted.rawValue)")
    let request = (wanted == .running ? ZStackPower.start : .grace).request(id)
    if case .failed(let error) = try await cloud.start(request, key: call.key, purpose: "power") {
      var failure = await judged(error, request, call)
      failure.effect = .applied
      return Observation(.failed(failure), nativeState: server.nativeState)
    }
    return seen
  }

  func liveCheck(_ call: ActionCall) async throws(StepFailure) -> [String] {
    var problems = try await cloud.problems(call)
    if problems.isEmpty, call.with["server"] != nil, call.with[kind.rawValue] != nil,
      let problem = try await sourceProblem(call)
    {
      problems.append(problem.message)
    }
    return problems
  }

  /// Why this item cannot be restored on this server; nil if it can. One of another server is never sent.
  private func sourceProblem(_ call: ActionCall) async throws(StepFailure) -> StepFailure? {
    let server = try call.with.text("server")
    let id = try call.with.text(kind.rawValue)
    let word = kind.rawValue
    guard let item = try await cloud.item(kind, id, server: server) else {
      return StepFailure(.notFound, "server \(server) has no \(word) \(id)")
    }
    guard item.state == .ready else {
      return StepFailure(
        .conflict, "\(word) \(id) is `\(item.nativeState)`: only one that is complete and enabled can be restored",
        retryable: item.state == .creating)
    }
    guard kind == .snapshot, let reason = try await cloud.whyNotAvailable(id) else { return nil }
    return StepFailure(.conflict, "ZStack says that snapshot \(id) cannot be restored: \(reason)")
  }
}

extension StepFailure {
  /// Of what came after the machine was asked to stop: that has happened, whatever became of the rest.
  fileprivate var afterStop: StepFailure {
    var failure = self
    if failure.effect == .none { failure.effect = .applied }
    failure.beforeFirstByte = false
    return failure
  }
}

extension ZStackClient {
  /// Why ZStack would refuse to revert to this group; nil if it would not, or does not offer the question.
  func whyNotAvailable(_ group: String) async throws(StepFailure) -> String? {
    let reply: ZStackReply
    do {
      reply = try await send(.read(["volume-snapshots", "groups", "availabilities"], [("uuids", group)]))
    } catch {
      if error.kind == .notFound || error.kind == .input { return nil }
      throw error
    }
    let json = try reply.json()
    let answers = json["results"]?.list ?? json["availabilities"]?.list ?? json["inventories"]?.list ?? []
    guard let answer = answers.first(where: { $0["uuid"]?.string == group }), answer["available"] == false else {
      return nil
    }
    return answer["reason"]?.string?.hiding(hidden).excerpt(200) ?? "no reason given"
  }

  /// Stops a machine that is to be overwritten: cleanly, and by cutting its power after five minutes.
  /// Each request has an id of its own that follows from the call's key, so a repeat stops nothing twice.
  func bringToStop(_ id: String, _ call: ActionCall) async throws(StepFailure) {
    let begin = call.clock.now
    var hasAsked = false
    var hasCut = false
    var looks = 0
    while true {
      looks += 1
      let server = try await stopping(hasAsked) { () async throws(StepFailure) in try await self.server(id) }
      switch server?.state {
      case .stopped: return
      case .absent: throw StepFailure(.notFound, "server \(id) is `\(server?.nativeState ?? "")`: it was deleted")
      case .changing, nil: break
      default:
        guard !hasAsked || call.clock.now >= begin + .seconds(300), !hasCut else { break }
        call.report(hasAsked ? "the guest did not shut down in time: cutting the power" : "stopping the server first")
        let isAccepted: Bool
        do throws(StepFailure) {
          isAccepted = try await ask(hasAsked ? .cold : .grace, id, call, purpose: hasAsked ? "cold" : "stop")
        } catch { throw hasAsked ? error.afterStop : error }
        hasCut = hasAsked && isAccepted
        hasAsked = hasAsked || isAccepted
      }
      // A process that was held up looks a few more times before it gives up.
      guard call.clock.now < min(call.deadline, begin + .seconds(1200)) || looks < 10, !Task.isCancelled else {
        throw StepFailure(
          .timeout, "server \(id) did not stop (it is `\(server?.nativeState ?? "unknown")`), so nothing was restored",
          effect: hasAsked ? .applied : .none)
      }
      await call.clock.sleep(for: .seconds(3))
    }
  }

  /// A look that fails while a stop is under way is made again.
  private func stopping(
    _ hasAsked: Bool, _ look: () async throws(StepFailure) -> CloudServer
  ) async throws(StepFailure) -> CloudServer? {
    do throws(StepFailure) { return try await look() } catch {
      guard hasAsked else { throw error }
      guard error.retryable else { throw error.afterStop }
      return nil
    }
  }

  /// Returns whether the request has arrived. If not, the same one is sent again under the same id.
  private func ask(
    _ power: ZStackPower, _ id: String, _ call: ActionCall, purpose: String
  ) async throws(StepFailure) -> Bool {
    let request = power.request(id)
    let job: ZStackJob
    do throws(StepFailure) { job = try await start(request, key: call.key, purpose: purpose) } catch {
      guard error.retryable else { throw error }
      return false
    }
    guard case .failed(let error) = job, error.meaning != .doubt, error.meaning != .infrastructure else { return true }
    throw explained(failure(error, of: request), try await server(id))
  }
}
