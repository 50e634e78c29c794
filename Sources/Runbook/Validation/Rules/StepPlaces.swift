/// The list in which a step stands: decides its path, what it may be and what it may read.
enum StepSection: Equatable {
  case steps, onFailure, onRollbackFailure, onWaiting, always, steadyState, stopIf
  case undo(owner: StepPath)
  /// A list inside another step of `steps`. The path is that of what holds the list.
  case inside(StepPath, HeldList)

  /// The keys that hold a list of steps.
  enum HeldList: String {
    case block, rescue, parallel, gate

    /// What a step without an id is called, before its position.
    var localName: String { self == .gate ? "step" : rawValue }
  }

  var word: String {
    switch self {
    case .steps: "steps"
    case .onFailure: "on_failure"
    case .onRollbackFailure: "on_rollback_failure"
    case .onWaiting: "on_waiting"
    case .always: "always"
    case .steadyState: "drill.steady_state"
    case .stopIf: "drill.stop_if"
    case .undo: "rollback"
    case .inside(_, let list): list.rawValue
    }
  }

  /// - Parameter id: nil for a step without one.
  func path(_ index: Int, _ id: String?) -> StepPath {
    switch self {
    case .undo(let owner): owner.undo(index)
    case .steadyState: .steadyState(index, id)
    case .stopIf: .stopCondition(index, id)
    case .inside(let holder, let list): holder.child(id ?? "\(list.localName)[\(index)]")
    case .steps, .onFailure, .onRollbackFailure, .onWaiting, .always: StepPath(id ?? "\(word)[\(index)]")
    }
  }

  var isUndo: Bool { if case .undo = self { true } else { false } }

  /// `steps`, or inside a step of them.
  var isMain: Bool {
    switch self {
    case .steps, .inside: true
    case .onFailure, .onRollbackFailure, .onWaiting, .always, .steadyState, .stopIf, .undo: false
    }
  }
}

/// What is around the step that is being read.
struct Surroundings {
  /// The items of the loops around it, outermost first, each with the line of its `for_each`.
  var items: [(name: String, line: Int)] = []
  /// The line of the `parallel` whose branches share with it what a `commit` would close; nil if there is none.
  var parallelLine: Int?
}

extension Validation {
  /// The ids in these steps and in all that they hold, each with its place.
  static func ids(in steps: [Node]) -> [(id: String, place: SourceRange)] {
    steps.flatMap { step in
      (step.entries ?? []).flatMap { entry -> [(id: String, place: SourceRange)] in
        switch entry.key {
        case "id": return entry.value.scalar.map { [($0.text, entry.value.range)] } ?? []
        case "block", "rescue", "parallel": return ids(in: entry.value.items ?? [])
        case "for_each":
          let gate = entry.value.entries?.first { $0.key == "gate" }
          return ids(in: gate?.value.items ?? [])
        default: return []
        }
      }
    }
  }

  /// Ids of the whole file, so that a reference can tell "further down" from "nowhere".
  func declareIds(_ sections: Sections) {
    let steady = sections.drill?.value.entries?.first { $0.key == "steady_state" }?.value
    let stopIf = sections.drill?.value.entries?.first { $0.key == "stop_if" }?.value
    let lists = [
      steady, stopIf, sections.steps, sections.onFailure, sections.onRollbackFailure, sections.onWaiting,
      sections.always,
    ]
    for (id, place) in Validation.ids(in: lists.flatMap { $0?.items ?? [] }) {
      guard case .later(let line)? = environment.steps.updateValue(.later(line: place.start.line), forKey: id) else {
        continue
      }
      sink.error(
        .idDuplicate, at: place, "the id `\(id.excerpt(64))` is given twice",
        hint: "first on line \(line); ids are unique in a file")
    }
  }

  // MARK: What can be read of a step

  func register(_ step: ActionStep) {
    guard let id = step.id else { return }
    register(
      id, Validation.outputTypes(of: step), isConditional: step.condition != nil, mayFail: step.continuesOnError)
  }

  /// From here on its outputs can be read.
  func register(_ part: CompositePart, _ outputs: [String: ValueType]) {
    guard let id = part.id else { return }
    register(id, outputs, isConditional: part.condition != nil, mayFail: part.continuesOnError)
  }

  private func register(_ id: String, _ outputs: [String: ValueType], isConditional: Bool, mayFail: Bool) {
    if isConditional {
      environment.steps[id] = .mayNotHaveRun(outputs: outputs, because: "it has an `if`")
    } else if mayFail {
      environment.steps[id] = .mayNotHaveRun(outputs: outputs, because: "it may have failed (`continue_on_error`)")
    } else {
      environment.steps[id] = .ran(outputs: outputs)
    }
  }

  static func outputTypes(of step: ActionStep) -> [String: ValueType] {
    var outputs = step.action.outputs
    for output in step.outputs { outputs[output.name] = output.value.type }
    return outputs
  }

  /// A step that could not be read: references to it, and to the steps in it, are not mistakes of their own.
  func registerUnknown(_ entries: [Node.Entry]) {
    if let id = entries.first(where: { $0.key == "id" })?.value.scalar?.text { brokenSteps.append(id) }
    for entry in entries where entry.key != "id" {
      brokenSteps += Validation.ids(in: [Node(.mapping([entry]), at: entry.value.place)]).map { $0.id }
    }
  }

  /// These steps exist, and cannot be read from here on.
  func hide(_ ids: [(id: String, place: SourceRange)], because reason: String) {
    for (id, place) in ids { environment.steps[id] = .hidden(line: place.start.line, because: reason) }
  }

  /// From here on it is not certain that these steps have run. A step of which that was uncertain before keeps its
  /// reason.
  func doubt(_ ids: [(id: String, place: SourceRange)], because reason: String) {
    for (id, _) in ids {
      guard case .ran(let outputs)? = environment.steps[id] else { continue }
      environment.steps[id] = .mayNotHaveRun(outputs: outputs, because: reason)
    }
  }

  /// A step of this id holds the steps that are read next: it has not come to its end for any of them.
  func hideUnderWay(_ id: String?, at place: SourceRange) {
    guard let id else { return }
    hide([(id, place)], because: "it is around this step, and has not ended")
  }
}
