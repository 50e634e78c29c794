/// The parts of an absolute URL that a simulated system needs.
struct RequestTarget {
  /// Lower case, default port left out: `https://admin.vps.org`.
  var origin: String
  /// Decoded once.
  var path: String
  var query: [(name: String, value: String)]

  /// nil unless this is `http(s)://host[:port][/path][?query]` without user and password.
  init?(_ url: String) {
    let scheme: String
    let defaultPort: String
    if url.lowercased().hasPrefix("https://") {
      (scheme, defaultPort) = ("https", ":443")
    } else if url.lowercased().hasPrefix("http://") {
      (scheme, defaultPort) = ("http", ":80")
    } else {
      return nil
    }
    let rest = url.dropFirst(scheme.count + 3).prefix { $0 != "#" }
    let authority = rest.prefix { $0 != "/" && $0 != "?" }
    guard !authority.isEmpty, !authority.contains("@") else { return nil }
    var host = authority.lowercased()
    if host.hasSuffix(defaultPort) { host.removeLast(defaultPort.count) }
    origin = "\(scheme)://\(host)"
    let target = rest.dropFirst(authority.count)
    let rawPath = target.prefix { $0 != "?" }
    path = rawPath.isEmpty ? "/" : RequestTarget.decode(rawPath, plusIsSpace: false)
    query = target.dropFirst(rawPath.count + 1).split(separator: "&").map { pair in
      let name = pair.prefix { $0 != "=" }
      return (
        name: RequestTarget.decode(name, plusIsSpace: true),
        value: RequestTarget.decode(pair.dropFirst(name.count + 1), plusIsSpace: true)
      )
    }
  }

  private static func decode(_ text: Substring, plusIsSpace: Bool) -> String {
    var decoded: [UInt8] = []
    var bytes = text.utf8.makeIterator()
    while let byte = bytes.next() {
      if byte == UInt8(ascii: "%"), let high = bytes.next(), let low = bytes.next() {
        let hex = String(decoding: [high, low], as: UTF8.self)
        decoded += UInt8(hex, radix: 16).map { [$0] } ?? [byte, high, low]
      } else {
        decoded.append(plusIsSpace && byte == UInt8(ascii: "+") ? 0x20 : byte)
      }
    }
    return String(decoding: decoded, as: UTF8.self)
  }
}
