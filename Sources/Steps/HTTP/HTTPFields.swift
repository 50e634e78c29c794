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
    ).given([.folder]).judged(by: "status")
  }

  static let url = Field("url", .url, required: true, acceptsSecret: true, help: "`https://…`; may be a secret")
  static let headers = Field("headers", .stringMap, acceptsSecret: true, help: "request headers; values may be secrets")
    .refusing(reserved)
  /// What the client says by itself, because it must be true of the connection and of the bytes that are sent.
  private static let reserved: [String: String] = {
    var reasons: [String: String] = [
      "content-length": "the length is that of the body", "transfer-encoding": "the body is sent as it is",
      "expect": "the body is sent at once", "trailer": "nothing is sent after the body",
    ]
    for name in ["connection", "keep-alive", "proxy-connection", "te", "upgrade", "http2-settings"] {
      reasons[name] = "it is about the connection, which is kept by the client"
    }
    return reasons
  }()
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

  private static let query = Field(
    "query", .stringMap, help: "added to the URL, encoded; a list gives the name once for each item"
  ).orLists
  private static let json = Field("json", .any, acceptsSecret: true, help: "body, as JSON; may hold secrets")
  private static let text = Field("body", .string, acceptsSecret: true, help: "body, as text; not together with `json`")
  private static let result: [String: ValueType] = [
    "status": .int, "headers": .map(.string), "body": .string, "json": .any, "duration": .duration,
  ]
}
