/// One command as a person meets it. Parsing, help, the man page and the shell completions are all made from this.
struct CommandSpec: Sendable {
  /// The verb: `run`.
  var name: String
  /// One line, lower case, no full stop.
  var summary: String
  /// What somebody needs to know beyond the summary; paragraphs divided by an empty line. May be empty.
  var details: String = ""
  var operands: [OperandSpec] = []
  var options: [OptionSpec] = []
  /// At least one: help teaches by example.
  var examples: [Example]
  /// The heading under which the overview lists it.
  var group: Group

  enum Group: String, CaseIterable {
    case write = "Write a runbook"
    case run = "Run it"
    case look = "Look"
    case act = "Step in"
    case around = "Around it"
  }

  struct Example: Sendable {
    var command: String
    /// What it does, as the end of "this will …".
    var meaning: String
    init(_ command: String, _ meaning: String) {
      self.command = command
      self.meaning = meaning
    }
  }

  /// `runbook resume RUN [--yes]`: operands first, then the options that most people need.
  var usage: String {
    var words = ["runbook", name]
    words += operands.map(\.usage)
    words += options.map(\.usage)
    return words.joined(separator: " ")
  }
}

/// What stands after the verb without a dash.
struct OperandSpec: Sendable {
  enum Arity: Sendable, Equatable { case one, optional, oneOrMore }
  var name: String
  var kind: ValueKind
  var arity: Arity
  var summary: String

  init(_ name: String, _ kind: ValueKind, _ arity: Arity = .one, _ summary: String) {
    self.name = name
    self.kind = kind
    self.arity = arity
    self.summary = summary
  }

  var usage: String {
    let shown = if case .words(let words) = kind { words.joined(separator: "|") } else { name }
    return switch arity {
    case .one: shown
    case .optional: "[\(shown)]"
    case .oneOrMore: "\(shown)..."
    }
  }
}

/// `--name` or `--name VALUE`.
struct OptionSpec: Sendable {
  /// Without the dashes.
  var name: String
  /// One letter: `q` for `-q`.
  var short: Character?
  /// nil: a flag, which takes no value.
  var value: (name: String, kind: ValueKind)?
  var isRepeatable: Bool
  var summary: String

  static func flag(_ name: String, short: Character? = nil, _ summary: String) -> OptionSpec {
    OptionSpec(name: name, short: short, value: nil, isRepeatable: false, summary: summary)
  }

  static func value(
    _ name: String, _ valueName: String, _ kind: ValueKind, repeatable: Bool = false, _ summary: String
  ) -> OptionSpec {
    OptionSpec(name: name, short: nil, value: (valueName, kind), isRepeatable: repeatable, summary: summary)
  }

  /// `[--input k=v]...`
  var usage: String {
    let inner = value.map { "--\(name) \($0.name)" } ?? "--\(name)"
    return isRepeatable ? "[\(inner)]..." : "[\(inner)]"
  }
  /// `-q, --quiet` or `--input k=v`, for the list of options.
  var heading: String {
    let long = value.map { "--\(name) \($0.name)" } ?? "--\(name)"
    return short.map { "-\($0), \(long)" } ?? long
  }
}

/// What a value is, so that completions can offer some.
enum ValueKind: Sendable, Equatable {
  case text
  case file
  /// The id of a run in the store.
  case run
  case duration
  case number
  /// One of these words and nothing else.
  case words([String])
}
