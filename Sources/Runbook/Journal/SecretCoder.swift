/// Keeps values that hold secrets out of the journal and still lets a later process have them: what is written is the
/// masked text, and beside it marks that name the secrets in it. A mark holds a keyed digest of the secret, so that a
/// value made of a secret that has changed since is lost, and never made of the new one.
///
/// A mark of a text is a list: plain text, `{"n": name, "f": form, "d": digest}` for a secret, `{"e": encoding, "p":
/// list}` for an encoded part. A list that begins with `null` is of a value that is secret as a whole.
struct SecretCoder: Sendable {
  let masker: Masker
  /// By the secret's name.
  let digests: [String: String]
  /// Where texts lie that a value holds by reference; nil: they are read as what a person sees of them.
  var store: (any OutputStore)?

  /// Knows no secret: texts are written as they are, and what was made of a secret is read as lost.
  static let none = SecretCoder([:], masker: Masker([]), key: [])

  /// - Parameter key: of the store; nobody can guess a secret from its digest without it.
  init(_ secrets: [String: Secret], masker: Masker, key: [UInt8]) {
    self.masker = masker
    digests = secrets.mapValues { Hex.text(HMACSHA256.authenticate(Array($0.reveal().utf8), key: key).prefix(16)) }
  }

  // MARK: Writing

  /// nil: the text holds no secret.
  func mark(of text: String) -> Value? {
    guard let pieces = masker.pieces(of: text) else { return nil }
    return .list(pieces.map { mark(of: $0) })
  }

  func mark(of secret: Secret) -> Value { .list([.null] + secret.parts.map { mark(of: $0) }) }

  private func mark(of piece: SecretPiece) -> Value {
    switch piece {
    case .plain(let text): .string(text)
    case .secret(let name, let form):
      ["n": .string(name), "f": .string(form), "d": .string(digests[name] ?? "")]
    case .encoded(let encoding, let parts): ["e": .string(encoding), "p": .list(parts.map { mark(of: $0) })]
    }
  }

  func mark(of piece: MaskedBytes.Piece) -> Value {
    switch piece {
    case .plain(let bytes): .string(String(decoding: bytes, as: UTF8.self))
    case .secret(let name, let form): mark(of: SecretPiece.secret(name: name, form: form))
    }
  }

  // MARK: Reading

  /// The true bytes of a piece that `mark(of:)` wrote.
  /// - Parameter lost: gets the name of a secret that has changed or is gone; then the bytes are empty.
  func bytes(of mark: Value, _ lost: inout [String]) -> [UInt8] {
    if let text = mark.string { return Array(text.utf8) }
    let name = mark["n"]?.string ?? ""
    let isSame = digests[name] == mark["d"]?.string || PlantedMistake.lostValueRebuilt.isMade
    guard digests[name] != nil, isSame, let bytes = masker.trueBytes(of: name, form: mark["f"]?.string ?? "") else {
      if !lost.contains(name) { lost.append(name) }
      return []
    }
    return bytes
  }

  func value(of marks: [Value]) -> Value {
    let isSecret = marks.first?.isNull ?? false
    var lost: [String] = []
    var pieces: [SecretPiece] = []
    var text = ""
    for mark in isSecret ? marks.dropFirst() : marks[...] {
      guard let (piece, part) = read(mark, &lost) else { continue }
      pieces.append(piece)
      text += part
    }
    guard lost.isEmpty else { return .lost(lost) }
    return isSecret ? .secret(Secret(text, parts: pieces)) : .string(text)
  }

  private func read(_ mark: Value, _ lost: inout [String]) -> (SecretPiece, String)? {
    if let text = mark.string { return (.plain(text), text) }
    if let encoding = mark["e"]?.string {
      var inner = ""
      var pieces: [SecretPiece] = []
      for mark in mark["p"]?.list ?? [] {
        guard let (piece, part) = read(mark, &lost) else { return nil }
        pieces.append(piece)
        inner += part
      }
      return (.encoded(encoding, pieces), SecretPiece.encode(inner, encoding))
    }
    let name = mark["n"]?.string ?? ""
    let form = mark["f"]?.string ?? ""
    let isSame = digests[name] == mark["d"]?.string || PlantedMistake.lostValueRebuilt.isMade
    guard digests[name] != nil, isSame, let text = masker.bytes(of: name, form: form) else {
      if !lost.contains(name) { lost.append(name) }
      return nil
    }
    return (.secret(name: name, form: form), text)
  }
}
