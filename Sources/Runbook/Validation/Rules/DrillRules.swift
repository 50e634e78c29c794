/// `drill:` objectives, what they are measured by, and the steady state.
extension Validation {
  /// The parts of `drill`, taken from the file in the order in which they can be read: the steady state before `steps`,
  /// `measure` after them.
  struct DrillParts {
    let place: SourceRange
    let objectives, measure: Node.Entry?
    let before: [ActionStep]
    let stopIf: [ActionStep]
  }

  private static let objectiveKeys = ["rto", "rpo"]
  /// A drill is no reason to wait for years.
  private static let objectiveRange: ClosedRange<Duration> = .milliseconds(1) ... .seconds(3650 * 86_400)

  func drillParts(_ entry: Node.Entry?) -> DrillParts? {
    guard let entry, var fields = FieldReader(entry.value, "`drill`", sink) else { return nil }
    let objectives = fields.takeEntry("objectives")
    let measure = fields.takeEntry("measure")
    let steady = fields.takeEntry("steady_state")
    let stop = fields.takeEntry("stop_if")
    fields.finish(known: ["objectives", "measure", "steady_state", "stop_if"])
    if objectives == nil, steady == nil {
      sink.error(
        .keyMissing, at: entry.keyRange,
        "`drill` has neither `objectives` nor `steady_state`: there is nothing to judge",
        hint: "write `objectives: {rto: 30m, rpo: 26h}` and what `measure`s them")
    }
    if let stop, stop.value.items?.isEmpty == true {
      sink.error(.empty, at: stop.value.range, "`drill.stop_if` is empty", hint: "write a step, or take it out")
    }
    if let steady, steady.value.items?.isEmpty == true {
      sink.error(.empty, at: steady.value.range, "`drill.steady_state` is empty", hint: "write a step, or take it out")
    }
    return DrillParts(
      place: entry.keyRange, objectives: objectives, measure: measure,
      before: actionSteps(steady?.value, in: .steadyState), stopIf: actionSteps(stop?.value, in: .stopIf))
  }

  func drill(_ parts: DrillParts?) -> DrillDefinition? {
    guard let parts else { return nil }
    let objectives = self.objectives(parts.objectives)
    let given = Set((parts.measure?.value.entries ?? []).map(\.key))
    requireMoments(objectives, given, at: parts.objectives?.keyRange ?? parts.place)
    let after = parts.before.map { step in
      var again = step
      again.path = step.path.again
      // What is not regained is no failure of the run.
      again.continuesOnError = true
      return again
    }
    return DrillDefinition(
      rto: objectives["rto"] ?? nil, rpo: objectives["rpo"] ?? nil, measure: moments(parts.measure, objectives),
      before: Body(parts.before), after: Body(after), stopIf: Body(parts.stopIf))
  }

  /// By their words; nil for one whose value is wrong, which has been told.
  private func objectives(_ entry: Node.Entry?) -> [String: Duration?] {
    guard let entry, var fields = FieldReader(entry.value, "`drill.objectives`", sink) else { return [:] }
    var objectives: [String: Duration?] = [:]
    for key in Validation.objectiveKeys {
      guard let node = fields.take(key) else { continue }
      objectives[key] = .some(read.duration(node, "drill.objectives.\(key)", in: Validation.objectiveRange))
    }
    if entry.value.entries?.isEmpty == true {
      sink.error(.empty, at: entry.value.range, "`drill.objectives` is empty", hint: "write `rto: 30m`, `rpo: 26h`")
    }
    fields.finish(known: Validation.objectiveKeys)
    return objectives
  }

  /// An objective without what measures it could never be met.
  private func requireMoments(_ objectives: [String: Duration?], _ given: Set<String>, at place: SourceRange) {
    for (key, moments) in [("rto", [DrillMoment.outageAt, .restoredAt]), ("rpo", [.outageAt, .dataAsOf])] {
      let missing = moments.filter { !given.contains($0.rawValue) }
      guard objectives[key] != nil, !missing.isEmpty else { continue }
      let names = missing.map { "`\($0.rawValue)`" }.joined(separator: " and ")
      sink.error(
        .keyMissing, at: place, "the objective `\(key)` needs `drill.measure` with \(names)",
        hint: "`\(missing[0].rawValue): \(missing[0].example)`")
    }
  }

  private func moments(_ entry: Node.Entry?, _ objectives: [String: Duration?]) -> [DrillMoment: Expression] {
    guard let entry, var fields = FieldReader(entry.value, "`drill.measure`", sink) else { return [:] }
    var moments: [DrillMoment: Expression] = [:]
    for moment in DrillMoment.allCases {
      guard let found = fields.takeEntry(moment.rawValue) else { continue }
      if !moment.serves(Set(objectives.keys)) {
        sink.error(
          .context, at: found.keyRange, "no objective needs `\(moment.rawValue)`",
          hint: "add `objectives: {\(moment == .dataAsOf ? "rpo: 26h" : "rto: 30m")}`, or take the line out")
      }
      moments[moment] = self.moment(found.value, moment)
    }
    fields.finish(known: DrillMoment.allCases.map(\.rawValue))
    return moments
  }

  private func moment(_ node: Node, _ moment: DrillMoment) -> Expression? {
    let name = "drill.measure.\(moment.rawValue)"
    if moment == .dataAsOf, let items = node.items {
      let example = items.isEmpty ? moment.example : "[\(moment.example), …]"
      sink.error(
        .type, at: node.range, "`\(name)` must be an expression, not a list",
        hint: "write the list in quotes: `\"\(example)\"`")
      return nil
    }
    guard let expression = expression(node, name) else { return nil }
    guard !moment.takes(expression.type), !expression.isTainted else { return expression }
    let wanted = moment == .dataAsOf ? "a timestamp, or a list of them" : "a timestamp"
    sink.error(
      .type, at: node.range, "`\(name)` must be \(wanted), and the expression gives \(expression.type.phrase)",
      hint: expression.type.mixHint(with: .timestamp) ?? "for example `\(moment.example)`")
    return nil
  }

  // MARK: Steady state

  /// It is done twice, and only looks.
  func steadyStateRules(_ step: ActionStep, _ entries: [Node.Entry], at keyword: Node.Entry) {
    let tells = step.action.tellsPeople
    if step.effect != .none || tells || step.action.alwaysFails {
      let what = tells ? "sends a message" : step.action.alwaysFails ? "always fails" : "changes something"
      let isScript = step.action.runsScript
      sink.error(
        .context, at: keyword.value.range,
        "`drill.steady_state` only looks, and `\(step.action.name)` \(what)",
        hint: isScript ? "if it changes nothing, write `effect: none` beside it" : "put it into `steps`")
    }
    if let entry = entries.first(where: { $0.key == "continue_on_error" }) {
      sink.error(
        .context, at: entry.keyRange, "`continue_on_error` cannot stand in `drill.steady_state`",
        hint: "a step that may fail says nothing about the state: take the line, or the step, out")
    }
  }

  /// It is polled as long as the steps go on, and only looks.
  func stopConditionRules(_ step: inout ActionStep, _ entries: [Node.Entry], at keyword: Node.Entry) {
    if step.mode != .waitFor || step.effect != .none {
      sink.error(
        .context, at: keyword.keyRange, "`drill.stop_if` is a list of `wait_for` steps, and this is `\(keyword.key)`",
        hint: "write `wait_for: ACTION` and what must hold: `wait: {until: …}`")
    }
    for key in ["continue_on_error", "timeout", "if"] {
      guard let entry = entries.first(where: { $0.key == key }) else { continue }
      sink.error(
        .context, at: entry.keyRange, "`\(key)` cannot stand in `drill.stop_if`",
        hint: "the condition is asked as long as the steps of the drill go on: take the line out")
    }
    if let wait = entries.first(where: { $0.key == "wait" }),
      let entry = wait.value.entries?.first(where: { $0.key == "timeout" })
    {
      sink.error(
        .context, at: entry.keyRange, "`wait.timeout` cannot stand in `drill.stop_if`",
        hint: "the condition is asked as long as the steps of the drill go on: take it out")
    }
    step.timeout = Limits.timeout.upperBound
    step.wait.timeout = Limits.timeout.upperBound
    guard let id = step.id else { return }
    environment.steps[id] = .hidden(
      line: step.range.start.line, because: "it stands in `drill.stop_if`, which is asked beside the steps")
  }

  /// Nothing can read it: it is done twice.
  func hideSteadyStep(_ step: ActionStep) {
    guard let id = step.id else { return }
    environment.steps[id] = .hidden(
      line: step.range.start.line, because: "it stands in `drill.steady_state`, which is done twice")
  }
}

extension DrillMoment {
  fileprivate var example: String {
    switch self {
    case .outageAt: "run.started_at"
    case .dataAsOf: "steps.ID.outputs.created_at"
    case .restoredAt: "steps.ID.finished_at"
    }
  }

  /// Whether one of these objectives is measured by it.
  fileprivate func serves(_ objectives: Set<String>) -> Bool {
    switch self {
    case .outageAt: !objectives.isEmpty
    case .dataAsOf: objectives.contains("rpo")
    case .restoredAt: objectives.contains("rto")
    }
  }

  /// A value of this type may be such a moment, or say that there is none.
  fileprivate func takes(_ type: ValueType) -> Bool {
    switch type {
    case .any, .timestamp, .null: true
    case .optional(let inner): takes(inner)
    case .list(let item): self == .dataAsOf && takes(item)
    default: false
    }
  }
}
