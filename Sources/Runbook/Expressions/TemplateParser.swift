extension Template {
  /// `${{`
  static let opening = Array("${{".utf8)

  /// A scalar's text. Exactly one `${{ expr }}` keeps the value's type; otherwise it is interpolation and gives a
  /// string. `$${{` is a literal `${{`. A text without `${{` costs one scan.
  public static func scalar(
    _ text: String, at range: SourceRange, in environment: TypeEnvironment
  ) -> Result<Template, Diagnostics> {
    guard holdsOpening(text) else { return .success(.literal(.string(text))) }
    return TemplateParser(Array(text.utf8), at: range, in: environment).parse()
  }

  /// Whether `${{`, escaped or not, is in a text: what decides if a command string may stand as it is.
  public static func holdsOpening(_ text: String) -> Bool {
    let bytes = text.utf8.span
    let last = bytes.count - 2
    var index = 0
    while index < last {
      // Look at the third byte first: most places are passed three at a time.
      switch bytes[index + 2] {
      case UInt8(ascii: "{"):
        if bytes[index + 1] == UInt8(ascii: "{"), bytes[index] == UInt8(ascii: "$") { return true }
        index += 1
      case UInt8(ascii: "$"): index += 2
      default: index += 3
      }
    }
    return false
  }
}

/// A scalar with `${{` in it.
private struct TemplateParser {
  private let bytes: [UInt8]
  private let range: SourceRange
  private let environment: TypeEnvironment
  private var parts: [Template.TextPart] = []
  private var literal: [UInt8] = []
  private var mistakes: [Diagnostic] = []

  init(_ bytes: [UInt8], at range: SourceRange, in environment: TypeEnvironment) {
    self.bytes = bytes
    self.range = range
    self.environment = environment
  }

  consuming func parse() -> Result<Template, Diagnostics> {
    var position = 0
    while position < bytes.count {
      if bytes[position] == UInt8(ascii: "$"), bytes[(position + 1)...].starts(with: Template.opening) {
        literal += Template.opening
        position += 4
      } else if bytes[position] == UInt8(ascii: "$"), bytes[position...].starts(with: Template.opening) {
        guard let end = expression(from: position) else { break }
        position = end
      } else {
        literal.append(bytes[position])
        position += 1
      }
    }
    guard mistakes.isEmpty else { return .failure(Diagnostics(mistakes)) }
    if parts.count == 1, literal.isEmpty, case .expression(let only) = parts[0] { return .success(.expression(only)) }
    endLiteral()
    if parts.count == 1, case .literal(let text) = parts[0] { return .success(.literal(.string(text))) }
    return .success(Template(content: .text(parts)))
  }

  private mutating func endLiteral() {
    if !literal.isEmpty { parts.append(.literal(String(decoding: literal, as: UTF8.self))) }
    literal = []
  }

  /// - Returns: the place behind its `}}`; nil if that cannot be known.
  private mutating func expression(from opening: Int) -> Int? {
    let start = opening + 3
    do throws(ExpressionMistake) {
      let (tree, end) = try ExpressionParser.parse(bytes, from: start, inTemplate: true)
      endLiteral()
      switch Expression.check(tree, bytes, from: start, to: end - 2, at: range, in: environment) {
      case .success(let expression):
        parts.append(.expression(expression))
        if opening > 0 || end < bytes.count { checkInText(expression, tree) }
      case .failure(let found): mistakes += found.items
      }
      return end
    } catch {
      mistakes.append(SourceMap(bytes, at: range).diagnostic(error))
      return nil
    }
  }

  /// What can never stand inside a text.
  private mutating func checkInText(_ expression: Expression, _ tree: ExpressionNode) {
    let type = expression.type.unwrapped
    if type == .null {
      let mistake = ExpressionMistake(.type, tree.span, "null cannot stand inside a text")
      mistakes.append(SourceMap(bytes, at: range).diagnostic(mistake))
    } else if type.isTainted, type != .secret {
      let mistake = ExpressionMistake(
        .secret, tree.span, "a list or map with a secret in it cannot stand inside a text",
        hint: "name the secret alone")
      mistakes.append(SourceMap(bytes, at: range).diagnostic(mistake))
    }
  }
}
