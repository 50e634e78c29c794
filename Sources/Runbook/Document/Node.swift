/// A YAML value with its place. Scalars keep the text they were written with; what it means depends on who reads it.
public struct Node: Sendable {
  public enum Content: Sendable {
    case scalar(Scalar)
    case sequence([Node])
    case mapping([Entry])
    /// Its text could not be read; the mistake has been told, so nobody else complains of it.
    case unreadable
  }

  public struct Scalar: Sendable {
    public let text: String
    /// Written without quotes: `true`, `12` and `null` are then no strings.
    public let isPlain: Bool
    /// `|` or `>`: its lines in the file are not its own lines.
    public let isBlock: Bool
  }

  public struct Entry: Sendable {
    public let key: String
    let keyPlace: CompactRange
    public let value: Node
    public var keyRange: SourceRange { keyPlace.range }
  }

  public let content: Content
  let place: CompactRange
  public var range: SourceRange { place.range }

  init(_ content: Content, at place: CompactRange) {
    self.content = content
    self.place = place
  }
}

/// A `SourceRange` in 16 bytes: a file of 4 MiB has fewer lines and columns than 2³².
struct CompactRange: Sendable, Equatable {
  var startLine: UInt32
  var startColumn: UInt32
  var endLine: UInt32
  var endColumn: UInt32

  var range: SourceRange {
    SourceRange(
      SourceRange.Place(line: Int(startLine), column: Int(startColumn)),
      SourceRange.Place(line: Int(endLine), column: Int(endColumn)))
  }
}

extension Node {
  public var scalar: Scalar? { if case .scalar(let scalar) = content { scalar } else { nil } }
  public var items: [Node]? { if case .sequence(let items) = content { items } else { nil } }
  public var entries: [Entry]? { if case .mapping(let entries) = content { entries } else { nil } }
  public var isUnreadable: Bool { if case .unreadable = content { true } else { false } }

  /// Nothing, `~` or `null`, unquoted.
  public var isNull: Bool {
    guard let scalar, scalar.isPlain else { return false }
    return CoreSchema.isNull(scalar.text)
  }

  /// For messages: "a list", "the text `yes`".
  package var kindInWords: String {
    switch content {
    case .sequence: "a list"
    case .mapping: "a map"
    case .unreadable: "unreadable"
    case .scalar(let scalar):
      if isNull { "empty" } else { "`\(scalar.text.excerpt(40))`" }
    }
  }
}

extension String {
  /// The first `limit` characters on one line, with `…` for what is cut.
  func excerpt(_ limit: Int) -> String {
    let line = prefix { !$0.isNewline }
    return line.count > limit || line.utf8.count < utf8.count ? "\(line.prefix(limit))…" : String(line)
  }
}

extension String {
  /// `${{` is in it.
  package var hasExpression: Bool { Template.holdsOpening(self) }
}
