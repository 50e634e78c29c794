import ProviderKit
import Runbook

/// Any call of the API, for what the vocabulary does not have. A change is awaited until its job has ended. Opaque
/// unless the author says more.
struct ZStackRawRequest: StandardAction {
  static let declaration = ActionDeclaration(
    "zstack.request", "make any call of the ZStack API; a change is awaited until its job has ended",
    fields: [
      Field("method", .choice(["GET", "POST", "PUT", "DELETE"]), default: "GET", help: "default `GET`"),
      Field("path", .string, required: true, help: "below `/v1`: `/vm-instances/{uuid}/actions`"),
      Field("query", .stringMap, help: "arguments of the URL"),
      Field("json", .any, acceptsSecret: true, help: "the body: `{params: …}` of a POST, `{call: …}` of a PUT"),
    ],
    outputs: result, effect: .change, class: .opaque, timeout: .seconds(3600), suggestedUndo: "none", result: result)
  private static let result: [String: ValueType] = ["status": .int, "body": .string, "json": .any]
  let cloud: ZStackClient
  let declaration: ActionDeclaration
  var maxRequestLife: Duration { cloud.maxRequestLife }

  init(cloud: ZStackClient, declaration: ActionDeclaration) {
    self.cloud = cloud
    self.declaration = declaration
  }

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    let path = try call.with.text("path")
    let segments = path.split(separator: "/").map { String($0) }
    guard !segments.isEmpty, !path.contains("//"), !path.contains(where: { "?#\\".contains($0) }),
      segments.allSatisfy({ $0.isUsableID })
    else {
      throw StepFailure.unfit("`path` must be like `/vm-instances/{uuid}`; arguments go into `query`")
    }
    var request = ZStackRequest(
      method: try call.with.optionalText("method") ?? "GET", path: segments, json: call.with["json"])
    for (name, value) in (call.with["query"]?.map ?? [:]).sorted(by: { $0.key < $1.key }) {
      request.query.append((name, try Arguments([name: value]).text(name)))
    }
    if request.isRead {
      let reply = try await cloud.send(request)
      return facts(reply.response.status, String(decoding: reply.response.body, as: UTF8.self))
    }
    return try await ended(request, call)
  }

  private func ended(_ request: ZStackRequest, _ call: ActionCall) async throws(StepFailure) -> ActionResult {
    var job = try await cloud.start(request, key: call.key, purpose: declaration.name)
    var pause = Duration.seconds(2)
    while true {
      switch job {
      case .done(let body): return facts(200, JSONWriter.text(body))
      case .failed(let error):
        var failure = cloud.failure(error, of: request)
        if error.meaning == .failed || error.meaning == .infrastructure { failure.effect = .unknown }
        throw failure
      case .unknown:
        throw StepFailure(.notFound, "ZStack does not know the job of \(request.text) any more", effect: .unknown)
      case .running: break
      }
      guard call.clock.now + pause < call.deadline, !Task.isCancelled else {
        throw StepFailure(
          .timeout, "the job of \(request.text) has not ended: ZStack says that it is still running", effect: .unknown)
      }
      await call.clock.sleep(for: pause)
      pause = min(pause * 1.5, .seconds(15))
      do throws(StepFailure) { job = try await cloud.outcome(call.key, purpose: declaration.name) } catch {
        guard error.retryable else {
          var failure = error
          failure.effect = .unknown
          throw failure
        }
      }
    }
  }

  private func facts(_ status: Int, _ body: String) -> ActionResult {
    let facts: [String: Value] = [
      "status": .int(Int64(status)), "body": .string(body), "json": (try? JSONReader.read(body)) ?? .null,
    ]
    return ActionResult(outputs: facts, result: facts)
  }
}
