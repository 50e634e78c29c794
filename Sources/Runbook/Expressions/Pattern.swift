/// Why a text is no pattern.
public struct PatternError: Error, Sendable, Equatable {
  public let message: String
}

/// A regular expression that runs in time linear in the text, whatever the pattern: RE2's syntax without look-around and
/// back-references. Finds anywhere in the text unless anchored; `$` is the very end.
public struct Pattern: Sendable {
  public let source: String
  public init(_ source: String) throws(PatternError) { self.source = source }
  public func matches(_ text: String) -> Bool { false }
}
