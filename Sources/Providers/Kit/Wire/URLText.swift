/// The parts of a provider's base address, checked once.
package struct BaseURL: Sendable {
  /// `https://admin.vps.org`, as the author wrote it.
  package let origin: String
  /// Host with its port if one is written, lower case: names the account in locks.
  package let host: String
  /// `/api/v1`, without a slash at the end; empty for a bare host.
  package let path: String

  /// nil unless this is `http(s)://host[:port][/path]`: no user, no query, no fragment.
  package init?(_ text: String) {
    let lower = text.lowercased()
    guard let scheme = ["https://", "http://"].first(where: { lower.hasPrefix($0) }) else { return nil }
    let rest = text.dropFirst(scheme.count)
    let authority = rest.prefix { $0 != "/" }
    guard !authority.isEmpty, !rest.contains(where: { "?#@\\ ".contains($0) }) else { return nil }
    origin = scheme + authority
    host = authority.lowercased()
    var path = String(rest.dropFirst(authority.count))
    while path.hasSuffix("/") { path.removeLast() }
    self.path = path
  }

  /// The path and query of a link the other side gave; nil unless it leads to the same host. The scheme is ours: a
  /// server behind a proxy often writes `http` into its links.
  package func target(of link: String) -> String? {
    if link.hasPrefix("/"), !link.hasPrefix("//") { return link }
    let lower = link.lowercased()
    guard let scheme = ["https://", "http://"].first(where: { lower.hasPrefix($0) }) else { return nil }
    let rest = link.dropFirst(scheme.count)
    let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    guard authority.lowercased() == host else { return nil }
    let target = rest.dropFirst(authority.count).prefix { $0 != "#" }
    return target.hasPrefix("/") ? String(target) : nil
  }
}

extension String {
  /// Everything but the unreserved characters of RFC 3986 as `%XX`: safe as one path segment or query part.
  package var percentEncoded: String {
    var encoded = ""
    for byte in utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "~"):
        encoded.unicodeScalars.append(Unicode.Scalar(byte))
      default:
        encoded += byte < 16 ? "%0" : "%"
        encoded += String(byte, radix: 16, uppercase: true)
      }
    }
    return encoded
  }

  /// At most `limit` bytes, cut between characters; control characters shown as spaces.
  package func excerpt(_ limit: Int) -> String {
    // Nearly all are short and plain, and a list has thousands of them.
    if utf8.count <= limit, utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) { return self }
    var text = ""
    for scalar in unicodeScalars {
      let shown = scalar.properties.generalCategory == .control ? " " : scalar
      guard text.utf8.count + Character(shown).utf8.count <= limit else { break }
      text.unicodeScalars.append(shown)
    }
    return text
  }
}
