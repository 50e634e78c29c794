import Runbook

/// What all `http.*` actions take and give.
enum HTTPFields {
  static let defaultTimeout = Duration.seconds(30)

  static func declaration(
    _ method: String, _ summary: String, effect: ActionEffect, class effectClass: EffectClass, body: Bool
  ) -> ActionDeclaration {
    ActionDeclaration(
      "http.\(method)", summary, fields: [url, headers, query] + (body ? [json, text] : []) + common, effect: effect,
      class: effectClass, isDiagnostic: effect == .none, result: result
    ).given([.folder, .judgedStatus])
  }

  static let url = Field("url", .url, required: true, acceptsSecret: true, help: "`https://…`; may be a secret")
  static let headers = Field("headers", .stringMap, acceptsSecret: true, help: "request headers; values may be secrets")
  static let common = [
    Field(
      "timeout", .duration, default: .duration(defaultTimeout), help: "longest one request may take; default `30s`"),
    Field(
      "max_request_life", .duration,
      help: "how late a request that got no answer may still take effect; default: `timeout` and 60s"),
    Field("ca_file", .string, help: "PEM file of the authorities to trust instead of the system's"),
    Field("plain_http", .choice(["allow"]), help: "`allow`: permit `http://` beyond loopback"),
    Field(
      "redirects", .choice(["same_host", "none"]), default: "same_host",
      help: "`same_host`: follow up to five on the same scheme, host and port; `none`; default `same_host`"),
  ]

  private static let query = Field("query", .stringMap, help: "added to the URL, encoded")
  private static let json = Field("json", .any, acceptsSecret: true, help: "body, as JSON; may hold secrets")
  private static let text = Field("body", .string, acceptsSecret: true, help: "body, as text; not together with `json`")
  private static let result: [String: ValueType] = [
    "status": .int, "headers": .map(.string), "body": .string, "json": .any, "duration": .duration,
  ]
}

extension EngineField {
  /// True when the author's `expect` or `until` reads `result.status`: then no status is a failure by itself.
  static let acceptsAnyStatus = "_accept_any_status"
}
