/// One step of a body, by what it does; the associated value is the step itself.
///
/// Switches over it have no `default`, so that a new kind is met by everybody who must treat it.
public enum Step: Sendable {
  /// It has an action called, or a person asked.
  case action(ActionStep)

  /// The steps in it that have something called, in the order in which they are written. Undo steps are not among them.
  var leaves: [ActionStep] {
    switch self {
    case .action(let step): [step]
    }
  }
}

/// Steps that are carried out from top to bottom.
public struct Body: Sendable {
  public let steps: [Step]
  /// Every step in it that has something called, in the order in which they are written, without undo steps.
  public let leaves: [ActionStep]

  public init(_ steps: [Step]) {
    self.steps = steps
    leaves = steps.flatMap(\.leaves)
  }

  public init(_ steps: [ActionStep]) { self.init(steps.map { .action($0) }) }

  public var isEmpty: Bool { steps.isEmpty }
}

/// A list of steps at the top level of a runbook.
public enum RunbookSection: Sendable, CaseIterable {
  /// The steady state of a drill, before and after its steps.
  case steadyStateBefore
  case steps
  case steadyStateAfter
  case onFailure, onRollbackFailure, onWaiting, always

  /// The sections whose steps are done in order before the run is judged or undone.
  public static let main: [RunbookSection] = [.steadyStateBefore, .steps, .steadyStateAfter]
}

/// Where a step of a walk stands.
public struct StepPlace: Sendable {
  public var section: RunbookSection
  /// The step in whose `rollback` it stands; nil for a step that is no undo step.
  public var undoes: ActionStep?
}

extension RunbookDefinition {
  public func body(of section: RunbookSection) -> Body {
    switch section {
    case .steadyStateBefore: drill?.before ?? Body([Step]())
    case .steps: steps
    case .steadyStateAfter: drill?.after ?? Body([Step]())
    case .onFailure: onFailure
    case .onRollbackFailure: onRollbackFailure
    case .onWaiting: onWaiting
    case .always: always
    }
  }

  /// The walk over the tree that everybody takes: every step of these sections that has something called, in the order
  /// of the file, and behind each the undo steps of its `rollback`.
  public func walk(_ sections: [RunbookSection] = RunbookSection.allCases, _ visit: (ActionStep, StepPlace) -> Void) {
    for section in sections {
      for step in body(of: section).leaves {
        visit(step, StepPlace(section: section, undoes: nil))
        for undo in step.undoSteps { visit(undo, StepPlace(section: section, undoes: step)) }
      }
    }
  }

  /// Everything that is done in order before the run is judged or undone: `steps`, and around them the steady state of
  /// a drill.
  public var mainSteps: [ActionStep] { RunbookSection.main.flatMap { body(of: $0).leaves } }
}

extension ActionStepDefinition {
  /// The steps of its `rollback`; none if it has nothing to undo, or cannot be undone.
  public var undoSteps: [ActionStep] { if case .steps(let undo, _) = rollback { undo } else { [] } }
}
