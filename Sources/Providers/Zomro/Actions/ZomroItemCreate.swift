import ProviderKit
import Runbook

/// Findable by its name: whatever carries the name and was not there before is ours. Without a name the call's key is
/// the name.
struct ZomroItemCreate: CloudAction {
  let cloud: ZomroClient
  let kind: ItemKind
  let declaration: ActionDeclaration

  /// What an author may write. Zomro takes at most 100 characters.
  static let name = Field(
    "name", .string, pattern: "^[^\\x00-\\x1f]{1,100}$",
    help: "at most 100 characters; found again by it, so best unique; default: one made for this call")

  func capture(_ call: ActionCall) async throws(StepFailure) -> [String: Value] {
    let name = try name(call)
    return try await cloud.captureNames(kind, server: try call.with.text("server")) { $0.name == name }
  }

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    let server = try call.with.text("server")
    if let reused = try await cloud.reuse(kind, call) { return reused }
    let function = kind == .backup ? "instances.fleio_bckps.edit" : "instances.snapshots.edit"
    let name = try name(call)
    do throws(StepFailure) {
      try await cloud.change(server) { () throws(StepFailure) in
        _ = try await cloud.send(.commit(function, [("plid", .plain(server)), ("name", .plain(name))]))
      }
    } catch { throw try await limited(error, server) }
    // The reply does not tell the id: the list does, as soon as it shows the new one.
    let answer: ProbeAnswer
    do { answer = try await found(call, name) } catch { throw error.afterChange }
    guard case .applied(let result) = answer else {
      throw StepFailure(
        .server, "Zomro accepted \(kind.rawValue) `\(name.excerpt(100))` of server \(server), and does not list it",
        effect: .unknown, retryable: true)
    }
    return result
  }

  func probe(_ call: ActionCall) async throws(StepFailure) -> ProbeAnswer { try await found(call, try name(call)) }

  func observe(_ call: ActionCall, after result: ActionResult) async throws(StepFailure) -> Observation {
    var observation = try await cloud.observeItem(kind, call, after: result)
    guard case .done = observation.verdict else { return observation }
    // The server takes no other change until its upload is over, a moment after the image is there.
    let server = try await cloud.server(try call.with.text("server"), asOf: call.asOf)
    if server.state == .changing {
      observation.verdict = .pending
      observation.nativeState = server.nativeState
    }
    return observation
  }

  func isSettled(_ call: ActionCall) async throws(StepFailure) -> Bool {
    let name = try name(call)
    return try await cloud.isNewItemAtRest(kind, call) { $0.name == name }
  }

  func liveCheck(_ call: ActionCall) async throws(StepFailure) -> [String] {
    var problems = try await cloud.problemsOfCreating(kind, call)
    guard problems.isEmpty, let server = try call.with.optionalText("server"), !server.isEmpty else { return problems }
    guard let today = ZomroCounters(try await cloud.images(kind, server: server).document).today else {
      call.report("Zomro does not tell how many \(kind.rawValue)s server \(server) was given today: that is not asked")
      return problems
    }
    guard today + Int64(clamping: call.earlier.made) >= ZomroClient.dailyLimit, try await !reuses(call) else {
      return problems
    }
    // No deletion makes room for another one today.
    if call.earlier.isCertain {
      problems.append(dailyText(server, today))
    } else {
      call.report(dailyText(server, today))
    }
    return problems
  }

  /// There is one of the name already, and it is to be used again.
  private func reuses(_ call: ActionCall) async throws(StepFailure) -> Bool {
    guard try call.with.optionalText("if_exists") == "reuse", let server = try call.with.optionalText("server") else {
      return false
    }
    let name = try name(call)
    return try await cloud.items(kind, server: server).contains { $0.name == name && $0.state != .failed }
  }

  private func found(_ call: ActionCall, _ name: String) async throws(StepFailure) -> ProbeAnswer {
    try await cloud.findNew(kind, call) { $0.name == name }
  }

  private func name(_ call: ActionCall) throws(StepFailure) -> String {
    guard let name = try call.with.optionalText("name"), !name.isEmpty else { return "runbook-\(call.key)" }
    guard name.count <= 100, !name.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) else {
      throw StepFailure.unfit("`\(name.excerpt(80))` cannot name a \(kind.rawValue) at Zomro: at most 100 characters")
    }
    return name
  }

  /// A refusal is a `limit` if the day's counter, or the count, says so: how Zomro words it is not documented.
  private func limited(_ failure: StepFailure, _ server: String) async throws(StepFailure) -> StepFailure {
    guard failure.kind == .input || failure.kind == .conflict, !failure.retryable else { return failure }
    let listing: ZomroClient.Listing<ZomroImage>
    do { listing = try await cloud.images(kind, server: server) } catch { return failure }
    let manual = listing.lines.count { $0.item.isManual }
    var limit: StepFailure?
    if let today = ZomroCounters(listing.document).today, today >= ZomroClient.dailyLimit {
      limit = failure.renamed(dailyText(server, today), kind: .limit)
    } else if let most = cloud.limit(kind), manual >= most {
      limit = failure.renamed(
        "server \(server) has \(manual) of \(most) \(kind.rawValue)s: delete one, or put "
          + "`\(kind.rawValue).prune` before",
        kind: .limit)
    }
    limit?.effect = .none
    return limit ?? failure
  }

  private func dailyText(_ server: String, _ today: Int64) -> String {
    "server \(server) has been given \(today) of \(ZomroClient.dailyLimit) manual \(kind.rawValue)s today: "
      + "the next one is possible tomorrow"
  }
}
