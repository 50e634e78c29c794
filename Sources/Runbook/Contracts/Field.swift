/// One field that an author may write under `with:` (or under a step kind's keyword, or in a provider block), and the
/// values that it accepts. Validation, `schema`, `plan` and the reference are all made from it.
public struct Field: Sendable {
  public enum Kind: Sendable, Equatable {
    /// A scalar that keeps its text: `server: 12345` is the string "12345".
    case string
    case int, number, bool, duration
    /// A list or a map of anything, passed as it is.
    case list, map, any
    /// An absolute `http(s)` URL. An interpolated part may not hold `/?#@:` unless `url_encode()`d or the whole host.
    case url
    /// One of these words.
    case choice([String])
    /// A map of string to string: `env`, `headers`, `labels`.
    case stringMap
    /// A bare expression, evaluated by the action itself.
    case expression
  }

  /// The smallest and the greatest value of a number or a duration, both allowed.
  public enum Bounds: Sendable, Equatable {
    case int(ClosedRange<Int64>)
    case number(ClosedRange<Double>)
    case duration(ClosedRange<Duration>)

    /// True for values of other types, which the field's kind refuses.
    func contains(_ value: Value) -> Bool {
      switch (self, value) {
      case (.int(let range), .int(let number)): range.contains(number)
      case (.number(let range), .int(let number)): range.contains(Double(number))
      case (.number(let range), .double(let number)): range.contains(number)
      case (.duration(let range), .duration(let duration)): range.contains(duration)
      default: true
      }
    }

    /// `1 to 65535`, `0 or more`.
    var words: String {
      switch self {
      case .int(let range):
        range.upperBound == .max ? "\(range.lowerBound) or more" : "\(range.lowerBound) to \(range.upperBound)"
      case .number(let range):
        "\(Value.double(range.lowerBound).plainText) to \(Value.double(range.upperBound).plainText)"
      case .duration(let range): ScalarReader.words(range)
      }
    }
  }

  public var name: String
  public var kind: Kind
  public var required: Bool
  /// May hold a secret. Elsewhere a secret is a load error.
  public var acceptsSecret: Bool
  public var defaultValue: Value?
  /// One line: meaning, unit, limits, default.
  public var help: String
  /// What a string must match (linear-time regular expression), if anything.
  public var pattern: String?
  /// A constant outside is refused at load, a computed value before the call. nil: any number; a duration of 1 ms to
  /// 366 days, if it is a constant.
  public var bounds: Bounds?
  /// `false`: a command string, or one that a program interprets: `${{ }}` inside it is a load error.
  public var allowsInterpolation: Bool
  /// Of a `stringMap`: keys that are refused at load, in lower case, with the reason as a clause. An author may write
  /// them in any case.
  public var refusedKeys: [String: String] = [:]
  /// Of a `stringMap`: a value may be a list of texts.
  public var acceptsLists = false
  /// A required text may be empty.
  public var acceptsEmpty = false
  /// Of a map: its only keys, each with the values that it accepts. Empty: any key.
  public var members: [Field]
  /// Part of the language, but not built: writing it is a load error that says "`NAME` is not supported yet".
  public var isPlanned: Bool

  public init(
    _ name: String, _ kind: Kind, required: Bool = false, acceptsSecret: Bool = false,
    default defaultValue: Value? = nil,
    pattern: String? = nil, bounds: Bounds? = nil, allowsInterpolation: Bool = true, members: [Field] = [],
    isPlanned: Bool = false, help: String
  ) {
    self.name = name
    self.kind = kind
    self.required = required
    self.acceptsSecret = acceptsSecret
    self.defaultValue = defaultValue
    self.pattern = pattern
    self.bounds = bounds
    self.allowsInterpolation = allowsInterpolation
    self.members = members
    self.isPlanned = isPlanned
    self.help = help
  }

  /// The same, and these keys are refused.
  public func refusing(_ keys: [String: String]) -> Field {
    var field = self
    field.refusedKeys = keys
    return field
  }

  /// The same, and a value of the map may be a list.
  public var orLists: Field {
    var field = self
    field.acceptsLists = true
    return field
  }

  /// The same, and an empty text is a value.
  public var orEmpty: Field {
    var field = self
    field.acceptsEmpty = true
    return field
  }
}
