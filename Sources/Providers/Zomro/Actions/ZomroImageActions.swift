import ProviderKit
import Runbook

/// The account's own images: what an order, a copy or an upload made.
struct ZomroImageList: CloudAction {
  let cloud: ZomroClient
  let declaration: ActionDeclaration

  /// `image` is what a restore or a rescue names it by: its `fleio_id`.
  static let facts = ItemVocabulary(word: "image", details: ZomroDetails.facts).facts
    .merging(["image": .string]) { ours, _ in ours }

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    let images = try await cloud.ownImages().map { image -> Value in
      .map(image.item.outputs.merging(["image": .string(image.fleioID)]) { ours, _ in ours })
    }
    return ActionResult(outputs: ["images": .list(images)])
  }
}

/// Renames an image, a backup or a snapshot, or sets whether it may be deleted: a desired state.
struct ZomroImageEdit: CloudAction {
  let cloud: ZomroClient
  let declaration: ActionDeclaration

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    let id = try call.with.text("image")
    guard let image = try await cloud.image(.backup, id, server: nil) else {
      throw StepFailure(.notFound, "Zomro has no image \(id)")
    }
    let name = try call.with.optionalText("name") ?? image.item.name
    let isProtected = try call.with.bool("protected") ?? image.item.isProtected
    _ = try await cloud.send(
      .commit(
        "image.edit",
        [
          ("elid", .plain(id)), ("image_name", .plain(name)), ("protected", .plain(isProtected ? "on" : "off")),
          ("clicked_button", .plain("ok")),
        ]))
    return ActionResult()
  }

  func probe(_ call: ActionCall) async throws(StepFailure) -> ProbeAnswer {
    guard let image = try await cloud.image(.backup, try call.with.text("image"), server: nil) else { return .unsure }
    let name = try call.with.optionalText("name") ?? image.item.name
    let isProtected = try call.with.bool("protected") ?? image.item.isProtected
    return image.item.name == name && image.item.isProtected == isProtected ? .applied(ActionResult()) : .notApplied
  }
}

/// Copies an image to another region; found again by its name among the new ones.
struct ZomroImageCopy: CloudAction {
  let cloud: ZomroClient
  let declaration: ActionDeclaration

  func capture(_ call: ActionCall) async throws(StepFailure) -> [String: Value] {
    let name = try call.with.text("name")
    return ["matching": .list(try await cloud.ownImages().filter { $0.item.name == name }.map { .string($0.item.id) })]
  }

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    let id = try call.with.text("image")
    let region = try call.with.text("region")
    let regions = try await cloud.send(.read("image.copy", [("elid", id)])).decode { form throws(SchemaError) in
      try form.choices("region")
    }
    guard regions.isEmpty || regions.contains(where: { $0.key == region || $0.text == region }) else {
      throw StepFailure(
        .input,
        "`region` cannot be `\(region.excerpt(60))`: Zomro offers \(regions.map { $0.text }.joined(separator: ", "))")
    }
    let key = regions.first { $0.text == region }?.key ?? region
    _ = try await cloud.send(
      .commit(
        "image.copy",
        [
          ("elid", .plain(id)), ("image_name", .plain(try call.with.text("name"))), ("region", .plain(key)),
          ("clicked_button", .plain("ok")),
        ]))
    do { return ActionResult(outputs: try await find(call)?.item.outputs ?? [:]) } catch { throw error.afterChange }
  }

  func probe(_ call: ActionCall) async throws(StepFailure) -> ProbeAnswer {
    guard let copy = try await find(call) else { return .notApplied }
    return .applied(ActionResult(outputs: copy.item.outputs))
  }

  func observe(_ call: ActionCall, after result: ActionResult) async throws(StepFailure) -> Observation {
    guard let copy = try await find(call) else { return Observation(.pending, result: result) }
    let outputs = ActionResult(outputs: copy.item.outputs)
    switch copy.item.state {
    case .ready: return Observation(.done, nativeState: copy.item.nativeState, result: outputs)
    case .creating: return Observation(.pending, nativeState: copy.item.nativeState, result: outputs)
    case .failed, .deleting, .absent:
      return Observation(
        .failed(
          StepFailure(
            .server, "the copy \(copy.item.id) is `\(copy.item.nativeState)`: Zomro did not finish it; delete it",
            effect: .applied)), nativeState: copy.item.nativeState, result: outputs)
    }
  }

  private func find(_ call: ActionCall) async throws(StepFailure) -> ZomroImage? {
    let name = try call.with.text("name")
    let known = call.before["matching"]?.list?.compactMap { $0.string } ?? []
    return try await cloud.ownImages().last { $0.item.name == name && !known.contains($0.item.id) }
  }
}

struct ZomroImageDelete: CloudAction {
  let cloud: ZomroClient
  let declaration: ActionDeclaration

  func capture(_ call: ActionCall) async throws(StepFailure) -> [String: Value] {
    let image = try await find(call)
    if let image, image.item.isProtected {
      throw StepFailure(
        .conflict, "image \(image.item.id) is protected: put `zomro.image_edit` with `protected: false` before")
    }
    return ["exists": .bool(image != nil)]
  }

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    if call.before["exists"] != false {
      let id = try call.with.text("image")
      // Backups and snapshots are images, too, and the document wants their server.
      var server: String?
      if !(try await cloud.ownImages().contains { $0.item.id == id }) {
        for kind in ItemKind.allCases where server == nil { server = try await cloud.owner(of: id, kind) }
      }
      _ = try await cloud.deleteImage(id, server: server)
    }
    return ActionResult()
  }

  func probe(_ call: ActionCall) async throws(StepFailure) -> ProbeAnswer {
    switch try await find(call)?.item.state {
    case nil, .absent, .deleting: .applied(ActionResult())
    default: .notApplied
    }
  }

  func observe(_ call: ActionCall, after result: ActionResult) async throws(StepFailure) -> Observation {
    Observation(try await isGone(call) ? .done : .pending, result: result)
  }

  private func isGone(_ call: ActionCall) async throws(StepFailure) -> Bool {
    guard let image = try await find(call) else { return true }
    return image.item.state == .absent
  }

  private func find(_ call: ActionCall) async throws(StepFailure) -> ZomroImage? {
    try await cloud.image(.backup, try call.with.text("image"), server: nil)
  }
}
