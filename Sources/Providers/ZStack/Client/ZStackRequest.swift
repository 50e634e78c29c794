import ProviderKit
import Runbook

/// A request to ZStack, before it has an address.
struct ZStackRequest: Sendable {
  var method: String
  /// Segments below `/v1`, unencoded.
  var path: [String]
  var query: [(String, String)] = []
  var json: Value?
  /// Our own id of the job that a change becomes; nil for what answers directly.
  var job: String?
  /// What messages call it instead of its path, where the path holds a secret.
  var label: String?

  static func read(_ path: [String], _ query: [(String, String)] = []) -> ZStackRequest {
    ZStackRequest(method: "GET", path: path, query: query)
  }

  /// `PUT /v1/{path}/actions {"name": {…}}`: the key of the body selects the call. Tags stand beside it.
  static func action(
    _ path: [String], _ name: String, _ parameters: [String: Value] = [:], tags: ZStackTags = ZStackTags()
  ) -> ZStackRequest {
    let body = tags.given.merging([name: .map(parameters)]) { _, call in call }
    return ZStackRequest(method: "PUT", path: path + ["actions"], json: .map(body))
  }

  /// `POST /v1/{path} {"params": {…}}`, tags beside it.
  static func create(
    _ path: [String], _ parameters: [String: Value], tags: ZStackTags = ZStackTags()
  ) -> ZStackRequest {
    ZStackRequest(
      method: "POST", path: path,
      json: ["params": .map(parameters), "systemTags": .list(tags.system), "userTags": .list(tags.user)])
  }

  /// - Parameters:
  ///   - mode: `Permissive` checks first, `Enforcing` hides errors.
  ///   - tags: the document puts them into a body; without any, none is sent.
  static func delete(
    _ path: [String], _ query: [(String, String)] = [], mode: String = "Permissive", tags: ZStackTags = ZStackTags()
  ) -> ZStackRequest {
    ZStackRequest(
      method: "DELETE", path: path, query: query + [("deleteMode", mode)],
      json: tags.given.isEmpty ? nil : .map(tags.given))
  }

  /// A read may be repeated freely; the effect of anything else is unknown while there is no answer.
  var isRead: Bool { method == "GET" || method == "HEAD" }

  /// For messages: `PUT /vm-instances/UUID/actions stopVmInstance`.
  var text: String {
    if let label { return label }
    let keys = json?.map?.keys.filter { !ZStackTags.names.contains($0) }.sorted() ?? []
    let name = path.last == "actions" ? keys.first.map { " \($0)" } ?? "" : ""
    return "\(method) /\(path.joined(separator: "/"))\(name)".excerpt(200)
  }

  /// What access keys sign: no query, no context, no encoding.
  var signedPath: String { "/v1/" + path.joined(separator: "/") }

  /// Below the API's root.
  var target: String {
    let arguments = query.map { "\($0.0.percentEncoded)=\($0.1.percentEncoded)" }.joined(separator: "&")
    let path = path.map { "/" + $0.percentEncoded }.joined()
    return arguments.isEmpty ? path : "\(path)?\(arguments)"
  }
}

/// Ids of jobs and resources that we choose ourselves: the same call always chooses the same.
enum ZStackID {
  /// A UUID of version 4 without its dashes, made from the call's key.
  /// - Parameters:
  ///   - key: `ActionCall.key`.
  ///   - purpose: the action's name; `stop`, `power` for what else its call needs.
  ///   - number: 0; 1 for the one repetition after a session was refused.
  static func make(_ key: String, _ purpose: String, _ number: Int = 0) -> String {
    var bytes = Array(SHA256.hash(Array("zstack\n\(key)\n\(purpose)\n\(number)".utf8)).prefix(16))
    guard bytes.count == 16 else { return "" }
    bytes[6] = bytes[6] & 0x0f | 0x40
    bytes[8] = bytes[8] & 0x3f | 0x80
    return Hex.text(bytes)
  }
}

extension String {
  /// What can stand in a path and in a condition of a query, whose operators (`=`, `>`, `~`, `,`) it must not hold.
  var isZStackID: Bool {
    (1...64).contains(utf8.count)
      && utf8.allSatisfy { byte in
        let lower = byte | 0x20
        return (lower >= 0x61 && lower <= 0x7a) || (byte >= 0x30 && byte <= 0x39) || byte == 0x2d || byte == 0x5f
      }
  }
}
