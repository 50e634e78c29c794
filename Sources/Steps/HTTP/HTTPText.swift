import Posix
import Runbook

/// Small conversions of what stands in a request.
enum HTTPText {
  /// Text to send, secret or not; nil for what has no one text.
  static func secret(_ value: Value) -> Secret? {
    switch value {
    case .secret(let secret): secret
    case .string(let text): Secret(text, named: [])
    case .int(let number): Secret(String(number), named: [])
    case .double(let number): Secret(String(number), named: [])
    case .bool(let flag): Secret(flag ? "true" : "false", named: [])
    default: nil
    }
  }

  /// With every secret in the clear: for the bytes that are sent, and nothing else.
  static func revealed(_ value: Value) -> Value {
    switch value {
    case .secret(let secret): .string(secret.reveal())
    case .list(let items): .list(items.map(revealed))
    case .map(let entries): .map(entries.mapValues(revealed))
    case .optional(let inner): inner.map(revealed) ?? .null
    default: value
    }
  }

  /// The secrets anywhere inside, in the clear, and the words of each (`Bearer …` hides the token alone, too).
  static func secrets(in value: Value) -> [String] {
    switch value {
    case .secret(let secret): [secret.reveal()] + secret.reveal().split(separator: " ").map(String.init)
    case .list(let items): items.flatMap(secrets)
    case .map(let entries): entries.values.flatMap(secrets)
    case .optional(let inner): inner.map(secrets) ?? []
    default: []
    }
  }

  /// Text for people to read, without the run's secrets.
  static func shown(_ text: String, _ mask: ([UInt8]) -> [UInt8]) -> String {
    String(decoding: mask(Array(text.utf8)), as: UTF8.self)
  }

  /// A body in UTF-8, from the character set that the other side names. Bytes of a set that nobody knows here stay as
  /// they are.
  static func utf8(of body: [UInt8], contentType: String?) -> [UInt8] {
    let charset = contentType?.split(separator: ";").dropFirst().lazy
      .map { $0.filter { $0 != " " && $0 != "\"" } }.first { $0.lowercased().hasPrefix("charset=") }?.dropFirst(8)
    guard let charset, !["utf-8", "utf8"].contains(charset.lowercased()) else { return body }
    return TextEncoding.utf8(of: body, in: String(charset)) ?? body
  }

  static func setDefault(_ name: String, _ value: String, in headers: inout [(name: String, value: Secret)]) {
    guard !headers.contains(where: { $0.name.lowercased() == name }) else { return }
    headers.append((name, Secret(value, named: [])))
  }

  /// The URL with the fields of `query` appended, sorted by name and percent-encoded.
  static func adding(_ query: Value?, to url: String) throws(StepFailure) -> String {
    guard let query else { return url }
    guard let entries = query.map else { throw StepFailure.unfit("`query` must be a map") }
    var pairs: [String] = []
    for (name, value) in entries.sorted(by: { $0.key < $1.key }) {
      for item in value.list ?? [value] {
        if case .secret = item { throw StepFailure.unfit("`query.\(name)` may not be a secret; a whole `url` may") }
        guard let text = secret(item) else {
          throw StepFailure.unfit("`query.\(name)` must be text or a list of texts")
        }
        pairs.append(encoded(name) + "=" + encoded(text.reveal()))
      }
    }
    guard !pairs.isEmpty else { return url }
    let whole = url.prefix { $0 != "#" }
    return whole + (whole.contains("?") ? "&" : "?") + pairs.joined(separator: "&")
  }

  /// RFC 3986: everything but the unreserved characters as `%XX` of its UTF-8 bytes.
  static func encoded(_ text: String) -> String {
    let hex = Array("0123456789ABCDEF")
    var result = ""
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "~"):
        result.unicodeScalars.append(Unicode.Scalar(byte))
      default: result += "%\(hex[Int(byte >> 4)])\(hex[Int(byte & 15)])"
      }
    }
    return result
  }
}
