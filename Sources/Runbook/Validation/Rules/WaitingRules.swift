/// `on_waiting` tells somebody, and does nothing else.
extension Validation {
  /// Keys of a step that mean nothing there.
  private static let besideNotification = [
    "id", "retry", "wait", "expect", "outputs", "rollback", "effect", "idempotent", "on_crash", "continue_on_error",
  ]

  func refuseInNotification(_ fields: inout FieldReader) {
    for key in Validation.besideNotification {
      guard let entry = fields.takeEntry(key) else { continue }
      sink.error(
        .context, at: entry.keyRange, "`\(key)` has no effect in `on_waiting`",
        hint:
          "take it out: a message is sent until it has arrived, for two minutes in all, and its failure ends nothing")
    }
  }

  func mayTell(_ kind: Node.Entry, _ act: Act, in section: StepSection) -> Bool {
    guard section == .onWaiting else { return true }
    // An action of a provider would reach the cloud, whatever it says of itself.
    if act.isCalledByName, act.block == nil, act.info.declaration.tellsPeople { return true }
    let known = catalog.builtIn.values.filter { $0.declaration.tellsPeople }.map { "`\($0.declaration.name)`" }.sorted()
    let (word, place) = act.said(kind)
    sink.error(
      .context, at: place, "`on_waiting` only tells people, and `\(word)` does something else",
      hint: "use \(known.joined(separator: ", "))")
    return false
  }
}

extension ValueType {
  /// `waiting`: what the run waits for, in `on_waiting`.
  static let waiting = ValueType.object([
    "for": .string, "step": .string, "message": .string, "until": .timestamp, "command": .string,
  ])
}
