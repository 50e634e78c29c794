import ProviderKit
import Runbook

/// Any call of the API, for what the vocabulary does not have. Opaque unless the author says more.
struct VPSOrgRawRequest: VPSOrgAction {
  static let declaration = ActionDeclaration(
    "vps_org.request", "make any call of the VPS.org API; succeeds on 2xx",
    fields: [
      Field("method", .choice(["GET", "POST", "PUT", "PATCH", "DELETE"]), default: "GET", help: "default `GET`"),
      Field(
        "path", .string, required: true, help: "below the API's root: `/servers/12345/`; the last slash may be left out"
      ),
      Field("query", .stringMap, help: "arguments of the URL"),
      Field("json", .any, acceptsSecret: true, help: "the body"),
    ],
    outputs: result, effect: .change, class: .opaque, suggestedUndo: "none", result: result
  ).changing(.mayFree)
  private static let result: [String: ValueType] = ["status": .int, "body": .string, "json": .any]
  let client: VPSOrgClient

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    let path = try call.with.text("path")
    let segments = path.split(separator: "/").map { String($0) }
    guard !segments.isEmpty, !path.contains("//"), !path.contains(where: { "?#\\".contains($0) }),
      segments.allSatisfy({ $0.isUsableID })
    else {
      throw StepFailure.unfit("`path` must be like `/servers/12345/`; arguments go into `query`")
    }
    var request = VPSOrgRequest(
      method: try call.with.optionalText("method") ?? "GET", path: segments, json: call.with["json"])
    for (name, value) in (call.with["query"]?.map ?? [:]).sorted(by: { $0.key < $1.key }) {
      request.query.append((name, try Arguments([name: value]).text(name)))
    }
    let reply = try await client.send(request)
    let body = String(decoding: reply.response.body, as: UTF8.self)
    let json = (try? JSONReader.read(reply.response.body)) ?? .null
    let facts: [String: Value] = [
      "status": .int(Int64(reply.response.status)), "body": .string(body), "json": json,
    ]
    return ActionResult(outputs: facts, result: facts)
  }
}
