import ProviderKit
import Runbook

/// ZStack has no rescue: an ISO image is put into a drive, the drive goes before the disk in the boot order, and the
/// machine is restarted. A recipe of documented calls, not an operation of ZStack; its state stays `Running` there.
struct ZStackRescue: ZStackChange {
  let cloud: ZStackClient
  /// False: back to the disk.
  let enters: Bool
  let declaration: ActionDeclaration

  func capture(_ call: ActionCall) async throws(StepFailure) -> [String: Value] {
    if try call.with.revealed("password")?.isEmpty == false {
      throw StepFailure.unfit("ZStack sets no password for a rescue: it is the image's own; leave `password` out")
    }
    return try await cloud.captureServer(call)
  }

  /// The restart: the last and longest step of the recipe.
  func request(_ call: ActionCall) async throws(StepFailure) -> ZStackRequest {
    let server = try await cloud.server(try call.with.text("server"))
    return (server.state == .stopped ? ZStackPower.start : .reboot).request(server.id)
  }

  /// What put an image into the drive and then could not go on has done something.
  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    do throws(StepFailure) { return try await carryOut(call) } catch {
      guard error.effect == .none, let id = try? call.with.text("server"), let machine = try? await cloud.machine(id),
        machine.images.isEmpty != enters
      else { throw error }
      var failure = error
      failure.effect = .applied
      throw failure
    }
  }

  func prepare(_ call: ActionCall) async throws(StepFailure) -> ActionResult? {
    guard case .unknown = try await cloud.outcome(call.key, purpose: declaration.name) else { return nil }
    let machine = try await cloud.machine(try call.with.text("server"))
    let id = machine.server.id
    if enters {
      let image = try await image(try call.with.text("image"))
      if !machine.images.contains(image) {
        try await step(.create(["vm-instances", id, "iso", image], [:]), call, "iso")
      }
      try await order(["CdRom", "HardDisk"], id, call)
    } else {
      for image in machine.images {
        var request = ZStackRequest(method: "DELETE", path: ["vm-instances", id, "iso"])
        request.query = [("isoUuid", image)]
        try await step(request, call, "iso \(image)")
      }
      try await order(["HardDisk"], id, call)
    }
    return nil
  }

  private func order(_ devices: [Value], _ id: String, _ call: ActionCall) async throws(StepFailure) {
    try await step(
      .action(["vm-instances", id], "setVmBootOrder", ["uuid": .string(id), "bootOrder": .list(devices)]), call, "order"
    )
  }

  /// A short job of the recipe, awaited: the next one needs it. Its id follows from the call's key as well, and what it
  /// asks for may be asked again.
  private func step(_ request: ZStackRequest, _ call: ActionCall, _ purpose: String) async throws(StepFailure) {
    let end = min(call.deadline, call.clock.now + .seconds(300))
    var job = try await cloud.start(request, key: call.key, purpose: purpose)
    var looks = 0
    while true {
      looks += 1
      switch job {
      case .done: return
      case .failed(let error): throw cloud.failure(error, of: request)
      case .unknown, .running: break
      }
      guard call.clock.now < end || looks < 10, !Task.isCancelled else {
        throw StepFailure(.timeout, "ZStack did not finish \(request.text) in five minutes", effect: .unknown)
      }
      await call.clock.sleep(for: .seconds(2))
      job = try await cloud.outcome(call.key, purpose: purpose)
    }
  }

  /// By id, or by the whole name.
  private func image(_ wanted: String) async throws(StepFailure) -> String {
    let images = try await cloud.isoImages()
    let hits = images.filter { $0["id"] == .string(wanted) || $0["name"] == .string(wanted) }
      .compactMap { $0["id"]?.string }
    guard let hit = hits.first, hit.isZStackID else {
      throw StepFailure(.notFound, "ZStack has no enabled ISO image `\(wanted.excerpt(80))`: see `rescue.images`")
    }
    guard hits.count == 1 || hits.contains(wanted) else {
      throw StepFailure(
        .conflict, "ZStack has \(hits.count) ISO images named `\(wanted.excerpt(80))`: name one by its id")
    }
    return hits.contains(wanted) ? wanted : hit
  }

  func outputs(_ body: Value, _ call: ActionCall) throws(StepFailure) -> [String: Value]? { ["state": "changing"] }

  /// The drive tells that the recipe was not begun; nothing tells that the restart was made.
  func evidence(_ call: ActionCall) async throws(StepFailure) -> ProbeAnswer {
    let machine = try await cloud.machine(try call.with.text("server"))
    return machine.images.isEmpty == enters ? .notApplied : .unsure
  }

  func arrived(_ call: ActionCall, after result: ActionResult) async throws(StepFailure) -> Observation {
    var seen = try await cloud.arrival(try call.with.text("server"), .running, asOf: call.asOf, after: result)
    if seen.verdict == .done, enters { seen.result.outputs["state"] = .string(PowerState.rescue.rawValue) }
    return seen
  }
}

/// The ISO images that `rescue.enter` can start from.
struct ZStackRescueImages: CloudAction {
  let cloud: ZStackClient
  let declaration: ActionDeclaration

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    ActionResult(outputs: ["images": .list(try await cloud.isoImages())])
  }

  func liveCheck(_ call: ActionCall) async throws(StepFailure) -> [String] {
    try await cloud.problems(call, acting: false)
  }
}
