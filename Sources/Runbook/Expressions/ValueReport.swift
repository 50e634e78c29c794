/// The values of the names in an expression, as they are said to a person: "`result.status` is 503, `inputs.max` is 3".
struct ValueReport {
  /// Most names in one message.
  static let limit = 6
  private(set) var text = ""

  /// - Parameter source: what a node looks like on the page.
  init<Scope: ExpressionScope>(
    of node: ExpressionNode, in evaluator: Evaluator<Scope>, source: (ExpressionNode) -> String
  ) {
    var names: [ExpressionNode] = []
    ValueReport.collect(node, into: &names)
    var told: Set<String> = []
    for name in names where told.count < ValueReport.limit {
      // On a budget of its own, and only if the macro's variables it needs were there.
      var reader = evaluator
      reader.budget = EvaluationBudget()
      reader.budget.masker = evaluator.budget.masker
      guard let value = try? reader.evaluate(name) else { continue }
      let written = source(name)
      guard told.insert(written).inserted else { continue }
      text += (text.isEmpty ? "" : ", ") + "`\(written)` is \(ValueReport.shown(value, evaluator.budget.masker))"
    }
  }

  /// The longest chains of members.
  private static func collect(_ node: ExpressionNode, into names: inout [ExpressionNode]) {
    switch node.kind {
    case .root, .local: names.append(node)
    case .select(let operand, _, _) where operand.isChain: names.append(node)
    default: for child in node.children { collect(child, into: &names) }
    }
  }

  /// JSON, cut at 80 characters. Secrets are masked by the writer, and before that in texts; unknown parts are named.
  static func shown(_ value: Value, _ masker: Masker?) -> String {
    switch value {
    case .unknown: return "not known yet"
    case .optional(nil): return "absent"
    default: break
    }
    var budget = EvaluationBudget()
    guard (try? budget.inspect(value, "")) != nil else { return "very large" }
    let json = JSONWriter.text(masker?.mask(value) ?? value)
    return json.unicodeScalars.count <= 80 ? json : String(json.unicodeScalars.prefix(80)) + "…"
  }
}

extension Value {
  var isText: Bool { if case .string = self { true } else { false } }
}

extension ExpressionNode {
  /// It gives a part of what it reads, and builds nothing.
  var isRead: Bool {
    switch kind {
    case .root, .local: true
    case .select(let operand, _, _), .index(let operand, _, _): operand.isRead
    default: false
    }
  }

  /// `a.b.c`, from a variable.
  fileprivate var isChain: Bool {
    switch kind {
    case .root, .local: true
    case .select(let operand, _, _): operand.isChain
    default: false
    }
  }
}
