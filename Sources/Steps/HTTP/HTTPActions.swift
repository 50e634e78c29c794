import Runbook

/// An action that makes one request.
protocol HTTPAction: StandardAction {}

extension HTTPAction {
  /// `max_request_life`, or the request's `timeout` and a minute for what stands between us and the server. A value
  /// that is no duration above zero is refused when the request is made; here it counts as not given.
  func maxRequestLife(of call: ActionCall) -> Duration {
    if case .duration(let life)? = call.with["max_request_life"], life > .zero { return life }
    if case .duration(let timeout)? = call.with["timeout"], timeout > .zero { return timeout + .seconds(60) }
    return HTTPFields.defaultTimeout + .seconds(60)
  }
}

/// `http.get`: reads. As a probe of `wait_for` it is asked until the answer is 2xx, or `until` holds.
struct HTTPGetAction: HTTPAction {
  static let declaration = HTTPFields.declaration(
    "get", "fetches a URL", effect: .none, class: .convergent, body: false)
  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult { try await HTTPCall("GET").make(call) }
}

/// `http.post`: no server promises anything for a POST that is sent twice, so a lost answer stays unknown.
struct HTTPPostAction: HTTPAction {
  static let declaration = HTTPFields.declaration("post", "posts to a URL", effect: .change, class: .opaque, body: true)
  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult { try await HTTPCall("POST").make(call) }
}

/// `http.patch`: a patch may be relative ("add one"), so it counts as a POST does.
struct HTTPPatchAction: HTTPAction {
  static let declaration = HTTPFields.declaration(
    "patch", "sends a PATCH to a URL", effect: .change, class: .opaque, body: true)
  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult { try await HTTPCall("PATCH").make(call) }
}

/// `http.put`: the same PUT again has no further effect (RFC 9110, 9.2.2), so after a lost answer it is repeated.
struct HTTPPutAction: HTTPAction {
  static let declaration = HTTPFields.declaration(
    "put", "puts content at a URL", effect: .change, class: .convergent, body: true)
  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult { try await HTTPCall("PUT").make(call) }
}

/// `http.delete`: idempotent like PUT. A repeated one may find nothing left: that is a 404, and a failure unless the
/// author accepts it (`expect: result.status in [204, 404]`), because it may as well be a wrong URL.
struct HTTPDeleteAction: HTTPAction {
  static let declaration = HTTPFields.declaration(
    "delete", "sends a DELETE to a URL", effect: .destroy, class: .convergent, body: true)
  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult { try await HTTPCall("DELETE").make(call) }
}
