/// One step of a body, by what it does; the associated value is the step itself.
///
/// Switches over it have no `default`, so that a new kind is met by everybody who must treat it.
public enum Step: Sendable {
  /// It has an action called, or a person asked.
  case action(ActionStep)
  /// Steps that are carried out one after the other, and those that come to the rescue when one of them fails.
  indirect case block(BlockStep)
  /// Steps that are carried out at the same time.
  indirect case parallel(ParallelStep)
  /// A step that is carried out once for each item of a list.
  indirect case loop(LoopStep)
  /// The steps of another file.
  indirect case call(CallStep)

  /// Its path where no loop and no call stands above it. See `StepPath`.
  public var path: StepPath { if case .action(let step) = self { step.path } else { part?.path ?? .root } }

  public var id: String? { if case .action(let step) = self { step.id } else { part?.id } }

  /// What people read: the `name:`, else the id, else what it does.
  public var title: String { if case .action(let step) = self { step.title } else { part?.title ?? "" } }

  public var range: SourceRange { if case .action(let step) = self { step.range } else { part?.range ?? .beginning } }

  public var condition: Expression? { if case .action(let step) = self { step.condition } else { part?.condition } }

  public var continuesOnError: Bool {
    if case .action(let step) = self { step.continuesOnError } else { part?.continuesOnError ?? false }
  }

  /// What all steps have that hold others; nil for one that has an action called.
  public var part: CompositePart? {
    switch self {
    case .action: nil
    case .block(let step): step.part
    case .parallel(let step): step.part
    case .loop(let step): step.part
    case .call(let step): step.part
    }
  }

  /// The word of the language that makes it what it is; nil for one that has an action called.
  public var keyword: String? {
    switch self {
    case .action: nil
    case .block: "block"
    case .parallel: "parallel"
    case .loop: "for_each"
    case .call: "call"
    }
  }

  /// The steps in it that have something called, in the order in which they are written. Undo steps are not among them,
  /// nor the steps of a file that it calls: these are of another runbook.
  var leaves: [ActionStep] {
    switch self {
    case .action(let step): [step]
    case .block(let step): step.steps.leaves + (step.rescue?.leaves ?? [])
    case .parallel(let step): step.branches.leaves
    case .loop(let step): step.step.leaves + step.gate.leaves
    case .call: []
    }
  }
}

/// What all steps have that hold others.
public struct CompositePart: Sendable {
  /// See `Step.path`.
  public var path: StepPath
  public var id: String?
  public var title: String
  public var range: SourceRange
  public var condition: Expression?
  /// Evaluated when its steps have come to their end. Those of a `call` are the outputs of its runbook.
  public var outputs: [(name: String, value: Expression)]
  /// Of everything in it; nil: only what its steps and the run have themselves.
  public var timeout: Duration?
  public var continuesOnError: Bool

  public init(
    path: StepPath, id: String?, title: String, range: SourceRange, condition: Expression? = nil,
    outputs: [(name: String, value: Expression)] = [], timeout: Duration? = nil, continuesOnError: Bool = false
  ) {
    self.path = path
    self.id = id
    self.title = title
    self.range = range
    self.condition = condition
    self.outputs = outputs
    self.timeout = timeout
    self.continuesOnError = continuesOnError
  }
}

/// `block`: steps that are carried out one after the other.
public struct BlockStep: Sendable {
  public var part: CompositePart
  public var steps: Body
  /// Carried out when a step of `steps` has failed; when they succeed, so has the block. nil: a failure is the block's.
  public var rescue: Body?

  public init(_ part: CompositePart, steps: Body, rescue: Body? = nil) {
    self.part = part
    self.steps = steps
    self.rescue = rescue
  }
}

/// `parallel`: steps that are carried out at the same time. When one fails, the others are stopped.
public struct ParallelStep: Sendable {
  public var part: CompositePart
  public var branches: Body

  public init(_ part: CompositePart, branches: Body) {
    self.part = part
    self.branches = branches
  }
}

/// `for_each`: a step that is carried out once for each item of a list. Each time is an iteration: a scope that is
/// undone by itself when it fails.
public struct LoopStep: Sendable {
  /// A number of iterations, as its author gives it.
  public enum Share: Sendable {
    case count(Int)
    /// Of all items, 0…100; rounded down.
    case percent(Int)
    /// Gives a whole number, or a text such as `25%`.
    case expression(Expression)
  }

  public var part: CompositePart
  /// Gives a list; of a map, its keys in their order.
  public var items: Expression
  /// The name of the item in expressions: `item`.
  public var name: String
  /// How many iterations each batch holds; the last repeats. Empty: one batch of all.
  public var batches: [Share]
  /// How many iterations go on at once. Default 1.
  public var maxParallel: Share
  /// How many iterations may fail before the loop does. Default 0.
  public var maxFailures: Share
  /// Carried out between two batches.
  public var gate: Body
  /// What is done for each item. Its path is that of the loop.
  public var step: Step

  public init(
    _ part: CompositePart, items: Expression, name: String = "item", batches: [Share] = [],
    maxParallel: Share = .count(1), maxFailures: Share = .count(0), gate: Body = Body([Step]()), step: Step
  ) {
    self.part = part
    self.items = items
    self.name = name
    self.batches = batches
    self.maxParallel = maxParallel
    self.maxFailures = maxFailures
    self.gate = gate
    self.step = step
  }
}

/// `call`: the steps of another file, with inputs of their own.
public struct CallStep: Sendable {
  public var part: CompositePart
  /// The path below the folder of the runbook that was started, without `./`.
  public var file: String
  /// The steps of this runbook have paths as if it were run by itself.
  public var runbook: ValidatedRunbook
  /// By the name of the input.
  public var with: [String: Template]
  /// Replaces what the steps of the file have to undo, once the call has succeeded. Never `.irreversible`.
  public var undo: [ActionStep]

  /// How many steps that have something called it does, with those of the files that its file calls; each loop once.
  let stepCount: Int

  /// The folder of its file below the folder of the runbook that was started, with a `/` behind it; empty for that
  /// folder itself. Paths in the file begin there.
  public var folder: String { file.lastIndex(of: "/").map { String(file[...$0]) } ?? "" }

  public init(
    _ part: CompositePart, file: String, runbook: ValidatedRunbook, with: [String: Template] = [:],
    undo: [ActionStep] = []
  ) {
    self.part = part
    self.file = file
    self.runbook = runbook
    self.with = with
    self.undo = undo
    stepCount = runbook.value.ownCalls.reduce(runbook.steps.leaves.count) { $0 + $1.stepCount }
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
  /// What is asked beside the steps of a drill.
  case stopIf
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
    case .stopIf: drill?.stopIf ?? Body([Step]())
    case .onFailure: onFailure
    case .onRollbackFailure: onRollbackFailure
    case .onWaiting: onWaiting
    case .always: always
    }
  }

  /// The walk over the tree that everybody takes: every step of these sections that has something called, in the order
  /// of the file, and behind each the undo steps of its `rollback`. The steps of a loop come once, whatever its items.
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
