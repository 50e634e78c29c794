/// What may stand beside `approve`, and where.
extension Validation {
  /// Keys of a step that mean nothing where a person is asked, each with what to do.
  private static let besideApproval: [(key: String, hint: String)] = [
    ("timeout", "put it below `approve:`, where it sets how long the run waits for an answer"),
    ("retry", "take it out: a question is asked once"),
    ("wait", "take it out: `approve` waits until somebody answers"),
    ("expect", "write it as the `if` of the next step, which can read `steps.ID.outputs`"),
    ("outputs", "take it out: `approve` has the outputs `approved`, `by`, `comment` and `decided_at`"),
    ("rollback", "take it out: a question changes nothing"), ("effect", "take it out: a question changes nothing"),
    ("idempotent", "take it out: a question changes nothing"), ("on_crash", "take it out: a question is not lost"),
  ]

  /// Takes the keys that would have no effect out of the step, and tells each.
  func refuseBesideApproval(_ action: ActionInfo, _ fields: inout FieldReader) {
    guard action.declaration.asksPeople else { return }
    for (key, hint) in Validation.besideApproval {
      guard let entry = fields.takeEntry(key) else { continue }
      sink.error(.context, at: entry.keyRange, "`\(key)` cannot stand beside `\(action.declaration.name)`", hint: hint)
    }
  }

  /// A question that comes when everything is over, or while diagnostics have two minutes, would hold up the end.
  func mayAsk(_ kind: Node.Entry, _ act: Act, in section: StepSection) -> Bool {
    guard act.info.declaration.asksPeople, !section.isMain, !section.isUndo else { return true }
    let (word, place) = act.said(kind)
    sink.error(
      .context, at: place,
      "`\(word)` cannot stand in `\(section.word)`: the run would not end until somebody answers",
      hint: "ask in `steps`, or in the `rollback` of a step")
    return false
  }

  /// A text that holds nothing to be read asks nothing.
  func checkPrompt(_ step: ActionStep, at range: SourceRange) {
    guard step.action.asksPeople, let prompt = step.with[ApprovalField.prompt]?.constant?.string, !prompt.isEmpty,
      ApprovalQuestion.isBlank(prompt)
    else { return }
    sink.error(
      .range, at: range, "`\(ApprovalField.prompt)` is blank: it asks nothing",
      hint: "write the question that a person answers")
  }

  /// More people than there are cannot approve.
  func checkApprovers(_ step: ActionStep, at range: SourceRange) {
    guard step.action.asksPeople, let names = step.with[ApprovalField.approvers]?.constant?.list, !names.isEmpty,
      let minimum = step.with[ApprovalField.minimum]?.constant?.int
    else { return }
    let people = Set(names.compactMap { $0.string }).count
    guard minimum > people else { return }
    sink.error(
      .range, at: range, "`\(ApprovalField.minimum)` is \(minimum), and `\(ApprovalField.approvers)` names \(people)",
      hint: "name more people, or ask fewer of them")
  }
}

extension RunbookDefinition {
  /// Steps and undo steps whose question needs a store that knows people, with the field that says so. This release has
  /// no such store: an answer comes from one user of the operating system.
  public var questionsForSeveral: [(step: String, field: String)] {
    var steps: [(path: String, step: ActionStep)] = []
    walk([.steps]) { step, _ in steps.append((step.path.text, step)) }
    for call in calls {
      let path = call.part.path.text
      call.runbook.value.walk([.steps]) { step, _ in steps.append(("\(path).\(step.path.text)", step)) }
    }
    for call in [ownCalls, calls.flatMap { $0.runbook.value.ownCalls }].joined() {
      steps += call.undo.map { ($0.path.text, $0) }
    }
    var found: [(step: String, field: String)] = []
    for (path, step) in steps where step.action.asksPeople {
      if let approvers = step.with[ApprovalField.approvers], approvers.constant != .null {
        found.append((path, ApprovalField.approvers))
      } else if let minimum = step.with[ApprovalField.minimum], minimum.constant != 1 {
        found.append((path, ApprovalField.minimum))
      }
    }
    return found
  }
}
