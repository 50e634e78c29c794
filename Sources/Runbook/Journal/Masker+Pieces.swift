extension Masker {
  func pieces(of text: String) -> [SecretPiece]? {
    var pieces: [SecretPiece] = [.plain(text)]
    for (name, secret) in named where secret.reveal().utf8.count >= 6 {
      pieces = pieces.flatMap { piece -> [SecretPiece] in
        guard case .plain(let plain) = piece else { return [piece] }
        var parts: [SecretPiece] = []
        for part in plain.split(separator: secret.reveal(), omittingEmptySubsequences: false) {
          if !parts.isEmpty { parts.append(.secret(name: name, form: "raw")) }
          parts.append(.plain(String(part)))
        }
        return parts
      }
    }
    return pieces.count == 1 ? nil : pieces
  }

  func bytes(of name: String, form: String) -> String? { named[name]?.reveal() }
}
