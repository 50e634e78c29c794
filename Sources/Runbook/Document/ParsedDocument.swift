import YAML

/// A YAML text as nodes with places. Aliases are replaced by what they stand for; nothing else is interpreted.
public struct ParsedDocument: Sendable {
  public let source: SourceText
  public let root: Node
  /// Mistakes of YAML that could still be read: duplicate keys, tags, text that needs quotes. In file order. The user
  /// of the document reports them together with its own mistakes.
  public let mistakes: [Diagnostic]

  /// Levels of lists and maps. libyaml has no limit of its own and grows quadratically with depth.
  public static let depthLimit = 64
  /// Keys and values together, aliases counted as often as they are used.
  public static let nodeLimit = 500_000
  /// Keys and values that come from aliases.
  public static let aliasedNodeLimit = 10_000

  public init(yaml text: String) throws(Diagnostics) { try self.init(yaml: Array(text.utf8)) }

  /// - Throws: why it cannot be read as one YAML document within the limits. A text that YAML misreads is set aside, so
  ///   that the rest of the file is looked at too.
  public init(yaml bytes: [UInt8]) throws(Diagnostics) {
    let source: SourceText
    do { source = try SourceText(bytes) } catch { throw Diagnostics([error]) }
    var misread: [MisreadText] = []
    while true {
      var builder = DocumentBuilder(source, settingAside: misread)
      do {
        try builder.build(misread.isEmpty ? bytes : MisreadText.blanked(misread, in: bytes, of: source))
      } catch {
        guard let found = MisreadText(in: source, after: error, besides: misread),
          ParsedDocument.mayRepair(misread, found, bytes.count)
        else {
          let refusal = Diagnostic(error, in: source)
          // On the line of such a text, it is what that text has led to.
          let isConsequence = misread.contains { $0.range.start.line == refusal.range.start.line }
          throw Diagnostics(builder.mistakes + misread.map(\.diagnostic) + (isConsequence ? [] : [refusal])).inFileOrder
        }
        misread.append(found)
        continue
      }
      if let refusal = builder.refusal {
        throw Diagnostics(builder.mistakes + misread.map(\.diagnostic) + [refusal]).inFileOrder
      }
      self.source = source
      root = builder.root ?? Node(.scalar(Node.Scalar(text: "", isPlain: true, isBlock: false)), at: .beginning)
      mistakes = Diagnostics(builder.mistakes + misread.map(\.diagnostic)).inFileOrder.items
      return
    }
  }

  /// Each repair reads the file again: as many as a person would want to see, fewer for a large file.
  private static func mayRepair(_ known: [MisreadText], _ found: MisreadText, _ size: Int) -> Bool {
    known.count < 50 && known.count * size < 2_000_000
      && !known.contains { $0.range.start <= found.range.start && found.range.start < $0.range.end }
  }
}

extension CompactRange {
  static let beginning = CompactRange(startLine: 1, startColumn: 1, endLine: 1, endColumn: 1)

  init(_ start: YAMLMark, _ end: YAMLMark) {
    self.init(
      startLine: start.line &+ 1, startColumn: start.column &+ 1, endLine: end.line &+ 1, endColumn: end.column &+ 1)
  }

  init(_ start: CompactRange, through end: CompactRange) {
    self.init(
      startLine: start.startLine, startColumn: start.startColumn, endLine: end.endLine, endColumn: end.endColumn)
  }
}
