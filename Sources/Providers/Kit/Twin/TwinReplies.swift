package import Runbook

extension HTTPResponse {
  package static func json(_ status: Int, _ body: Value) -> HTTPResponse {
    HTTPResponse(
      status: status, headers: [(name: "content-type", value: "application/json")], body: JSONWriter.bytes(body))
  }

  /// A proxy's page where JSON is due.
  package static var html: HTTPResponse {
    HTTPResponse(
      status: 200, headers: [(name: "content-type", value: "text/html; charset=utf-8")],
      body: Array("<html><head><title>Maintenance</title></head><body>We will be back soon.</body></html>".utf8))
  }

  package static func fault(_ status: Int, retryAfter: Duration?) -> HTTPResponse {
    let texts = [
      403: "You do not have permission to perform this action.", 409: "The resource is busy.",
      423: "The resource is locked.",
      429: "Request was throttled.",
    ]
    guard status < 500 else {
      var response = HTTPResponse.html
      response.status = status
      if status == 503 { response.headers.append((name: "retry-after", value: seconds(retryAfter))) }
      return response
    }
    var response = HTTPResponse.json(status, ["detail": .string(texts[status] ?? "Refused.")])
    if status == 429 { response.headers.append((name: "retry-after", value: seconds(retryAfter))) }
    return response
  }

  private static func seconds(_ duration: Duration?) -> String { String((duration ?? .seconds(5)).components.seconds) }
}
