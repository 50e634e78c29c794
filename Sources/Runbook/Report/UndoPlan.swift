/// What a report has to know of the runbook: which undo steps belong to which step, so that those not begun are listed
/// too, and whose failure ends the run. By path; a step in a loop stands here once, with a `*` for the number of its
/// iteration: `wave[*].one`.
public struct UndoPlan: Sendable, Equatable {
  public var entries: [String: [UndoReport]] = [:]
  /// Steps that cannot be undone.
  public var irreversible: Set<String> = []
  /// Steps whose failure does not end what is around them.
  public var borne: Set<String> = []
  /// What a step is that holds others: `block`, `parallel`, `for_each`, `call`, `gate`.
  public var kinds: [String: String] = [:]
  /// The last step of the main list: once it has ended there is nothing to cancel.
  public var last: String?
  public var isDrill = false
  public init() {}

  public init(_ runbook: ValidatedRunbook) {
    let steps = runbook.value.mainList
    last = steps.last?.path.text
    isDrill = runbook.drill != nil
    for step in steps { add(step, at: step.path) }
  }

  private mutating func add(_ step: Step, at path: StepPath) {
    if step.continuesOnError { borne.insert(path.text) }
    kinds[path.text] = step.keyword
    switch step {
    case .action(let step):
      if case .irreversible = step.rollback { irreversible.insert(path.text) }
      add(step.at(path).undoSteps, of: path)
    case .block(let block): add(block.steps.steps + (block.rescue?.steps ?? []), in: path)
    case .parallel(let parallel): add(parallel.branches.steps, in: path)
    case .loop(let loop):
      add(loop.step, at: path.anyIteration)
      guard !loop.gate.isEmpty else { return }
      kinds[path.anyGate.text] = "gate"
      add(loop.gate.steps, in: path.anyGate)
    case .call(let call):
      add(call.runbook.steps.steps, in: path)
      add(call.undo.enumerated().map { index, step in step.at(path.undo(index)) }, of: path)
    }
  }

  private mutating func add(_ steps: [Step], in path: StepPath) {
    for step in steps { add(step, at: path.child(step.path.lastWord)) }
  }

  private mutating func add(_ undo: [ActionStep], of path: StepPath) {
    guard !undo.isEmpty else { return }
    entries[path.text] = undo.map {
      UndoReport(entry: $0.path.text, step: path.text, title: $0.title, action: $0.action.name)
    }
  }
}

extension StepPath {
  /// What this loop does for its items, whichever: `wave[*]`.
  var anyIteration: StepPath { StepPath("\(text)[*]") }
  /// What this loop does between two batches, whichever: `wave.gate[*]`.
  var anyGate: StepPath { StepPath("\(text).gate[*]") }
}

extension RunbookDefinition {
  /// The paths of what is done one after the other; a step that holds others is one.
  public var listed: [String] { mainList.map(\.path.text) }

  /// Every step that comes before the end of the run, with its path as a report has it: a step in a loop once, with a
  /// `*` for the number of its iteration. Those of called files are not among them.
  public var placed: [(template: String, step: Step)] {
    var found: [(template: String, step: Step)] = []
    func visit(_ step: Step, _ path: StepPath) {
      found.append((path.text, step))
      func inside(_ steps: [Step], _ path: StepPath) {
        for step in steps { visit(step, path.child(step.path.lastWord)) }
      }
      switch step {
      case .action, .call: break
      case .block(let block): inside(block.steps.steps + (block.rescue?.steps ?? []), path)
      case .parallel(let parallel): inside(parallel.branches.steps, path)
      case .loop(let loop):
        visit(loop.step, path.anyIteration)
        inside(loop.gate.steps, path.anyGate)
      }
    }
    for step in mainList { visit(step, step.path) }
    return found
  }
}
