import Runbook

/// Reads the parts of a mock file and gathers what is wrong with them.
struct MockReader {
  private(set) var mistakes: [Diagnostic]

  init(mistakes: [Diagnostic]) { self.mistakes = mistakes }

  mutating func refuse(_ node: Node, _ message: String, hint: String? = nil) { refuse(node.range, message, hint: hint) }

  mutating func refuse(_ range: SourceRange, _ message: String, hint: String? = nil) {
    mistakes.append(Diagnostic(.mock, at: range, message, hint: hint))
  }

  mutating func entries(of node: Node, _ keys: String) -> [Node.Entry] {
    if let entries = node.entries { return entries }
    if !node.isUnreadable { refuse(node, "a map of \(keys) is expected here") }
    return []
  }

  mutating func texts(_ node: Node) -> [String] {
    (node.items ?? [node]).compactMap { item in
      if let text = item.scalar?.text { return text }
      refuse(item, "a text is expected here")
      return nil
    }
  }

  /// One answer for ever, or a list of which each but the last holds for one call unless `times` says more.
  mutating func answers(_ node: Node) -> [MockAnswer] {
    guard let items = node.items else { return [answer(node)] }
    return items.indices.map { index in
      var answer = answer(items[index])
      if index != items.indices.last, answer.times == nil { answer.times = 1 }
      return answer
    }
  }

  private mutating func answer(_ node: Node) -> MockAnswer {
    var answer = MockAnswer()
    for entry in entries(of: node, "`fail`, `outputs`, `result`, `after`, `times`") {
      switch entry.key {
      case "outputs": answer.outputs = map(entry.value)
      case "result": answer.result = map(entry.value)
      case "fail": answer.failure = failure(entry.value)
      case "after": answer.after = duration(entry.value)
      case "times": answer.times = count(entry.value)
      default:
        refuse(
          entry.keyRange, "unknown key `\(entry.key)`",
          hint: "an answer has `fail`, `outputs`, `result`, `after`, `times`")
      }
    }
    return answer
  }

  private mutating func failure(_ node: Node) -> StepFailure {
    var failure = StepFailure(.rejected, "the mock file says so")
    for entry in entries(of: node, "`kind`, `message`, `effect`, `retryable`, `retry_after`, `detail`") {
      let text = entry.value.scalar?.text ?? ""
      switch entry.key {
      case "kind":
        if let kind = StepFailure.Kind(rawValue: text) {
          failure.kind = kind
        } else {
          refuse(entry.value, "unknown kind of error", hint: words(StepFailure.Kind.allCases.map(\.rawValue)))
        }
      case "message": failure.message = text
      case "effect":
        if let effect = StepFailure.Effect(rawValue: text) {
          failure.effect = effect
        } else {
          refuse(entry.value, "unknown effect", hint: words(["none", "applied", "unknown"]))
        }
      case "retryable":
        if let flag = entry.value.literalValue.bool {
          failure.retryable = flag
        } else {
          refuse(entry.value, "`retryable` is true or false")
        }
      case "retry_after": failure.retryAfter = duration(entry.value)
      case "detail": failure.detail = map(entry.value)
      default:
        refuse(
          entry.keyRange, "unknown key `\(entry.key)`",
          hint: words(["kind", "message", "effect", "retryable", "retry_after", "detail"]))
      }
    }
    return failure
  }

  private mutating func map(_ node: Node) -> [String: Value] {
    if let map = node.literalValue.map { return map }
    if !node.isUnreadable { refuse(node, "a map is expected here") }
    return [:]
  }

  private mutating func duration(_ node: Node) -> Duration {
    if let duration = node.scalar.flatMap({ Duration(text: $0.text) }) { return duration }
    refuse(node, "a duration such as `30s` is expected here")
    return .zero
  }

  private mutating func count(_ node: Node) -> Int {
    if let count = node.literalValue.int.flatMap({ Int(exactly: $0) }), count >= 1 { return count }
    refuse(node, "`times` is a whole number of at least 1")
    return 1
  }

  private func words(_ known: [String]) -> String {
    "known are " + known.map { "`\($0)`" }.joined(separator: ", ")
  }
}
