import Runbook
import TestSupport
import Testing

/// A changing action of one cloud, with what must be there before it.
struct ChangingAction: Sendable, CustomTestStringConvertible {
  /// How an action ends whose reply, or request, was lost.
  enum End: Sendable {
    /// Found again or sent again: one effect.
    case once
    /// Found while there is something to find; else a person is asked. Never sent twice.
    case oneOrAsked
    /// Nothing tells; sent again, which is the same end.
    case again
  }

  var cloud: CloudUnderTest
  var action: String
  var with: [String: Value] = [:]
  /// The request that is struck, in the twin's words; nil: the action's own name.
  var struck: String?
  /// What the twin's ledger calls the effect; nil: as what is struck.
  var ledger: String?
  var end = End.once
  /// Brings the world to where the action can be; returns further fields.
  var prepare: @Sendable (CloudWorld) async throws -> [String: Value] = { _ in [:] }

  /// Any call of the API, in the author's words.
  var isRaw: Bool { action.hasSuffix(".request") || action.hasSuffix(".call") }
  /// Not among those that `LostReplyTests` tries on every cloud.
  var isOwn: Bool {
    !LostReplyTests.effects.contains { $0.action == action } || isRaw
  }
  var operation: String { struck ?? action }
  var effect: String { ledger ?? operation }
  var testDescription: String { "\(cloud.type) \(action)" + (struck.map { " (\($0))" } ?? "") }

  static let all = CloudUnderTest.all.flatMap { cloud in
    (common(cloud) + own(cloud)).filter { row in (try? cloud.offers(row.action)) == true }
  }

  /// The world in which it can be carried out, and all its fields.
  func world() async throws -> (world: CloudWorld, with: [String: Value]) {
    let world = try CloudWorld(cloud)
    let more = try await prepare(world)
    return (world, with.merging(more) { _, made in made })
  }

  /// What the run has created before, for what deletes only that.
  func created(_ with: [String: Value]) -> [Value] { action == "server.delete" ? [with["server"] ?? .null] : [] }

  // MARK: What every cloud has

  private static func common(_ cloud: CloudUnderTest) -> [ChangingAction] {
    func row(
      _ action: String, _ with: [String: Value] = [:], struck: String? = nil, end: End = .once,
      _ prepare: @escaping @Sendable (CloudWorld) async throws -> [String: Value] = { _ in [:] }
    ) -> ChangingAction {
      ChangingAction(cloud: cloud, action: action, with: with, struck: struck, end: end, prepare: prepare)
    }
    var rows = [
      row("server.stop"),
      row("server.start") { world in
        try await world.run("server.stop", key: "stopped")
        return [:]
      },
      row("server.reboot", end: cloud.type == "zomro" ? .oneOrAsked : .once),
    ]
    for word in ["snapshot", "backup"] {
      let made: @Sendable (CloudWorld) async throws -> [String: Value] = { world in
        [word: try await ChangingAction.make(word, in: world)]
      }
      let doomed: @Sendable (CloudWorld) async throws -> [String: Value] = { world in
        _ = try await ChangingAction.make(word, in: world)
        return [:]
      }
      rows += [
        row("\(word).create", ["name": "pre-1"]),
        row(
          "\(word).restore", ["power": "stopped"],
          // Where the server is stopped first, its last change says nothing about the restore.
          end: ["zomro", "./strict.yaml"].contains(cloud.type) ? .oneOrAsked : .once, made),
        row("\(word).delete", [:], made),
        row("\(word).prune", ["keep": 0, "prefix": "made-"], struck: "\(word).delete", doomed),
      ]
    }
    return rows
  }

  /// The id of a new one, or of one that is there where only the cloud itself makes them.
  private static func make(_ word: String, in world: CloudWorld) async throws -> Value {
    guard try world.cloud.offers("\(word).create") else {
      return try #require(try await world.run("\(word).list")["\(word)s"]?.list?.first?["id"])
    }
    return try #require(try await world.run("\(word).create", ["name": "made-1"], key: "made")["id"])
  }

  // MARK: What one has

  private static func own(_ cloud: CloudUnderTest) -> [ChangingAction] {
    switch cloud.type {
    case "vps_org":
      [
        ChangingAction(
          cloud: cloud, action: "vps_org.request",
          with: ["method": "POST", "path": "/snapshots/", "json": ["server_id": 12345, "name": "raw"]],
          struck: "snapshot.create", end: .oneOrAsked)
      ]
    case "zomro": zomro(cloud)
    case "zstack": zstack(cloud)
    default: []
    }
  }

  private static func zomro(_ cloud: CloudUnderTest) -> [ChangingAction] {
    let rescue: [String: Value] = ["image": "Debian 12", "password": .secret(Secret("Rescue1word", named: ["p"]))]
    let nightly: [String: Value] = ["name": "nightly", "days": "1,3", "time": "03:30"]
    let image: @Sendable (CloudWorld) async throws -> [String: Value] = { world in
      ["image": try #require(try await world.run("zomro.images")["images"]?.list?.first?["id"])]
    }
    func row(
      _ action: String, _ with: [String: Value] = [:], _ struck: String, end: End = .once,
      _ prepare: @escaping @Sendable (CloudWorld) async throws -> [String: Value] = { _ in [:] }
    ) -> ChangingAction {
      ChangingAction(cloud: cloud, action: action, with: with, struck: struck, end: end, prepare: prepare)
    }
    return [
      row(
        "zomro.change_password", ["password": .secret(Secret("Change1word", named: ["p"]))], "server.password",
        end: .again),
      row(
        "zomro.rebuild",
        ["image": "Debian 12", "password": .secret(Secret("Rebuild1word", named: ["p"])), "power": "stopped"],
        "server.rebuild", end: .oneOrAsked),
      row("rescue.enter", rescue, "rescue.enter"),
      row("rescue.exit", [:], "rescue.exit") { world in
        try await world.run("rescue.enter", rescue, key: "in")
        return [:]
      },
      row("zomro.boot_iso", ["image": "SystemRescue 11"], "iso.mount"),
      row("zomro.eject_iso", [:], "iso.unmount") { world in
        try await world.run("zomro.boot_iso", ["image": "SystemRescue 11"], key: "in")
        return [:]
      },
      row("zomro.image_edit", ["name": "bar"], "image.edit", image),
      row("zomro.image_copy", ["name": "copy-1", "region": "Poland-1"], "image.copy", image),
      row("zomro.image_delete", [:], "image.delete", image),
      row("zomro.schedule_create", nightly, "schedule.edit"),
      row("zomro.schedule_delete", [:], "schedule.delete") { world in
        ["schedule": try #require(try await world.run("zomro.schedule_create", nightly, key: "made")["id"])]
      },
      row(
        "zomro.call", ["func": "service.stop", "params": ["elid": .string(cloud.server)]], "server.stop",
        end: .oneOrAsked),
    ]
  }

  private static func zstack(_ cloud: CloudUnderTest) -> [ChangingAction] {
    let actions = "/vm-instances/\(cloud.server)/actions"
    func row(
      _ action: String, _ with: [String: Value] = [:], _ struck: String, ledger: String? = nil, end: End = .once,
      _ prepare: @escaping @Sendable (CloudWorld) async throws -> [String: Value] = { _ in [:] }
    ) -> ChangingAction {
      ChangingAction(
        cloud: cloud, action: action, with: with, struck: struck, ledger: ledger, end: end, prepare: prepare)
    }
    let paused: @Sendable (CloudWorld) async throws -> [String: Value] = { world in
      try await world.run("zstack.pause", key: "paused")
      return [:]
    }
    let image: @Sendable (CloudWorld) async throws -> [String: Value] = { world in
      ["image": try #require(try await world.run("rescue.images")["images"]?.list?.first?["id"])]
    }
    let inRescue: @Sendable (CloudWorld) async throws -> [String: Value] = { world in
      try await world.run("rescue.enter", try await image(world), key: "in")
      return [:]
    }
    let deleted: @Sendable (CloudWorld) async throws -> [String: Value] = { world in
      let id = try await newServer(in: world)
      try await world.run("server.delete", ["server": id], key: "gone", created: [id])
      return ["server": id]
    }
    return [
      row("zstack.pause", [:], "server.pause"), row("zstack.resume", [:], "server.resume", paused),
      row("server.delete", [:], "server.delete") { ["server": try await newServer(in: $0)] },
      row("zstack.recover", [:], "server.recover", deleted),
      row("backup.restore_as", ["name": "drill"], "backup.restore_as", ledger: "server.create") { world in
        ["backup": try await make("backup", in: world)]
      },
      row("backup.sync", [:], "backup.sync"),
      row("zstack.backup_copy", [:], "backup.copy") { world in
        let stores = try await world.run("zstack.request", ["path": "/backup-storage"], key: "stores")["json"]
        let ids = stores?["inventories"]?.list?.compactMap { $0["uuid"] } ?? []
        let own = cloud.settings["backup_storage"]
        let other = try #require(ids.first { $0 != own }, "there is one store only")
        return ["backup": try await make("backup", in: world), "from": own ?? .null, "to": other]
      },
      row("rescue.enter", [:], "iso.attach", image), row("rescue.enter", [:], "server.boot_order", image),
      row("rescue.enter", [:], "server.reboot", image), row("rescue.exit", [:], "iso.detach", inRescue),
      row("rescue.exit", [:], "server.boot_order", inRescue), row("rescue.exit", [:], "server.reboot", inRescue),
      row(
        "zstack.request", ["method": "PUT", "path": .string(actions), "json": ["stopVmInstance": [:]]], "server.stop",
        end: .oneOrAsked),
    ]
  }

  private static func newServer(in world: CloudWorld) async throws -> Value {
    let backup = try await make("backup", in: world)
    return try #require(try await world.run("backup.restore_as", ["backup": backup, "name": "drill"], key: "as")["id"])
  }
}
