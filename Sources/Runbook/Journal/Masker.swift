/// The second line of defence for secrets: finds their bytes in texts that come from outside (a script's output, a
/// provider's error), as they are and in the encodings that tools commonly use, before anybody sees or stores them. The
/// first line is that a secret's own value cannot be printed.
///
/// Searched for: the text itself, each of its lines of eight bytes or more, and both as JSON strings with any choice of
/// escapes, percent-encoded in either case, in base64 at all three alignments (both alphabets, across line breaks) and
/// in hexadecimal in either case (bytes may be separated by spaces, `:` or `-`). One encoding inside another is not
/// found. Time is linear in the text; nothing is copied where nothing is found.
public struct Masker: Sendable {
  /// A secret of fewer characters is not searched for: it would be found in ordinary text, and would be told by it.
  public static let shortest = 6

  let search: SecretSearch

  /// Names of the secrets that are too short to be searched for, sorted.
  public let unsearchedNames: [String]

  /// - Parameter secrets: those that the run declares, by name.
  public init(_ secrets: [String: Secret]) { self.init(named: secrets.map { (name: $0.key, secret: $0.value) }) }

  /// Pieces are named by the names that a secret carries, joined by `+`.
  public init(_ secrets: some Sequence<Secret>) {
    self.init(named: secrets.map { (name: $0.names.joined(separator: "+"), secret: $0) })
  }

  private init(named secrets: [(name: String, secret: Secret)]) {
    var units: [SecretUnit] = []
    var texts: [String: [UInt8]] = [:]
    var unsearched: [String] = []
    for (name, secret) in secrets.sorted(by: { $0.name < $1.name }) {
      let text = secret.reveal()
      // Several that carry the same name are told apart by their place.
      let name = texts[name] == nil ? name : "\(name)#\(texts.count)"
      texts[name] = Array(text.utf8)
      if text.isEmpty { continue }
      if text.unicodeScalars.count < Masker.shortest {
        unsearched.append(name)
      } else {
        units += SecretUnit.all(of: text, named: name)
      }
    }
    search = SecretSearch(units, of: texts)
    unsearchedNames = unsearched
  }

  /// The bytes that a piece stands for. nil: no such secret, or no such form.
  func trueBytes(of name: String, form: String) -> [UInt8]? { search.encoded(name, form: form) }

  /// No form of a secret that is searched for is longer, in bytes, without what may stand between digits.
  var longestForm: Int { search.units.map { $0.bytes.count * 6 + 16 }.max() ?? 0 }

  /// True if there is no secret to search for.
  public var isEmpty: Bool { search.isEmpty }

  public func mask(_ text: String) -> String {
    guard !isEmpty else { return text }
    let ranges = search.ranges(in: text.utf8.span)
    return ranges.isEmpty ? text : String(decoding: masked(Array(text.utf8), ranges), as: UTF8.self)
  }

  public func mask(_ bytes: [UInt8]) -> [UInt8] {
    guard !isEmpty else { return bytes }
    let ranges = search.ranges(in: bytes.span)
    return ranges.isEmpty ? bytes : masked(bytes, ranges)
  }

  private func masked(_ bytes: [UInt8], _ ranges: [Range<Int>]) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    var copied = 0
    for range in ranges {
      result += bytes[copied..<range.lowerBound]
      result += Secret.mask.utf8
      copied = range.upperBound
    }
    return result + bytes[copied...]
  }

  /// Masks every text inside, keys included. A number whose digits hold a secret becomes its masked text.
  public func mask(_ value: Value) -> Value {
    guard !isEmpty else { return value }
    switch value {
    case .string(let text): return .string(mask(text))
    case .list(let items): return .list(items.map { mask($0) })
    case .map(let entries): return .map(mask(entries))
    case .optional(let inner?): return .optional(mask(inner))
    case .int, .double:
      guard search.hasNumber else { return value }
      let text = JSONWriter.text(value)
      let shown = mask(text)
      return shown == text ? value : .string(shown)
    default: return value
    }
  }

  public func mask(_ entries: [String: Value]) -> [String: Value] {
    guard !isEmpty else { return entries }
    return Dictionary(entries.map { (mask($0.key), mask($0.value)) }, uniquingKeysWith: { first, _ in first })
  }

  public func mask(_ failure: StepFailure) -> StepFailure {
    var failure = failure
    failure.message = mask(failure.message)
    failure.detail = mask(failure.detail)
    return failure
  }

  /// The text, cut into what may be stored and references to secrets; in order, and with `bytes(of:form:)` in place of
  /// the references exactly the text again. nil: it holds no secret.
  func pieces(of text: String) -> [SecretPiece]? {
    guard !isEmpty else { return nil }
    let parts = search.parts(in: text.utf8.span)
    guard !parts.isEmpty else { return nil }
    let bytes = Array(text.utf8)
    var pieces: [SecretPiece] = []
    var copied = 0
    func copy(to end: Int) {
      if end > copied { pieces.append(.plain(String(decoding: bytes[copied..<end], as: UTF8.self))) }
    }
    for part in parts {
      copy(to: part.range.lowerBound)
      pieces.append(.secret(name: part.name, form: part.formWithSlice))
      copied = part.range.upperBound
    }
    copy(to: bytes.count)
    return pieces
  }

  /// The text that `pieces` replaced by a reference. nil: no such secret, or no such form.
  func bytes(of name: String, form: String) -> String? {
    search.encoded(name, form: form).map { String(decoding: $0, as: UTF8.self) }
  }
}
