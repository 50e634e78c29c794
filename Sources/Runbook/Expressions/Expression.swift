/// An expression that has been parsed and checked.
public struct Expression: Sendable {
  /// Without `${{ }}` and surrounding space.
  public let source: String
  public let range: SourceRange
  /// What it evaluates to, as far as it can be known; `.optional` where an optional may be absent.
  public let type: ValueType
  let tree: ExpressionNode
  /// Where `source` begins in the text whose offsets the tree holds.
  private let base: Int

  /// Parses and checks a bare expression. A text that is exactly one `${{ expr }}` is taken as `expr`.
  ///
  /// - Parameters:
  ///   - range: of the whole scalar; mistakes point into it where the text on the page is the text given.
  ///   - expected: what the place needs (`.bool` for `if`); `.any` accepts everything.
  public static func parse(
    _ source: String, at range: SourceRange, in environment: TypeEnvironment, expecting expected: ValueType = .any
  ) -> Result<Expression, Diagnostics> {
    let bytes = Array(source.utf8)
    do throws(ExpressionMistake) {
      var (start, isInTemplate) = (0, false)
      while start < bytes.count, bytes[start].isSpace { start += 1 }
      if bytes[start...].starts(with: Template.opening) { (start, isInTemplate) = (start + 3, true) }
      let (tree, end) = try ExpressionParser.parse(bytes, from: start, inTemplate: isInTemplate)
      if isInTemplate, let rest = bytes[end...].firstIndex(where: { !$0.isSpace }) {
        throw ExpressionMistake(
          .syntax, rest..<bytes.count, "there is more behind the `}}`",
          hint: "this place takes a whole expression: leave out `${{` and `}}`")
      }
      return check(
        tree, bytes, from: start, to: isInTemplate ? end - 2 : end, at: range, in: environment, expecting: expected)
    } catch {
      return .failure(Diagnostics([SourceMap(bytes, at: range).diagnostic(error)]))
    }
  }

  /// Checks a tree of `bytes[start..<end]`.
  static func check(
    _ tree: ExpressionNode, _ bytes: [UInt8], from start: Int, to end: Int, at range: SourceRange,
    in environment: TypeEnvironment, expecting expected: ValueType = .any
  ) -> Result<Expression, Diagnostics> {
    var checker = ExpressionChecker(in: environment)
    let type = checker.type(of: tree)
    if checker.mistakes.isEmpty, !type.fits(expected) { checker.refuse(tree, type, expected) }
    guard checker.mistakes.isEmpty else {
      let map = SourceMap(bytes, at: range)
      return .failure(Diagnostics(checker.mistakes.map { map.diagnostic($0) }))
    }
    var (first, last) = (start, end)
    while first < last, bytes[first].isSpace { first += 1 }
    while last > first, bytes[last - 1].isSpace { last -= 1 }
    let source = String(decoding: bytes[first..<last], as: UTF8.self)
    return .success(Expression(source: source, range: range, type: type, tree: tree, base: first))
  }

  init(source: String, range: SourceRange, type: ValueType, tree: ExpressionNode, base: Int) {
    self.source = source
    self.range = range
    self.type = type
    self.tree = tree
    self.base = base
  }

  /// - Throws: the reason, with the values that the expression read.
  public func evaluate(in scope: some ExpressionScope) throws(ExpressionFailure) -> Value {
    try evaluate(in: scope, keepsStored: false)
  }

  /// - Parameter keepsStored: an expression that is nothing but a text that lies in the store gives it as it lies
  ///   there: for outputs, which keep a whole stream by reference.
  func evaluate(in scope: some ExpressionScope, keepsStored: Bool) throws(ExpressionFailure) -> Value {
    var evaluator = Evaluator(in: scope)
    do throws(EvaluationFault) {
      var value = try evaluator.evaluate(tree, keepsStored: keepsStored)
      if case .stored = value { return value }
      if scope.holdsStored { value = try evaluator.read(value) }
      // A text is measured where it is built; one that was only read may be a whole stream.
      _ = try evaluator.budget.inspect(value, "the result", isRead: tree.isRead || value.isText)
      return value
    } catch {
      throw failure(error, in: evaluator)
    }
  }

  private func failure(_ fault: EvaluationFault, in evaluator: Evaluator<some ExpressionScope>) -> ExpressionFailure {
    let node = fault.node ?? tree
    var message = "\(fault.message), in `\(text(of: node))`"
    let values = ValueReport(of: node, in: evaluator) { text(of: $0) }.text
    if !values.isEmpty { message += " (\(values))" }
    return ExpressionFailure(message, isNotYet: !fault.isFinal && isAbsence(fault, at: node, in: evaluator))
  }

  /// Whether it failed because something below `result` or `error` is missing or null: in that case the part of the
  /// expression that failed reads one of them, or a variable of a macro over one of them.
  private func isAbsence(
    _ fault: EvaluationFault, at node: ExpressionNode, in evaluator: Evaluator<some ExpressionScope>
  ) -> Bool {
    var (part, whole) = (References(), References())
    part.collect(node)
    whole.collect(tree)
    let watched: Set = ["result", "error"]
    let reads = !part.roots.isDisjoint(with: watched) || node.readsLocal && !whole.roots.isDisjoint(with: watched)
    guard reads else { return false }
    if fault.isAbsence { return true }
    // An operator or a function that was given null.
    return node.children.contains { child in
      var reader = evaluator
      reader.budget = EvaluationBudget()
      guard let value = try? reader.evaluate(child) else { return false }
      return value.isNull
    }
  }

  private func text(of node: ExpressionNode) -> String {
    let bytes = Array(source.utf8)
    let (start, end) = (node.span.lowerBound - base, node.span.upperBound - base)
    guard start >= 0, end <= bytes.count, start < end else { return source.shortened }
    return String(decoding: bytes[start..<end], as: UTF8.self).shortened
  }

  /// What it reads, for locks, plans and warnings.
  public var references: References {
    var references = References()
    references.collect(tree)
    return references
  }
  /// True if the value is, or holds, a secret.
  public var isTainted: Bool { type.isTainted }
  /// True if the value can be known only in the run: it reads more than `inputs`, `vars` and `secrets`, or calls
  /// `now()`.
  public var mayBeUnknown: Bool { tree.mayBeUnknown }
  /// Itself and the values it reads, for the message of an `expect` that does not hold:
  /// "`result.status == 200`, where `result.status` is 503". Never a secret's value.
  public func explanation(in scope: some ExpressionScope) -> String {
    let values = ValueReport(of: tree, in: Evaluator(in: scope)) { text(of: $0) }.text
    return "`\(source.shortened)`" + (values.isEmpty ? "" : ", where " + values)
  }
}

extension ExpressionChecker {
  /// The whole expression has a type that its place cannot take.
  mutating func refuse(_ tree: ExpressionNode, _ type: ValueType, _ expected: ValueType) {
    if type.isTainted {
      _ = mistake(.secret, tree, "a secret cannot stand here", hint: "it may only be passed to fields that take one")
    } else {
      let hint = expected == .bool ? type.boolHint : type.mixHint(with: expected)
      _ = mistake(.type, tree, "this place needs \(expected.phrase), the expression gives \(type.phrase)", hint: hint)
    }
  }
}

extension UInt8 {
  var isSpace: Bool { self == 0x20 || (self >= 0x09 && self <= 0x0d) }
}
