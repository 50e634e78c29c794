import ProviderKit
import Runbook

/// Zomro as the actions that mean the same everywhere see it.
extension ZomroClient: RemoteCloud {
  var service: String { "Zomro" }

  /// How many manual backups or snapshots a server may be given in a day.
  static let dailyLimit: Int64 = 5
  func limit(_ kind: ItemKind) -> Int? { kind == .backup ? 100 : nil }

  /// Whole: the filter is cleared first.
  func servers() async throws(StepFailure) -> [CloudServer] { try await servers(isDoubted: true) }

  private func servers(isDoubted: Bool) async throws(StepFailure) -> [CloudServer] {
    try await list(
      "instances", [], isDoubted: isDoubted, { line throws(SchemaError) in try CloudServer(zomro: line) }, id: { $0.id }
    ).lines
  }

  /// There is no way to read one alone. One that a list does not show may be hidden by a filter.
  func server(_ id: String, asOf: Duration?) async throws(StepFailure) -> CloudServer {
    try checkID(id, "server")
    if let asOf, let watch, let server = try await watch.server(id, asOf: asOf) { return server }
    var server = try await servers(isDoubted: false).first { $0.id == id }
    if server == nil { server = try await servers(isDoubted: true).first { $0.id == id } }
    guard let server, server.state != .absent else { throw StepFailure(.notFound, "Zomro has no server \(id)") }
    return server
  }

  func items(
    _ kind: ItemKind, server: String?, type: String?, asOf: Duration?
  ) async throws(StepFailure) -> [CloudItem] {
    guard let server else {
      throw StepFailure.unfit("Zomro lists \(kind.rawValue)s by server: `server` is needed")
    }
    return try await images(kind, server: server, isDoubted: true).lines.map { $0.item }.filter { item in
      type == nil || item.isManual == (type == "manual")
    }
  }

  func item(
    _ kind: ItemKind, _ id: String, server: String?, asOf: Duration?
  ) async throws(StepFailure) -> CloudItem? {
    try await image(kind, id, server: server)?.item
  }

  /// The server's backups or snapshots, with the day's counters in the document.
  func images(
    _ kind: ItemKind, server: String, isDoubted: Bool = false
  ) async throws(StepFailure) -> Listing<ZomroImage> {
    try checkID(server, "server")
    do {
      return try await list(
        kind.zomroList, [("elid", server)], isDoubted: isDoubted,
        { line throws(SchemaError) in try ZomroImage(line, kind, server: server, zone: zone) }, id: { $0.item.id })
    } catch {
      throw error.kind == .notFound ? error.renamed("Zomro has no server \(server)") : error
    }
  }

  /// Of the server's list; without a server, of its own form.
  func image(_ kind: ItemKind, _ id: String, server: String?) async throws(StepFailure) -> ZomroImage? {
    try checkID(id, kind.rawValue)
    if let server {
      if let image = try await images(kind, server: server).lines.first(where: { $0.item.id == id }) { return image }
      return try await images(kind, server: server, isDoubted: true).lines.first { $0.item.id == id }
    }
    do {
      return try await send(.read("image.edit", [("elid", id)])).decode { form throws(SchemaError) in
        try ZomroImage(form, kind, server: nil, zone: zone, id: id)
      }
    } catch {
      if error.detail["type"] == "missed" { return nil }
      throw error
    }
  }

  /// The images the account made itself. Whole: the filter is cleared first.
  func ownImages() async throws(StepFailure) -> [ZomroImage] {
    try await list(
      "image", isDoubted: true,
      { line throws(SchemaError) in try ZomroImage(line, .backup, server: nil, zone: zone) },
      id: { $0.item.id }
    ).lines
  }

  /// With all three of the documented parameters: where the server is not named, it is looked for.
  func delete(
    _ kind: ItemKind, _ id: String, server: String?, key: String, until deadline: Timestamp
  ) async throws(StepFailure) -> Bool {
    try checkID(id, kind.rawValue)
    var owner = server
    if owner == nil { owner = try await self.owner(of: id, kind) }
    guard let owner else {
      guard try await image(kind, id, server: nil) != nil else { return false }
      throw StepFailure(
        .input,
        "no server of the account lists \(kind.rawValue) \(id), and Zomro deletes none without its server: "
          + "give `server`; an image of the account is deleted with `zomro.image_delete`")
    }
    return try await deleteImage(id, server: owner)
  }

  /// - Parameter server: whose; nil for an image that belongs to no server.
  /// - Returns: whether there was one to delete.
  func deleteImage(_ id: String, server: String?) async throws(StepFailure) -> Bool {
    try checkID(id, "image")
    var parameters: [(name: String, value: SecretPart)] = [("elid", .plain(id)), ("elname", .plain(id))]
    if let server { parameters.append(("plid", .plain(server))) }
    do {
      _ = try await send(.commit("image.delete", parameters))
      return true
    } catch {
      // That the server is missing says nothing of the image.
      if error.detail["type"] == "missed", error.detail["object"] != "plid" { return false }
      throw error
    }
  }

  /// The server whose list shows it; nil if none does.
  func owner(of id: String, _ kind: ItemKind) async throws(StepFailure) -> String? {
    for server in try await servers() where server.state != .absent {
      if try await images(kind, server: server.id, isDoubted: true).lines.contains(where: { $0.item.id == id }) {
        return server.id
      }
    }
    return nil
  }

  func checkID(_ id: String, _ what: String) throws(StepFailure) {
    guard id.isUsableID else { throw StepFailure.unfit("`\(id.excerpt(40))` cannot be the id of a \(what)") }
  }
}

extension ItemKind {
  /// The function that lists them.
  var zomroList: String { self == .backup ? "instances.fleio_bckps" : "instances.snapshots" }
}
