/// A step, as a message names it.
struct StepMark: Equatable {
  var name: String
  var range: SourceRange
  init(_ step: ActionStep) { self.init(step.id ?? step.action.name, step.range) }
  init(_ call: CallStep) { self.init(call.part.id ?? "call", call.part.range) }

  private init(_ name: String, _ range: SourceRange) {
    self.name = name
    self.range = range
  }
  /// "`stop` (line 12)".
  var text: String { "`\(name)` (line \(range.start.line))" }
}

/// What is known of a server's power state at a place of the runbook, over all the ways that lead there.
struct PowerKnowledge {
  /// It is one of these.
  var possible = PowerKnowledge.all
  /// Of those, the ones that a step of the runbook has brought about.
  var makers: [PowerState: StepMark] = [:]
  /// The step that could only be done in one of `possible`.
  var narrowedBy: StepMark?
  /// So many events had happened when this began to be known: what came later may have changed it.
  var since = 0

  static let all = Set(PowerState.allCases)
  static let nothing = PowerKnowledge()

  var isNothing: Bool { possible == PowerKnowledge.all }

  /// After a step that has succeeded.
  func after(_ act: PowerAct, by mark: StepMark, at event: Int) -> PowerKnowledge {
    switch act.effect {
    case .anything: return .nothing
    case .restored: return possible.isSubset(of: [.running, .stopped]) ? self : .nothing
    case .becomes(let state):
      return PowerKnowledge(possible: [state], makers: [state: mark], narrowedBy: nil, since: event)
    case .nothing:
      let rest = act.needs.isEmpty ? possible : possible.intersection(act.needs)
      // A step that cannot be done has been told so; what comes after it is judged as if it could.
      guard !rest.isEmpty, rest != possible else { return self }
      var known = self
      known.possible = rest
      known.makers = makers.filter { rest.contains($0.key) }
      known.narrowedBy = mark
      if isNothing { known.since = event }
      return known
    }
  }

  /// One way or the other.
  func joined(_ other: PowerKnowledge) -> PowerKnowledge {
    let possible = possible.union(other.possible)
    if possible == PowerKnowledge.all { return .nothing }
    return PowerKnowledge(
      possible: possible, makers: makers.merging(other.makers) { first, _ in first },
      narrowedBy: narrowedBy ?? other.narrowedBy, since: min(since, other.since))
  }

  /// None of the states that a step needs is possible.
  func excludes(_ needs: Set<PowerState>) -> Bool { !needs.isEmpty && possible.isDisjoint(with: needs) }
}
