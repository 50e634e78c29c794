/// Typed reads of single values. Each records the mistake and returns nil.
package struct ScalarReader {
  let sink: DiagnosticSink

  package init(sink: DiagnosticSink) { self.sink = sink }

  /// Text that is known now: `${{ }}` is refused. Any scalar keeps the text it was written with.
  package func text(_ node: Node, _ name: String, limit: Int = 1000) -> String? {
    guard let scalar = scalar(node, name, "text") else { return nil }
    if node.isNull || scalar.text.isEmpty {
      return refuse(
        .type, node, "`\(name)` is empty", hint: "write its text, in quotes if it is meant to look like `null`")
    }
    if scalar.text.hasExpression { return interpolation(node, name) }
    guard scalar.text.utf8.count <= limit || scalar.text.unicodeScalars.count <= limit else {
      return refuse(.range, node, "`\(name)` is longer than \(limit) characters")
    }
    return scalar.text
  }

  package func interpolation<T>(_ node: Node, _ name: String) -> T? {
    refuse(
      .interpolation, node, "`\(name)` is read before the run, so it cannot hold `${{ }}`", hint: "write its text")
  }

  package func int(_ node: Node, _ name: String, in range: ClosedRange<Int64>) -> Int64? {
    guard let scalar = scalar(node, name, "a whole number") else { return nil }
    switch scalar.isPlain ? CoreSchema.resolve(scalar.text) : .string {
    case .int(let number):
      if range.contains(number) { return number }
      fallthrough
    case .numberOutOfRange:
      return refuse(
        .range, node,
        "`\(name)` is \(scalar.text.excerpt(24)); it must be \(range.lowerBound) to \(range.upperBound)")
    default: return wrongType(node, name, "a whole number")
    }
  }

  package func number(_ node: Node, _ name: String, in range: ClosedRange<Double>) -> Double? {
    guard let scalar = scalar(node, name, "a number") else { return nil }
    let value: Double
    switch scalar.isPlain ? CoreSchema.resolve(scalar.text) : .string {
    case .int(let number): value = Double(number)
    case .double(let number): value = number
    case .numberOutOfRange: value = .infinity
    default: return wrongType(node, name, "a number")
    }
    if range.contains(value) { return value }
    let least = Value.double(range.lowerBound).plainText
    return refuse(
      .range, node,
      "`\(name)` is \(scalar.text.excerpt(24)); it must be \(least) to \(Value.double(range.upperBound).plainText)")
  }

  package func bool(_ node: Node, _ name: String) -> Bool? {
    guard let scalar = scalar(node, name, "`true` or `false`") else { return nil }
    if scalar.isPlain, case .bool(let flag) = CoreSchema.resolve(scalar.text) { return flag }
    let meant: String? =
      switch scalar.text.lowercased() {
      case "yes", "y", "on", "true", "1": "true"
      case "no", "n", "off", "false", "0": "false"
      default: nil
      }
    return refuse(
      .type, node, "`\(name)` must be `true` or `false`, not \(node.kindInWords)",
      hint: meant.map { "write \($0), without quotes" })
  }

  package func duration(_ node: Node, _ name: String, in range: ClosedRange<Duration>) -> Duration? {
    guard let scalar = scalar(node, name, "a duration") else { return nil }
    guard let value = Duration(text: scalar.text) else { return wrongDuration(node, name, range) }
    if range.contains(value) { return value }
    return refuse(
      .range, node, "`\(name)` is \(scalar.text.excerpt(24)); it must be \(ScalarReader.words(range))")
  }

  package func choice(_ node: Node, _ name: String, _ words: [String]) -> String? {
    guard let scalar = scalar(node, name, "one word") else { return nil }
    if words.contains(scalar.text) { return scalar.text }
    return refuse(
      .choice, node, "`\(name)` must be \(ScalarReader.alternatives(words)), not \(node.kindInWords)",
      hint: Suggestion.nearest(to: scalar.text, among: words).map { "did you mean `\($0)`?" })
  }

  package func choice<Choice: RawRepresentable & CaseIterable>(_ node: Node, _ name: String) -> Choice?
  where Choice.RawValue == String {
    choice(node, name, Choice.allCases.map { $0.rawValue }).flatMap { Choice(rawValue: $0) }
  }

  // MARK: Refusals

  package func scalar(_ node: Node, _ name: String, _ wanted: String) -> Node.Scalar? {
    if let scalar = node.scalar { return scalar }
    if node.isUnreadable { return nil }
    return wrongType(node, name, wanted)
  }

  package func wrongType<T>(_ node: Node, _ name: String, _ wanted: String) -> T? {
    var hint: String?
    if let scalar = node.scalar, !scalar.isPlain, wanted.hasSuffix("number"), isNumber(scalar.text) {
      hint = "write \(scalar.text), without quotes"
    }
    return refuse(.type, node, "`\(name)` must be \(wanted), not \(node.kindInWords)", hint: hint)
  }

  private func isNumber(_ text: String) -> Bool {
    switch CoreSchema.resolve(text) {
    case .int, .double: true
    default: false
    }
  }

  private func wrongDuration<T>(_ node: Node, _ name: String, _ range: ClosedRange<Duration>) -> T? {
    let text = node.scalar?.text ?? ""
    let isBare = Int64(text).map { $0 >= 0 } ?? false
    let isTooLong = text.utf8.count > 9 && text.utf8.allSatisfy { "0123456789.smhd".utf8.contains($0) }
    if text.hasPrefix("-") || isTooLong && text.utf8.first.map({ $0 >= 0x30 && $0 <= 0x39 }) == true {
      return refuse(.range, node, "`\(name)` is \(text.excerpt(24)); it must be \(ScalarReader.words(range))")
    }
    return refuse(
      .type, node, "`\(name)` must be a duration such as `30s`, `5m` or `1h30m`, not \(node.kindInWords)",
      hint: (isBare ? text + "s" : ScalarReader.spelledOut(text)).map { "did you mean `\($0)`?" })
  }

  /// `10 minutes` as `10m`; nil if it is no such thing.
  private static func spelledOut(_ text: String) -> String? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    let unit = text.dropFirst(digits.count).drop { $0 == " " }.lowercased()
    let letters: [(String, String)] = [
      ("millisecond", "ms"), ("msec", "ms"), ("sec", "s"), ("min", "m"), ("hour", "h"), ("hr", "h"), ("day", "d"),
      ("ms", "ms"), ("s", "s"), ("m", "m"), ("h", "h"), ("d", "d"),
    ]
    guard !digits.isEmpty, digits.count < 9, unit.allSatisfy(\.isLetter),
      let letter = letters.first(where: { unit.hasPrefix($0.0) })?.1
    else { return nil }
    return digits + letter
  }

  package func refuse<T>(
    _ code: DiagnosticCode, _ node: Node, _ message: @autoclosure () -> String,
    hint: @autoclosure () -> String? = nil
  ) -> T? {
    sink.error(code, at: node.range, message(), hint: hint())
    return nil
  }

  static func words(_ range: ClosedRange<Duration>) -> String { "\(range.lowerBound.text) to \(range.upperBound.text)" }

  package static func alternatives(_ words: [String]) -> String {
    let quoted = words.map { "`\($0)`" }
    guard let last = quoted.last, quoted.count > 1 else { return quoted.joined() }
    return quoted.dropLast().joined(separator: ", ") + " or " + last
  }
}

extension Value {
  /// A number without needless zeros: `3`, `0.2`.
  var plainText: String {
    if case .double(let number) = self, let whole = Int64(exactly: number) { return String(whole) }
    return JSONWriter.text(self)
  }
}
