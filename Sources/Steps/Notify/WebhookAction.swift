import Runbook

/// `notify.webhook`: tells a chat room or a pager. POSTs `{"text": …}`, which the common ones understand.
///
/// Declared without effect although it is a POST: it changes no server, and after a crash a message that comes twice is
/// better than one that does not come, or than asking a person whether it came.
struct WebhookAction: HTTPAction {
  static let declaration = ActionDeclaration(
    "notify.webhook", "posts a message to a chat or pager hook",
    fields: [
      HTTPFields.url, HTTPFields.headers,
      Field("text", .string, help: "the message; sent as `{\"text\": …}`"),
      Field("json", .any, acceptsSecret: true, help: "further keys of the body, or all of it"),
    ] + HTTPFields.common,
    effect: .none, class: .opaque, isDiagnostic: true, result: ["status": .int, "body": .string, "json": .any]
  ).given([.folder])

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    var with = call.with.values
    with["json"] = try body(call.with, call.mask)
    var inner = ActionCall(
      with: Arguments(with), key: call.key, runID: call.runID, clock: call.clock, transport: call.transport,
      scripts: call.scripts, files: call.files, deadline: call.deadline, before: call.before,
      intendedAt: call.intendedAt, report: call.report)
    inner.mask = call.mask
    let answer: ActionResult
    do throws(StepFailure) { answer = try await HTTPCall("POST", isSafe: false).make(inner) } catch {
      throw error.withoutEffect
    }
    return ActionResult(result: answer.result.filter { ["status", "body", "json"].contains($0.key) })
  }

  private func body(_ with: Arguments, _ mask: ([UInt8]) -> [UInt8]) throws(StepFailure) -> Value {
    let text = try with.optionalText("text").map { HTTPText.shown($0, mask) }
    switch (text, with["json"]) {
    case (let text?, nil): return ["text": .string(text)]
    case (let text?, .map(let keys)?):
      guard keys["text"] == nil else { throw StepFailure.unfit("`text` is given twice: by itself and in `json`") }
      return .map(keys.merging(["text": .string(text)]) { own, _ in own })
    case (nil, let json?): return json
    case (_?, _?): throw StepFailure.unfit("`json` must be a map when `text` is given")
    case (nil, nil): throw StepFailure.unfit("`text` is missing: there is nothing to say")
    }
  }
}

extension StepFailure {
  /// A message is no change, but whether it has arrived is a fact of its own.
  var withoutEffect: StepFailure {
    guard effect == .unknown else { return self }
    var failure = self
    failure.effect = .none
    failure.detail["arrival"] = "unknown"
    return failure
  }
}
