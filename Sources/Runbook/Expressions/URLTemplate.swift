extension Template {
  /// As `evaluate`, for a field of kind `url`: a part put into a text may not hold what would change the meaning of the
  /// rest of the address (`/?#@:`, white space, `\`, `%`, and `&` in a query) unless it is the result of
  /// `url_encode()` or the whole host; a part at the very beginning may be a base address. A part of a host or
  /// path may not be empty, and no segment of the path `.` or `..`.
  public func evaluateURL(in scope: some ExpressionScope) throws(ExpressionFailure) -> Value {
    guard case .text(let parts) = content else { return try evaluate(in: scope) }
    var text = InterpolatedText()
    var address = ""
    for (index, part) in parts.enumerated() {
      switch part {
      case .literal(let literal):
        text.append(literal)
        address += literal
      case .expression(let expression):
        let value = try expression.evaluate(in: scope)
        try text.append(value, of: expression)
        if text.isUnknown { continue }
        let piece = URLPiece(
          expression: expression, text: value.unwrapped.addressText, isSecret: value.isTainted, before: address)
        try piece.check(after: index + 1 < parts.count ? parts[index + 1] : nil)
        address += piece.text
      }
    }
    if !text.isUnknown { try checkSegments(address) }
    return try text.value()
  }

  private func checkSegments(_ address: String) throws(ExpressionFailure) {
    let path = address.utf8.prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
    for segment in path.split(separator: UInt8(ascii: "/")) {
      let plain = String(Substring(segment)).lowercased()
      if [".", "..", "%2e", "%2e%2e", ".%2e", "%2e."].contains(plain) {
        throw ExpressionFailure("the path of the address would hold a `\(plain)`, which leads somewhere else")
      }
    }
  }
}

/// A value about to be put into an address.
private struct URLPiece {
  let expression: Expression
  let text: String
  let isSecret: Bool
  /// The address so far.
  let before: String

  private static let forbidden = Set("/?#@:\\%".utf8)

  func check(after: Template.TextPart?) throws(ExpressionFailure) {
    let isInQuery = before.utf8.contains { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") }
    if text.isEmpty, !isInQuery { throw failure("is empty, so the address would mean something else") }
    if case .call(.urlEncode, _, _) = expression.tree.kind { return }
    if isWholeHost(before: after) {
      guard isHost(text[...]) else { throw failure("is no host such as `db-1.example.com`") }
      return
    }
    if before.isEmpty, let base = text.utf8.position(after: "http://") ?? text.utf8.position(after: "https://") {
      guard isBase(Substring(text.utf8[base...])) else {
        throw failure("is no plain base address such as `https://db-1.example.com`")
      }
      return
    }
    for byte in text.utf8
    where URLPiece.forbidden.contains(byte) || byte <= 0x20 || byte == 0x7f || (isInQuery && byte == UInt8(ascii: "&"))
    {
      let shown =
        byte <= 0x20 || byte == 0x7f ? "white space or a control character" : "`\(Character(Unicode.Scalar(byte)))`"
      throw failure("holds \(shown), which would change the address; write `url_encode(…)` around it")
    }
  }

  private func failure(_ reason: String) -> ExpressionFailure {
    let shown = isSecret ? "" : " (\"\(text.shortened)\")"
    return ExpressionFailure("`${{ \(expression.source.shortened) }}`\(shown) \(reason)")
  }

  /// Just behind `scheme://`, and before the end, a port, a path or a query.
  private func isWholeHost(before after: Template.TextPart?) -> Bool {
    guard before.hasSuffix("://"), before.utf8.filter({ $0 == UInt8(ascii: "/") }).count == 2 else { return false }
    switch after {
    case nil: return true
    case .literal(let literal): return literal.utf8.first.map { "/:?#".utf8.contains($0) } ?? true
    case .expression: return false
    }
  }

  /// A name or an IPv4 address, or an IPv6 address in brackets; with a port or not.
  private func isHost(_ host: Substring) -> Bool {
    var rest = Array(host.utf8)
    if rest.first == UInt8(ascii: "[") {
      guard let end = rest.firstIndex(of: UInt8(ascii: "]")), end > 1,
        rest[1..<end].allSatisfy({ $0.hexValue != nil || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".") })
      else { return false }
      rest.removeSubrange(...end)
    } else {
      let name = rest.prefix { $0.isNameByte || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") }
      if name.isEmpty { return false }
      rest.removeSubrange(..<name.endIndex)
    }
    return rest.isEmpty
      || (rest.first == UInt8(ascii: ":") && (2...6).contains(rest.count) && rest.dropFirst().allSatisfy(\.isDigit))
  }

  /// `host/path`, without a query.
  private func isBase(_ base: Substring) -> Bool {
    let host = base.prefix { $0 != "/" }
    return isHost(host)
      && base.dropFirst(host.count).utf8.allSatisfy {
        $0 == UInt8(ascii: "/") || ($0 > 0x20 && $0 != 0x7f && !URLPiece.forbidden.contains($0))
      }
  }
}

extension Value {
  /// Only to look at: what goes on is the secret itself.
  fileprivate var addressText: String {
    switch self {
    case .secret(let secret): secret.reveal()
    case .list, .map: JSONWriter.text(self)
    default: scalarText ?? ""
    }
  }
}

extension String.UTF8View {
  fileprivate func position(after prefix: String) -> Index? {
    starts(with: prefix.utf8) ? index(startIndex, offsetBy: prefix.utf8.count) : nil
  }
}
