/// What an operator gives a run, checked against `inputs:` before anything is stored.
public enum InputReader {
  /// - Parameters:
  ///   - texts: from `--input NAME=TEXT`, read by the declared type; lists and maps are JSON.
  ///   - values: from `--inputs FILE`. A name in both is taken from `texts`.
  /// - Returns: a value for every declared input.
  /// - Throws: every mistake at once, one sentence each.
  public static func read(
    texts: [(name: String, text: String)], values: [String: Value] = [:], for declarations: [InputDeclaration]
  ) throws(InputMistakes) -> [String: Value] {
    var mistakes: [String] = []
    var given: [String: Result<Value, InputRefusal>] = [:]
    let known = Dictionary(declarations.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    let names = declarations.map { $0.name }
    for (name, value) in values.sorted(by: { $0.key < $1.key }) {
      guard let declaration = known[name] else {
        mistakes.append(unknown(name, names))
        continue
      }
      given[name] = declaration.accepted(value)
    }
    var seen: Set<String> = []
    for (name, text) in texts {
      guard let declaration = known[name] else {
        mistakes.append(unknown(name, names))
        continue
      }
      if !seen.insert(name).inserted { mistakes.append("input `\(name)` is given twice") }
      given[name] = declaration.accepted(text: text)
    }
    var inputs: [String: Value] = [:]
    for declaration in declarations {
      switch given[declaration.name] {
      case .success(let value): inputs[declaration.name] = value
      case .failure(let refusal): mistakes.append("input `\(declaration.name)` \(refusal.message)")
      case nil:
        if let value = declaration.defaultValue {
          inputs[declaration.name] = value
        } else {
          let meaning = declaration.description.map { ": \($0.excerpt(100))" } ?? ""
          mistakes.append(
            "input `\(declaration.name)` is missing\(meaning); give it with `--input \(declaration.name)=…`")
        }
      }
    }
    guard mistakes.isEmpty else { throw InputMistakes(messages: Array(mistakes.prefix(Diagnostics.limit))) }
    return inputs
  }

  private static func unknown(_ name: String, _ names: [String]) -> String {
    let hint = Suggestion.hint(for: name, among: names)
    let none = names.isEmpty ? "the runbook takes no inputs" : nil
    return "there is no input `\(name.excerpt(60))`" + ((none ?? hint).map { "; \($0)" } ?? "")
  }
}

/// Everything wrong with the inputs of a run. Never holds more of a value than its first 60 characters.
public struct InputMistakes: Error, Sendable, Equatable {
  public let messages: [String]
}

/// Why one value is not accepted: a clause that follows the input's name.
struct InputRefusal: Error, Equatable {
  let message: String
  init(_ message: String) { self.message = message }
}

extension InputDeclaration {
  /// Largest text of one input, in bytes.
  static let textLimit = 1024 * 1024

  /// The text of `--input`, read by type.
  func accepted(text: String) -> Result<Value, InputRefusal> {
    guard text.utf8.count <= InputDeclaration.textLimit else { return .failure(InputRefusal("is longer than 1 MiB")) }
    switch kind {
    case .string, .url, .duration: return accepted(.string(text))
    case .list, .map, .int, .number, .bool:
      do { return accepted(try JSONReader.read(text)) } catch {
        return .failure(
          InputRefusal("must be \(kind.words), not `\(text.excerpt(60))`" + (kind.isJSON ? ": \(error.message)" : "")))
      }
    }
  }

  /// A value from YAML or JSON, with its constraints.
  func accepted(_ value: Value) -> Result<Value, InputRefusal> {
    guard let typed = kind.typed(value) else {
      if value.isNull {
        return .failure(InputRefusal("is null: give it \(kind.words), or leave it out"))
      }
      let isQuoted = value.string != nil && (try? JSONReader.read(value.string ?? "")).flatMap { kind.typed($0) } != nil
      let hint = isQuoted ? "; take the quotes away" : ""
      let what = isQuoted ? "the text \(value.inWords)" : value.inWords
      return .failure(InputRefusal("must be \(kind.words), not \(what)\(kind.limit(of: value))\(hint)"))
    }
    if let refusal = constraintRefusal(typed) { return .failure(refusal) }
    return .success(typed)
  }

  private func constraintRefusal(_ value: Value) -> InputRefusal? {
    if !allowed.isEmpty, !allowed.contains(value) {
      return InputRefusal("must be one of \(allowed.map { $0.inWords }.joined(separator: ", ")), not \(value.inWords)")
    }
    if let text = value.string {
      if text.utf8.contains(0) { return InputRefusal("holds a NUL byte") }
      if kind == .url, let problem = WebAddress.problem(text) { return InputRefusal(problem) }
      if let pattern, let compiled = try? Pattern(pattern), !compiled.matches(text) {
        return InputRefusal("is `\(text.excerpt(60))`, which does not match `\(pattern)`")
      }
    }
    if let minimum, value.isLess(than: minimum) {
      return InputRefusal("is \(value.inWords); at least \(minimum.inWords)")
    }
    if let maximum, maximum.isLess(than: value) {
      return InputRefusal("is \(value.inWords); at most \(maximum.inWords)")
    }
    guard let items = value.list else { return nil }
    if let minimumItems, items.count < minimumItems {
      return InputRefusal("has \(items.count) items; at least \(minimumItems)")
    }
    guard let itemKind else { return nil }
    for (index, item) in items.enumerated() {
      // In a list nothing says that a number is meant as text.
      let isNumber = itemKind == .string && item.string == nil
      guard isNumber || itemKind.typed(item) == nil else { continue }
      let hint = isNumber && !item.isNull && item.list == nil && item.map == nil ? "; put it in quotes" : ""
      return InputRefusal("item \(index + 1) must be \(itemKind.words), not \(item.inWords)\(hint)")
    }
    return nil
  }
}

extension InputDeclaration.Kind {
  /// The value as this type; nil if it is of another. Numbers and booleans are text where text is wanted from a plain
  /// scalar only: JSON and YAML say which they mean.
  func typed(_ value: Value) -> Value? {
    switch (self, value) {
    case (.string, .string), (.url, .string), (.int, .int), (.bool, .bool), (.map, .map), (.list, .list),
      (.duration, .duration):
      value
    case (.string, .int), (.string, .double): .string(JSONWriter.text(value))
    case (.number, .int(let number)): Double(exactly: number).map { .double($0) }
    case (.number, .double(let number)): number.isFinite ? value : nil
    case (.int, .double(let number)): Int64(exactly: number).map { .int($0) }
    case (.duration, .string(let text)): Duration(text: text).map { .duration($0) }
    default: nil
    }
  }

  /// Why a number is not accepted although it is one.
  func limit(of value: Value) -> String {
    switch (self, value) {
    case (.int, .string(let text)) where WholeNumberText.isWhole(text): ", which does not fit 64 bits"
    case (.number, .string(let text)) where WholeNumberText.isWhole(text): ", which has more digits than a number keeps"
    case (.number, .int): ", which has more digits than a number keeps"
    default: ""
    }
  }

  var words: String {
    switch self {
    case .string: "text"
    case .int: "a whole number"
    case .number: "a number"
    case .bool: "`true` or `false`"
    case .duration: "a duration such as `30s` or `1h30m`"
    case .list: "a list, as JSON"
    case .map: "a map, as JSON"
    case .url: "an `https://` address"
    }
  }

  var isJSON: Bool { self == .list || self == .map }
}

extension Value {
  /// For messages: what it is, in at most 60 characters.
  var inWords: String {
    switch self {
    case .null: "empty"
    case .string(let text): "`\(text.excerpt(60))`"
    case .list: "a list"
    case .map: "a map"
    case .duration(let duration): "`\(duration.text)`"
    default: "`\(JSONWriter.text(self).excerpt(60))`"
    }
  }

  func isLess(than other: Value) -> Bool {
    switch (self, other) {
    case (.int(let a), .int(let b)): a < b
    case (.double(let a), .double(let b)): a < b
    case (.duration(let a), .duration(let b)): a < b
    default: false
    }
  }
}
