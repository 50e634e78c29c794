import ProviderKit
import Runbook

/// When Zomro takes backups by itself.
struct ZomroSchedule: Sendable {
  var id: String
  var name: String
  /// `0` is Sunday.
  var days: String
  /// `HH:MM`; the panel calls it GMT+3.
  var time: String

  init(_ line: Value) throws(SchemaError) {
    id = try ZomroWords.id(line)
    name = try line.element("name") ?? ""
    days = try line.element("rotation_days") ?? ""
    time = try line.element("rotation_time") ?? ""
  }

  static let facts: [String: ValueType] = ["id": .string, "name": .string, "days": .string, "time": .string]
  var outputs: [String: Value] {
    ["id": .string(id), "name": .string(name), "days": .string(days), "time": .string(time)]
  }
}

extension ZomroClient {
  func schedules(_ server: String) async throws(StepFailure) -> [ZomroSchedule] {
    try checkID(server, "server")
    let reply = try await send(.read("instances.fleio_bckps.schedule", [("elid", server)]))
    return try reply.decode { json throws(SchemaError) in
      var lines: [ZomroSchedule] = []
      for line in try json.many("elem") { lines.append(try ZomroSchedule(line)) }
      return lines
    }
  }
}

struct ZomroScheduleList: CloudAction {
  let cloud: ZomroClient
  let declaration: ActionDeclaration

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    let schedules = try await cloud.schedules(try call.with.text("server"))
    return ActionResult(outputs: ["schedules": .list(schedules.map { .map($0.outputs) })])
  }
}

/// Found again by its name among the new ones.
struct ZomroScheduleCreate: CloudAction {
  let cloud: ZomroClient
  let declaration: ActionDeclaration

  func capture(_ call: ActionCall) async throws(StepFailure) -> [String: Value] {
    let name = try call.with.text("name")
    let matching = try await cloud.schedules(try call.with.text("server")).filter { $0.name == name }
    if let taken = matching.first {
      throw StepFailure(.conflict, "there is a schedule named `\(name.excerpt(100))` already (\(taken.id))")
    }
    return ["matching": .list([])]
  }

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    let server = try call.with.text("server")
    _ = try await cloud.send(
      .commit(
        "instances.fleio_bckps.schedule.edit",
        [
          ("plid", .plain(server)), ("name", .plain(try call.with.text("name"))),
          ("rotation_days", .plain(try call.with.text("days"))), ("rotation_time", .plain(try call.with.text("time"))),
        ]))
    do { return ActionResult(outputs: try await find(call)?.outputs ?? [:]) } catch { throw error.afterChange }
  }

  func probe(_ call: ActionCall) async throws(StepFailure) -> ProbeAnswer {
    guard let schedule = try await find(call) else { return .notApplied }
    return .applied(ActionResult(outputs: schedule.outputs))
  }

  private func find(_ call: ActionCall) async throws(StepFailure) -> ZomroSchedule? {
    let name = try call.with.text("name")
    return try await cloud.schedules(try call.with.text("server")).first { $0.name == name }
  }
}

struct ZomroScheduleDelete: CloudAction {
  let cloud: ZomroClient
  let declaration: ActionDeclaration

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    let (id, server) = (try call.with.text("schedule"), try call.with.text("server"))
    guard try await cloud.schedules(server).contains(where: { $0.id == id }) else {
      call.report("schedule \(id) is already gone")
      return ActionResult()
    }
    do {
      _ = try await cloud.send(.act("instances.fleio_bckps.schedule.delete", [("elid", id), ("plid", server)]))
    } catch {
      guard error.detail["type"] == "missed" else { throw error }
    }
    return ActionResult()
  }

  func probe(_ call: ActionCall) async throws(StepFailure) -> ProbeAnswer {
    let id = try call.with.text("schedule")
    let isThere = try await cloud.schedules(try call.with.text("server")).contains { $0.id == id }
    return isThere ? .notApplied : .applied(ActionResult())
  }
}

/// Sets the password of a running server's administrator. The same password twice is the same end.
struct ZomroChangePassword: CloudAction {
  let cloud: ZomroClient
  let declaration: ActionDeclaration

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    let server = try call.with.text("server")
    guard let password = try ZomroPassword.read(call) else {
      throw StepFailure.unfit("`password` is missing or empty")
    }
    try await cloud.change(server) { () throws(StepFailure) in
      _ = try await cloud.send(
        .commit(
          "instances.fleio.changepassword",
          [("elid", .plain(server)), ("password", .secret(password)), ("clicked_button", .plain("ok"))]))
    }
    return ActionResult()
  }
}

/// Any function of the API, for what the vocabulary does not have. Opaque unless the author says more.
struct ZomroRawCall: CloudAction {
  let cloud: ZomroClient
  let declaration: ActionDeclaration

  static let result: [String: ValueType] = ["doc": .any]
  private static let ours: Set<String> = ["func", "auth", "authinfo", "out", "lang", "sok"]

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    let function = try call.with.text("func")
    guard function.utf8.count <= 100, function.unicodeScalars.allSatisfy({ $0.isASCII && $0.value > 0x20 }) else {
      throw StepFailure.unfit("`func` must be like `instances.edit`")
    }
    var parameters: [(name: String, value: SecretPart)] = []
    for (name, value) in (call.with["params"]?.map ?? [:]).sorted(by: { $0.key < $1.key }) {
      guard !ZomroRawCall.ours.contains(name) else {
        throw StepFailure.unfit("`\(name)` is set by the client: leave it out of `params`")
      }
      if case .secret(let secret) = value {
        parameters.append((name, .secret(secret)))
      } else {
        parameters.append((name, .plain(try Arguments([name: value]).optionalText(name) ?? "")))
      }
    }
    let isCommitted = try call.with.bool("commit") ?? false
    let reply = try await cloud.send(
      ZomroCall(function: function, parameters: parameters, isCommitted: isCommitted, isRead: false))
    let facts: [String: Value] = ["doc": try reply.document().hiding(reply.secrets)]
    return ActionResult(outputs: facts, result: facts)
  }
}
