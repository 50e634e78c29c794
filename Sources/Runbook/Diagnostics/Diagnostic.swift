/// A place in a file: 1-based lines, 1-based columns counted in characters (Unicode scalars). `end` is just after the
/// last one.
public struct SourceRange: Sendable, Equatable, Hashable {
  public struct Place: Sendable, Equatable, Hashable, Comparable {
    public var line: Int
    public var column: Int
    public init(line: Int, column: Int) {
      self.line = line
      self.column = column
    }
    public static func < (left: Place, right: Place) -> Bool { (left.line, left.column) < (right.line, right.column) }
  }
  public var start: Place
  public var end: Place
  public init(_ start: Place, _ end: Place) {
    self.start = start
    self.end = end
  }
  public static let beginning = SourceRange(Place(line: 1, column: 1), Place(line: 1, column: 1))
}

/// One mistake (or warning) in a file: what, where, and the nearest right thing.
public struct Diagnostic: Error, Sendable, Equatable {
  public enum Severity: String, Sendable { case error, warning }
  /// Which mistake it is. `W-STATE` under `--strict` is an error all the same.
  public var kind: DiagnosticCode
  public var severity: Severity
  public var range: SourceRange
  /// Lower case, no blame, names in backticks.
  public var message: String
  /// What to do: "did you mean `approve`?".
  public var hint: String?
  /// A second place that belongs to it (the first of two equal keys).
  public var related: SourceRange?

  public init(
    _ kind: DiagnosticCode, _ severity: Severity = .error, at range: SourceRange, _ message: String,
    hint: String? = nil,
    related: SourceRange? = nil
  ) {
    self.kind = kind
    self.severity = severity
    self.range = range
    self.message = message
    self.hint = hint
    self.related = related
  }

  /// For ever the same for one mistake: `E-STEP-KIND`. Warnings begin with `W-`.
  public var code: String { kind.rawValue }
}

/// All mistakes of a file, in file order, at most 50.
public struct Diagnostics: Error, Sendable, Equatable {
  public static let limit = 50
  public var items: [Diagnostic]
  public init(_ items: [Diagnostic]) { self.items = items }
  public var hasErrors: Bool { items.contains { $0.severity == .error } }
}

extension Diagnostics {
  /// By place, equal ones once, the first 50; errors go before warnings when there are more.
  package var inFileOrder: Diagnostics {
    let sorted = items.enumerated().sorted { ($0.element.range.start, $0.offset) < ($1.element.range.start, $1.offset) }
    var unique: [Diagnostic] = []
    for (_, item) in sorted {
      let isKnown = unique.reversed().prefix { $0.range.start == item.range.start }.contains(item)
      if !isKnown { unique.append(item) }
    }
    if unique.count > Diagnostics.limit, hasErrors { unique.removeAll { $0.severity == .warning } }
    return Diagnostics(Array(unique.prefix(Diagnostics.limit)))
  }
}
