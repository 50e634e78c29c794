import ProviderKit
import Runbook

struct ZomroRescueImages: CloudAction {
  let cloud: ZomroClient
  let declaration: ActionDeclaration

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    let form = try await cloud.bootForm(.rescue, server: try call.with.text("server"))
    let images = form.images.map { choice -> Value in
      [
        "id": .string(choice.key), "name": .string(choice.shownName), "scope": .string(choice.zone ?? ""),
        "os": .string(choice.text),
      ]
    }
    return ActionResult(outputs: [
      "images": .list(images), "zones": .list(form.zones.map { .string($0.key) }),
    ])
  }

  func liveCheck(_ call: ActionCall) async throws(StepFailure) -> [String] {
    try await cloud.problems(call, acting: false)
  }
}

/// From `active` or `stopped` into `rescued` (or booted from an ISO image), the server's own disk beside it.
struct ZomroBoot: CloudAction {
  enum Source: Sendable {
    case rescue, iso

    var function: String { self == .rescue ? "instances.fleio.rescue" : "instances.fleio.boot_from_iso" }
    /// The parameter, and the list of the form, that names the image.
    var field: String { self == .rescue ? "select_boot" : "select_boot_from_iso" }
    var passing: String { self == .rescue ? "rescuing" : "booting_from_iso" }
    var end: String { self == .rescue ? "rescued" : "booted_from_iso" }
  }

  let cloud: ZomroClient
  let source: Source
  let declaration: ActionDeclaration

  func capture(_ call: ActionCall) async throws(StepFailure) -> [String: Value] { try await cloud.captureServer(call) }

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    let id = try call.with.text("server")
    let password = try ZomroPassword.read(call)
    let image: ZomroChoice
    do { image = try await self.image(call) } catch {
      // A server that is there already may have no form to choose from.
      guard !error.retryable, try await cloud.server(id).nativeState == source.end else { throw error }
      return ActionResult(outputs: ["state": "rescue"])
    }
    var parameters: [(name: String, value: SecretPart)] = [
      ("elid", .plain(id)), (source.field, .plain(image.key)), ("zone", .plain(image.zone ?? "")),
    ]
    if let password { parameters.append(("password", .secret(password))) }
    if password == nil, source == .rescue {
      call.report("no `password` is given: the rescue system can be entered by the console at most")
    }
    let there = [source.end, source.passing]
    try await cloud.change(id, unless: { there.contains($0.nativeState) }) { () throws(StepFailure) in
      _ = try await cloud.send(.commit(source.function, parameters))
    }
    return ActionResult(outputs: ["state": "changing"])
  }

  func probe(_ call: ActionCall) async throws(StepFailure) -> ProbeAnswer {
    let server = try await cloud.server(try call.with.text("server"))
    switch server.nativeState {
    case source.end: return .applied(ActionResult(outputs: ["state": "rescue"]))
    case source.passing: return .applied(ActionResult(outputs: ["state": "changing"]))
    default: return server.state == .changing || server.state == .unknown ? .unsure : .notApplied
    }
  }

  func observe(_ call: ActionCall, after result: ActionResult) async throws(StepFailure) -> Observation {
    let server = try await cloud.server(try call.with.text("server"), asOf: call.asOf)
    if let end = cloud.dead(server, wanting: source.end) { return end }
    return cloud.seen(server.nativeState == source.end ? .done : .pending, server)
  }

  func isSettled(_ call: ActionCall) async throws(StepFailure) -> Bool {
    try await cloud.isAtRest(call, wanting: .rescue)
  }

  func liveCheck(_ call: ActionCall) async throws(StepFailure) -> [String] {
    var problems = try await cloud.problems(call)
    guard problems.isEmpty, call.with["server"] != nil, call.with["image"] != nil else { return problems }
    do {
      _ = try await image(call)
    } catch {
      guard error.kind == .input || error.kind == .notFound || error.kind == .conflict else { throw error }
      problems.append(error.message)
    }
    return problems
  }

  private func image(_ call: ActionCall) async throws(StepFailure) -> ZomroChoice {
    try await cloud.bootImage(
      source, server: try call.with.text("server"), try call.with.text("image"), in: try call.with.optionalText("zone"))
  }
}

/// Out of rescue, or of a boot from ISO. The server is `active` afterwards, even if it was stopped before.
struct ZomroUnrescue: CloudAction {
  let cloud: ZomroClient
  let declaration: ActionDeclaration

  func capture(_ call: ActionCall) async throws(StepFailure) -> [String: Value] { try await cloud.captureServer(call) }

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    let id = try call.with.text("server")
    let server = try await cloud.server(id)
    guard [.rescue, .changing, .running].contains(server.state) else {
      throw StepFailure(.conflict, "server \(id) is `\(server.nativeState)`: there is no rescue to leave")
    }
    // Already on its way: asked again it would be refused.
    if server.nativeState != "unrescuing" { try await cloud.unrescue(id) }
    return ActionResult(outputs: ["state": "changing"])
  }

  func probe(_ call: ActionCall) async throws(StepFailure) -> ProbeAnswer {
    let server = try await cloud.server(try call.with.text("server"))
    if server.state == .running { return .applied(ActionResult(outputs: ["state": "running"])) }
    if server.nativeState == "unrescuing" { return .applied(ActionResult(outputs: ["state": "changing"])) }
    return server.state == .rescue ? .notApplied : .unsure
  }

  func observe(_ call: ActionCall, after result: ActionResult) async throws(StepFailure) -> Observation {
    let server = try await cloud.server(try call.with.text("server"), asOf: call.asOf)
    if let end = cloud.dead(server, wanting: "running") { return end }
    return cloud.seen(server.state == .running ? .done : .pending, server)
  }

  func isSettled(_ call: ActionCall) async throws(StepFailure) -> Bool {
    try await cloud.isAtRest(call, wanting: .running)
  }
  func liveCheck(_ call: ActionCall) async throws(StepFailure) -> [String] { try await cloud.problems(call) }
}

extension ZomroClient {
  /// Leads out of rescue, and out of a boot from ISO.
  func unrescue(_ id: String) async throws(StepFailure) {
    try await act("instances.fleio.unrescue", id) { $0.state == .running || $0.nativeState == "unrescuing" }
  }

  /// What the form offers to boot from. Zones are told by the reply, never assumed.
  func bootForm(
    _ source: ZomroBoot.Source, server: String
  ) async throws(StepFailure) -> (images: [ZomroChoice], zones: [ZomroChoice]) {
    try checkID(server, "server")
    do {
      return try await send(.read(source.function, [("elid", server)])).decode { form throws(SchemaError) in
        (images: try form.choices(source.field), zones: try form.choices("zone"))
      }
    } catch {
      throw error.kind == .notFound ? error.renamed("Zomro has no server \(server)") : error
    }
  }

  /// - Parameter zone: only images of this zone; nil: of any.
  func bootImage(
    _ source: ZomroBoot.Source, server: String, _ wanted: String, in zone: String?
  ) async throws(StepFailure) -> ZomroChoice {
    let form = try await bootForm(source, server: server)
    guard let zone, !zone.isEmpty else {
      return try ZomroChoice.named(wanted, among: form.images, "server \(server) cannot be booted from")
    }
    let zones = form.images.compactMap { $0.zone }.reduce(into: form.zones.map { $0.key }) { zones, zone in
      if !zones.contains(zone) { zones.append(zone) }
    }
    guard zones.contains(zone) else {
      let offered = zones.prefix(10).map { "`\($0.excerpt(40))`" }.joined(separator: ", ")
      throw StepFailure(
        .input, "`zone` cannot be `\(zone.excerpt(40))`: Zomro offers \(offered.isEmpty ? "none" : offered)")
    }
    return try ZomroChoice.named(
      wanted, among: form.images.filter { $0.zone == zone },
      "server \(server) cannot be booted from zone `\(zone.excerpt(40))` with")
  }
}

extension ZomroChoice {
  /// The one of this id; else the one of this whole name, as its owner or Zomro calls it; else the one whose system is
  /// called so.
  /// - Parameter refusal: how a sentence begins that says there is none.
  static func named(
    _ wanted: String, among choices: [ZomroChoice], _ refusal: String
  ) throws(StepFailure) -> ZomroChoice {
    if let image = choices.first(where: { $0.key == wanted }) { return image }
    var hits = choices.filter { $0.shownName == wanted }
    if hits.isEmpty { hits = choices.filter { $0.text == wanted } }
    guard let image = hits.first else {
      let names = choices.prefix(20).map { $0.fullName.excerpt(80) }.joined(separator: ", ")
      throw StepFailure(
        .notFound, "\(refusal) `\(wanted.excerpt(80))`; Zomro offers \(names.isEmpty ? "nothing" : names)")
    }
    guard hits.count == 1 else {
      let ids = hits.prefix(5).map { $0.key }.joined(separator: ", ")
      throw StepFailure(
        .conflict, "\(hits.count) images are named `\(wanted.excerpt(80))` (\(ids)): name one by its id")
    }
    return image
  }
}

/// Passwords for systems, by the stricter of the two rules that are known.
enum ZomroPassword {
  static let rule =
    "8 to 48 printable ASCII characters without spaces and `\"#%&'()*;<>?@|`, "
    + "with a capital, a small letter and a digit"

  static func read(_ call: ActionCall) throws(StepFailure) -> Secret? {
    guard let text = try call.with.revealed("password"), !text.isEmpty else { return nil }
    guard isGood(text) else { throw StepFailure.unfit("`password` must be \(rule)") }
    if case .secret(let secret)? = call.with["password"] { return secret }
    return Secret(text, named: [])
  }

  static func isGood(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    guard (8...48).contains(bytes.count) else { return false }
    let forbidden = Array("\"#%&'()*;<>?@|".utf8)
    guard bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7f && !forbidden.contains($0) }) else { return false }
    return bytes.contains { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }
      && bytes.contains { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }
      && bytes.contains { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
  }
}
