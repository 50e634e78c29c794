/// A place in a YAML text as libyaml counts: from 0, columns in characters (Unicode scalars).
public struct YAMLMark: Sendable, Equatable {
  public var line: UInt32
  public var column: UInt32
  public init(line: UInt32, column: UInt32) {
    self.line = line
    self.column = column
  }
}

/// One event of a YAML stream. Scalars are not resolved: `text` is what was written, quotes and escapes taken away.
public struct YAMLEvent: Sendable {
  public enum Kind: Sendable {
    case streamStart, streamEnd, documentStart, documentEnd, alias, scalar
    case sequenceStart, sequenceEnd, mappingStart, mappingEnd
  }
  public enum Style: UInt8, Sendable { case plain, singleQuoted, doubleQuoted, literal, folded }

  public var kind: Kind
  /// Of a scalar; the name of an alias.
  public var text: String = ""
  /// Of a scalar.
  public var style: Style = .plain
  /// Of a sequence or mapping: written with `[ ]` or `{ }`.
  public var isFlow = false
  public var anchor: String?
  public var tag: String?
  public var start: YAMLMark
  /// Just after the last character.
  public var end: YAMLMark
}

/// Why libyaml could not go on, in its own words.
public struct YAMLSyntaxError: Error, Sendable, Equatable {
  /// "mapping values are not allowed in this context"
  public var problem: String
  /// "while parsing a block mapping"; empty if there is none.
  public var context: String
  public var mark: YAMLMark
  /// Where the thing named by `context` began.
  public var contextMark: YAMLMark
}
