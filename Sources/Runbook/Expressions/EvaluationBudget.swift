/// What one evaluation may still cost. Operators and functions are its methods, because each pays for what it
/// reads and builds.
struct EvaluationBudget {
  private(set) var steps = ExpressionLimit.steps
  /// Masks what a fault says of a value.
  var masker: Masker?

  /// A text for a message: masked, then cut.
  func shown(_ text: String) -> String { (masker?.mask(text) ?? text).shortened }

  mutating func spend(_ count: Int) throws(EvaluationFault) {
    steps -= min(count, ExpressionLimit.steps + 1)
    if steps < 0 { throw EvaluationBudget.exhausted }
  }

  static var exhausted: EvaluationFault {
    var fault = EvaluationFault("the expression takes more than \(ExpressionLimit.steps) steps")
    fault.isFinal = true
    return fault
  }

  /// Pays for reading `count` bytes or items. What is read may be as long as it likes.
  mutating func read(_ count: Int) throws(EvaluationFault) {
    if count >= 65_536 { try spend(count / 65_536) }
  }

  /// Pays for a text or list of `count` bytes or items about to be built.
  mutating func build(_ count: Int) throws(EvaluationFault) {
    guard count <= ExpressionLimit.size else { throw EvaluationBudget.tooLarge("a value in the expression") }
    if count >= 8192 { try spend(count / 8192) }
  }

  /// Pays for a text that was built.
  mutating func built(_ text: String) throws(EvaluationFault) -> Value {
    try build(text.utf8.count)
    return .string(text)
  }

  static func tooLarge(_ what: String) -> EvaluationFault {
    var fault = EvaluationFault("\(what) is larger than \(ExpressionLimit.size / 1024 / 1024) MiB")
    fault.isFinal = true
    return fault
  }

  /// Looks through a whole value: that it is not too large or deep, and whether a secret or an unknown is inside.
  /// Values may share parts, so what is small in memory can be endless when walked: each visit counts.
  ///
  /// - Parameter isRead: it is as it was given, and nothing of it was built here: it may be as large as it likes.
  mutating func inspect(_ value: Value, _ what: String, isRead: Bool = false) throws(EvaluationFault) -> Inspection {
    switch value {
    case .string(let text):
      guard isRead || text.utf8.count <= ExpressionLimit.size else { throw EvaluationBudget.tooLarge(what) }
      return Inspection()
    case .null, .bool, .int, .double, .duration, .timestamp: return Inspection()
    default:
      var inspection = Inspection(limit: isRead ? .max : ExpressionLimit.size)
      guard inspection.add(value, depth: 0) else {
        if inspection.isTooDeep {
          throw EvaluationFault("\(what) nests more than \(ExpressionLimit.depth) levels deep")
        }
        throw EvaluationBudget.tooLarge(what)
      }
      try read(inspection.size)
      return inspection
    }
  }

  struct Inspection {
    var limit = ExpressionLimit.size
    var size = 0
    var isTainted = false
    var isUnknown = false
    var isTooDeep = false

    /// False once it is too much.
    mutating func add(_ value: Value, depth: Int) -> Bool {
      size += 1
      if depth > ExpressionLimit.depth {
        isTooDeep = true
        return false
      }
      switch value {
      case .string(let text): size += text.utf8.count
      case .list(let items):
        for item in items where !add(item, depth: depth + 1) { return false }
      case .map(let entries):
        for (key, item) in entries {
          size += key.utf8.count
          guard add(item, depth: depth + 1) else { return false }
        }
      case .optional(let inner?): return add(inner, depth: depth + 1)
      case .secret: isTainted = true
      case .unknown: isUnknown = true
      default: break
      }
      return size <= limit
    }
  }
}
