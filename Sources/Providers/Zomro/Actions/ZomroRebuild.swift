import ProviderKit
import Runbook

/// A restore is a rebuild from an image of the account's own; `zomro.rebuild` takes any image. Both are refused in
/// rescue, so the action leaves rescue first, and says so.
struct ZomroRebuild: CloudAction {
  enum Source: Sendable {
    case item(ItemKind)
    /// Any that the form offers, by id or name.
    case image
  }

  let cloud: ZomroClient
  let source: Source
  let declaration: ActionDeclaration

  func capture(_ call: ActionCall) async throws(StepFailure) -> [String: Value] { try await cloud.captureServer(call) }

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    let server = try call.with.text("server")
    _ = try PowerAfterRestore.wanted(call)
    let image = try await image(call)
    let password = try ZomroPassword.read(call)
    let hasLeft = try await leaveRescue(server, call)
    var parameters: [(name: String, value: SecretPart)] = [
      ("elid", .plain(server)), ("zone", .plain(image.zone)), ("select_rebuild", .plain(image.id)),
      ("enablessh", .plain("off")),
    ]
    if let password { parameters.append(("password", .secret(password))) }
    cloud.rebuilds.note(call.key, at: call.clock.now)
    do throws(StepFailure) {
      try await cloud.change(server) { () throws(StepFailure) in
        _ = try await cloud.send(.commit("instances.fleio.rebuild", parameters))
      }
    } catch { throw hasLeft ? error.afterLeaving : error }
    return ActionResult(outputs: ["state": "changing"])
  }

  /// While it goes on it can be seen. Once it is over nothing tells: "not applied" therefore needs looks from the
  /// request on that left no room for a rebuild between them. After any longer pause a person has to tell.
  func probe(_ call: ActionCall) async throws(StepFailure) -> ProbeAnswer {
    let server = try await cloud.server(try call.with.text("server"))
    if server.nativeState == "rebuilding" { return .applied(ActionResult(outputs: ["state": "changing"])) }
    // A word that nobody knows may be the rebuild.
    guard server.state != .changing || server.nativeState == "unrescuing", server.state != .unknown,
      let intended = call.intendedAt
    else { return .unsure }
    return cloud.rebuilds.look(call.key, at: call.clock.now, since: intended) ? .notApplied : .unsure
  }

  func observe(_ call: ActionCall, after result: ActionResult) async throws(StepFailure) -> Observation {
    let id = try call.with.text("server")
    let server = try await cloud.server(id, asOf: call.asOf)
    if let end = cloud.dead(server, wanting: "restored") { return end }
    guard server.state == .running || server.state == .stopped, !ChangeSign.isTooEarly(server, call, after: result)
    else { return cloud.seen(.pending, server) }
    guard let wanted = try PowerAfterRestore.wanted(call), wanted != server.state else {
      return cloud.seen(.done, server)
    }
    call.report("restored and `\(server.nativeState)`; asking for \(wanted.rawValue)")
    do { try await cloud.act(wanted == .running ? "service.start" : "service.stop", id) } catch {
      guard error.kind == .input || error.kind == .conflict else { throw error }
      call.report(error.message)
    }
    return cloud.seen(.pending, server)
  }

  func isSettled(_ call: ActionCall) async throws(StepFailure) -> Bool {
    try await cloud.isAtRestAfterChange(call)
  }

  func liveCheck(_ call: ActionCall) async throws(StepFailure) -> [String] {
    var problems = try await cloud.problems(call)
    guard problems.isEmpty, call.with["server"] != nil, call.with[field] != nil else { return problems }
    do { _ = try await image(call) } catch {
      guard error.kind == .notFound || error.kind == .conflict || error.kind == .input else { throw error }
      problems.append(error.message)
    }
    return problems
  }

  /// What the step names the image by.
  private var field: String {
    switch source {
    case .item(let kind): kind.rawValue
    case .image: "image"
    }
  }

  /// What is written onto the disk, as the form wants it.
  private func image(_ call: ActionCall) async throws(StepFailure) -> (id: String, zone: String) {
    let server = try call.with.text("server")
    let wanted = try call.with.text(field)
    switch source {
    case .item(let kind): return (try await item(kind, wanted, server), "own")
    case .image:
      let choices = try await cloud.send(.read("instances.fleio.rebuild", [("elid", server)]))
        .decode { form throws(SchemaError) in try form.choices("select_rebuild") }
      let choice = try ZomroChoice.named(wanted, among: choices, "server \(server) cannot be rebuilt from")
      return (choice.key, choice.zone ?? "")
    }
  }

  /// The image of a finished backup or snapshot of this server. One of another server is never sent.
  private func item(_ kind: ItemKind, _ id: String, _ server: String) async throws(StepFailure) -> String {
    guard let image = try await cloud.image(kind, id, server: server) else {
      throw StepFailure(.notFound, "server \(server) has no \(kind.rawValue) \(id)")
    }
    guard image.item.state == .ready else {
      throw StepFailure(
        .conflict, "\(kind.rawValue) \(id) is `\(image.item.nativeState)`: only a finished one can be restored",
        retryable: image.item.state == .creating)
    }
    guard !image.fleioID.isEmpty else {
      throw StepFailure(.server, "Zomro does not tell the image of \(kind.rawValue) \(id)", retryable: true)
    }
    return image.fleioID
  }

  /// Waits until the server is out of rescue, as nothing else can be asked of it before.
  /// - Returns: whether that was asked for here.
  private func leaveRescue(_ id: String, _ call: ActionCall) async throws(StepFailure) -> Bool {
    var hasAsked = false
    var server = try await cloud.server(id)
    if server.state == .rescue {
      call.report("server \(id) is `\(server.nativeState)`, where Zomro restores nothing: leaving that first")
      try await cloud.unrescue(id)
      hasAsked = true
    } else {
      guard server.nativeState == "unrescuing" else { return false }
      call.report("server \(id) is on its way out of rescue: waiting for that first")
    }
    while server.state == .rescue || server.state == .changing {
      guard call.clock.now < call.deadline, !Task.isCancelled else {
        throw StepFailure(
          .timeout, "server \(id) is still `\(server.nativeState)`, and not out of rescue", effect: .applied)
      }
      await call.clock.sleep(for: .seconds(3))
      do throws(StepFailure) { server = try await cloud.server(id) } catch {
        throw hasAsked ? error.afterLeaving : error
      }
    }
    return hasAsked
  }
}

extension StepFailure {
  /// Of what came after the server was led out of rescue: that has happened, and more may have.
  fileprivate var afterLeaving: StepFailure {
    var failure = self
    if failure.effect == .none { failure.effect = .applied }
    failure.beforeFirstByte = false
    return failure
  }
}
