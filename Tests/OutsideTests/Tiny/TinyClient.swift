import Runbook

/// The wire of the cloud: requests out, servers and failures in.
struct TinyClient: Sendable {
  struct Server: Sendable {
    var state: PowerState
    var native: String
    var size: Int64
  }

  let transport: any HTTPTransport
  let token: Secret

  func server(_ id: String) async throws(StepFailure) -> Server {
    let reply = try await send("GET", id, "", nil)
    guard let native = reply["state"]?.string, let size = reply["size"]?.int else {
      throw StepFailure(.server, "Tiny told no state of server \(id)")
    }
    let state: PowerState =
      switch native {
      case "on": .running
      case "off": .stopped
      default: .changing
      }
    return Server(state: state, native: native, size: size)
  }

  func put(_ id: String, _ what: String, _ value: Value) async throws(StepFailure) {
    _ = try await send("PUT", id, "/\(what)", ["to": value])
  }

  private func send(
    _ method: String, _ id: String, _ part: String, _ body: Value?
  ) async throws(StepFailure) -> Value {
    guard !id.isEmpty else { throw StepFailure.unfit("the id of the server is empty") }
    var request = HTTPRequest(
      method, "\(TinyCloud.origin)/servers/\(id)\(part)", headers: [(name: "authorization", value: token)],
      body: body.map { JSONWriter.bytes($0) })
    request.isRead = body == nil
    let response: HTTPResponse
    do { response = try await transport.send(request) } catch {
      throw StepFailure(
        .unreachable, "no answer from Tiny: \(error.message)",
        effect: error.beforeFirstByte || request.isRead ? .none : .unknown, retryable: true,
        beforeFirstByte: error.beforeFirstByte)
    }
    switch response.status {
    case 200: break
    case 404: throw StepFailure(.notFound, "Tiny has no server \(id)")
    case 409: throw StepFailure(.conflict, "server \(id) is not off at Tiny")
    default: throw StepFailure(.server, "Tiny answered \(response.status)", effect: request.isRead ? .none : .unknown)
    }
    guard let reply = try? JSONReader.read(response.body) else {
      throw StepFailure(.server, "Tiny did not answer in JSON", effect: request.isRead ? .none : .unknown)
    }
    return reply
  }
}

struct TinyStatus: Action {
  let client: TinyClient
  let declaration: ActionDeclaration

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    let server = try await client.server(try call.with.text("server"))
    return ActionResult(outputs: ["state": .string(server.state.rawValue), "size": .int(server.size)])
  }
}

struct TinyPower: Action {
  let client: TinyClient
  let wanted: PowerState
  let declaration: ActionDeclaration

  func capture(_ call: ActionCall) async throws(StepFailure) -> [String: Value] {
    ["state": .string(try await look(call).state.rawValue)]
  }

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    try await client.put(try call.with.text("server"), "power", wanted == .running ? "on" : "off")
    return ActionResult()
  }

  func probe(_ call: ActionCall) async throws(StepFailure) -> ProbeAnswer {
    switch try await look(call).state {
    case wanted, .changing: .applied(ActionResult())
    default: .notApplied
    }
  }

  func observe(_ call: ActionCall, after result: ActionResult) async throws(StepFailure) -> Observation {
    let server = try await look(call)
    let outputs: [String: Value] = ["state": .string(server.state.rawValue)]
    return Observation(
      server.state == wanted ? .done : .pending, nativeState: server.native, result: ActionResult(outputs: outputs))
  }

  func isSettled(_ call: ActionCall) async throws(StepFailure) -> Bool { try await look(call).state != .changing }

  private func look(_ call: ActionCall) async throws(StepFailure) -> TinyClient.Server {
    try await client.server(try call.with.text("server"))
  }
}

struct TinyResize: Action {
  let client: TinyClient
  let declaration: ActionDeclaration

  func capture(_ call: ActionCall) async throws(StepFailure) -> [String: Value] {
    ["size": .int(try await client.server(try call.with.text("server")).size)]
  }

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    guard let size = try call.with.int("size") else { throw StepFailure.unfit("`size` is missing") }
    try await client.put(try call.with.text("server"), "size", .int(size))
    return ActionResult()
  }

  func probe(_ call: ActionCall) async throws(StepFailure) -> ProbeAnswer {
    let size = try await client.server(try call.with.text("server")).size
    return size == (try call.with.int("size")) ? .applied(ActionResult()) : .notApplied
  }
}
