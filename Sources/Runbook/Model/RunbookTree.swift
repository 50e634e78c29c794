/// Finds the step at a place of a run, and tells where it stands: in which step, in which iterations, in which called
/// file.
final class RunbookTree: Sendable {
  /// Something that is written once and may be done at many places.
  final class Node: Sendable {
    enum Content: Sendable {
      /// The run, with the steps that come before its end.
      case run(ValidatedRunbook)
      case step(Step)
      /// What a loop does between two batches.
      case gate(LoopStep)
    }

    let content: Content
    /// The name inside the step in which it stands: its id, or the section and its position.
    let name: String
    let slot: Slot
    /// What it begins with, in order; of a block without its `rescue`.
    let steps: [Step]
    /// The names of these, and of the steps of its `rescue`.
    fileprivate let names: [String]
    fileprivate let rescueNames: [String]
    /// By name.
    let children: [String: Node]
    /// What a loop does for each item.
    let iteration: Node?
    let gate: Node?
    /// Of the run and of a call: by id of its file, every node from below the file down to the step.
    let ids: [String: [Node]]

    fileprivate init(_ content: Content, _ name: String, _ slot: Slot) {
      self.content = content
      self.name = name
      self.slot = slot
      let steps = Node.steps(of: content)
      self.steps = steps
      // The steady state of a drill has dots in its paths.
      if case .run = content { names = steps.map(\.path.text) } else { names = steps.map(\.path.lastWord) }
      if case .step(.block(let block)) = content {
        rescueNames = (block.rescue?.steps ?? []).map(\.path.lastWord)
      } else {
        rescueNames = []
      }
      let children = Node.children(of: content)
      self.children = children
      switch content {
      case .step(.loop(let loop)):
        iteration = Node(.step(loop.step), name, .iteration(0))
        gate = loop.gate.isEmpty ? nil : Node(.gate(loop), "gate", .gate(0))
      case .run, .step, .gate:
        iteration = nil
        gate = nil
      }
      var ids: [String: [Node]] = [:]
      switch content {
      case .run, .step(.call): for child in children.values { child.collect(into: &ids, below: []) }
      case .step, .gate: break
      }
      self.ids = ids
    }

    private static func steps(of content: Content) -> [Step] {
      switch content {
      case .run(let runbook): runbook.value.mainList
      case .step(.block(let block)): block.steps.steps
      case .step(.parallel(let parallel)): parallel.branches.steps
      case .step(.call(let call)): call.runbook.steps.steps
      case .gate(let loop): loop.gate.steps
      case .step(.action), .step(.loop): []
      }
    }

    private static func children(of content: Content) -> [String: Node] {
      var children: [String: Node] = [:]
      func add(_ body: Body?, _ slot: (Int) -> Slot = Slot.body) {
        for (index, step) in (body?.steps ?? []).enumerated() {
          let name = step.path.lastWord
          children[name] = Node(.step(step), name, slot(index))
        }
      }
      switch content {
      case .run(let runbook):
        for (index, step) in runbook.value.mainList.enumerated() {
          // The steady state of a drill has dots in its paths.
          children[step.path.text] = Node(.step(step), step.path.text, .body(index))
        }
        for step in runbook.value.body(of: .stopIf).steps {
          children[step.path.text] = Node(.step(step), step.path.text, .ending)
        }
        for section in [RunbookSection.onFailure, .onRollbackFailure, .always] {
          add(runbook.value.body(of: section)) { _ in .ending }
        }
      case .step(.block(let block)):
        add(block.steps)
        add(block.rescue, Slot.rescue)
      case .step(.parallel(let parallel)): add(parallel.branches)
      case .step(.call(let call)): add(call.runbook.steps)
      case .gate(let loop): add(loop.gate)
      case .step(.action), .step(.loop): break
      }
      return children
    }

    /// A loop and what it does for each item have one id, which is the loop's.
    private func collect(into ids: inout [String: [Node]], below chain: [Node]) {
      let chain = chain + [self]
      if case .step(let step) = content, let id = step.id, !slot.isIteration { ids[id] = chain }
      if case .step(.call) = content { return }
      for child in Array(children.values) + [iteration, gate].compactMap({ $0 }) {
        child.collect(into: &ids, below: chain)
      }
    }

    var step: Step? { if case .step(let step) = content { step } else { nil } }
  }

  /// Where something stands in the step around it.
  enum Slot: Sendable, Equatable {
    case body(Int)
    case rescue(Int)
    case iteration(Int)
    /// Before the batch of this number.
    case gate(Int)
    /// In a section of its own, outside the list of the run: `always`, `on_failure`, `on_rollback_failure`, `stop_if`.
    case ending

    var isIteration: Bool { if case .iteration = self { true } else { false } }
  }

  /// Something at its place. `slot` has the true number of its iteration or batch.
  struct Located: Sendable {
    var path: StepPath
    var node: Node
    var slot: Slot

    /// Of an iteration, the path of its loop.
    var loop: StepPath? { slot.isIteration ? path.iterated : nil }
  }

  struct Place: Sendable {
    var here: Located
    /// From the run down to the step around it.
    var around: [Located]

    var path: StepPath { here.path }
    /// The path of the step around it.
    var parent: StepPath { around.last?.path ?? .root }
    var step: Step? { here.node.step }
    /// The step that has something called, at its place.
    var action: ActionStep? { if case .action(let step)? = step { step.at(path) } else { nil } }

    /// The steps of its `rollback`.
    var undoSteps: [ActionStep] {
      switch here.node.content {
      case .step(.action(let step)): step.at(path).undoSteps
      case .step(.call(let call)): call.undo.enumerated().map { index, step in step.at(path.undo(index)) }
      case .step, .run, .gate: []
      }
    }

    var slot: Slot { here.slot }
    /// In the list or among the items of the step around it; nil for the steps between two batches.
    var position: Int? {
      switch slot {
      case .body(let position), .rescue(let position), .iteration(let position): position
      case .gate, .ending: nil
      }
    }

    /// Before which batch it stands; nil for what is no gate.
    var round: Int? { if case .gate(let round) = slot { round } else { nil } }

    /// The iteration in which it stands, or that it is; the run outside every loop.
    var rollbackScope: StepPath { scope { $0.slot.isIteration } }
    /// What a `commit` here closes: the steps of the iteration, of the called file or of the run.
    var commitScope: StepPath { scope { $0.slot.isIteration || $0.node.isCall } }
    /// The called file in which it stands; the run outside every call.
    var file: StepPath { around.last { $0.node.isCall }?.path ?? .root }

    private func scope(_ isScope: (Located) -> Bool) -> StepPath {
      if here.slot.isIteration { return here.path }
      return around.last(where: isScope)?.path ?? .root
    }
  }

  let root: Node
  /// Places outside every loop.
  private let fixed: [StepPath: Place]
  /// Of these, the steps that have something called, undo steps included.
  private let fixedActions: [StepPath: ActionStep]

  init(_ runbook: ValidatedRunbook) {
    root = Node(.run(runbook), "", .body(0))
    var fixed: [StepPath: Place] = [:]
    func keep(_ node: Node, in around: [Located]) {
      let here = Located(path: (around.last?.path ?? .root).child(node.name), node: node, slot: node.slot)
      fixed[here.path] = Place(here: here, around: around)
      for child in node.children.values { keep(child, in: around + [here]) }
    }
    for child in root.children.values { keep(child, in: [Located(path: .root, node: root, slot: .body(0))]) }
    self.fixed = fixed
    var actions: [StepPath: ActionStep] = [:]
    for place in fixed.values {
      if let action = place.action { actions[action.path] = action }
      for undo in place.undoSteps { actions[undo.path] = undo }
    }
    fixedActions = actions
  }

  /// The step that has something called at this place, an undo step too; nil if there is none.
  func action(at path: StepPath) -> ActionStep? {
    if let action = fixedActions[path] { return action }
    guard let owner = path.undone else { return place(at: path)?.action }
    let undo = place(at: owner)?.undoSteps ?? []
    if let step = undo.first(where: { $0.path == path }) { return step }
    // One of the items of an undo step that is done for each.
    guard var step = undo.first(where: { $0.each != nil && path.iterated == $0.path }) else { return nil }
    step.each = nil
    return step.at(path)
  }

  /// nil for a place that the runbook does not have, and for that of an undo step.
  func place(at path: StepPath) -> Place? {
    if let place = fixed[path] { return place }
    var around: [Located] = []
    var here = Located(path: .root, node: root, slot: .body(0))
    for word in path.text.split(separator: ".", omittingEmptySubsequences: false) {
      around.append(here)
      guard let next = RunbookTree.enter(word, from: &around) else { return nil }
      here = next
    }
    return Place(here: here, around: around)
  }

  /// One word of a path further down. An iteration's word names its loop too, which is then added to `around`.
  private static func enter(_ word: Substring, from around: inout [Located]) -> Located? {
    guard let outer = around.last else { return nil }
    if let node = outer.node.children[String(word)] {
      return Located(path: outer.path.child(node.name), node: node, slot: node.slot)
    }
    guard let open = word.lastIndex(of: "["), word.hasSuffix("]"),
      let number = Int(word[word.index(after: open)...].dropLast()), number >= 0
    else { return nil }
    let name = word[..<open]
    if name == "gate", let gate = outer.node.gate {
      return Located(path: outer.path.gate(number), node: gate, slot: .gate(number))
    }
    guard let loop = outer.node.children[String(name)], let iteration = loop.iteration else { return nil }
    let path = outer.path.child(loop.name)
    around.append(Located(path: path, node: loop, slot: loop.slot))
    return Located(path: path.iteration(number), node: iteration, slot: .iteration(number))
  }

  /// The ids of the file in which the place stands.
  func ids(seenFrom place: Place?) -> [String] {
    Array((place?.around.last { $0.node.isCall }?.node ?? root).ids.keys)
  }

  /// The step of this id, as an expression at the place means it: in the same file, and in the same iterations.
  ///
  /// - Parameter place: nil: at the end of the run.
  func path(ofID id: String, seenFrom place: Place?) -> StepPath? {
    let around = place.map { $0.around + [$0.here] } ?? [Located(path: .root, node: root, slot: .body(0))]
    let fileIndex = place.flatMap { place in place.around.lastIndex { $0.node.isCall } } ?? 0
    guard let chain = around[fileIndex].node.ids[id] else { return nil }
    var path = around[fileIndex].path
    for node in chain {
      switch node.content {
      case .step where !node.slot.isIteration: path = path.child(node.name)
      case .step, .gate, .run:
        guard let seen = around.first(where: { $0.node === node }) else { return nil }
        path = seen.path
      }
    }
    return path
  }
}

extension RunbookTree.Node {
  /// How its steps follow each other.
  var order: Scope.Order {
    switch content {
    case .step(.parallel): .allAtOnce
    case .step(.loop): .loop
    case .step, .run, .gate: .oneByOne
    }
  }

  /// Something is evaluated when its steps have come to their end.
  var hasOutputs: Bool {
    switch content {
    case .step(.block(let step)): !step.part.outputs.isEmpty
    case .step(.parallel(let step)): !step.part.outputs.isEmpty
    case .step(.call(let step)): !step.runbook.outputs.isEmpty
    case .step(.action), .step(.loop), .run, .gate: false
    }
  }

  /// The name of the step at this position, in its `rescue` or before.
  func name(at position: Int, inRescue: Bool) -> String? {
    let names = inRescue ? rescueNames : names
    return names.indices.contains(position) ? names[position] : nil
  }

  var isCall: Bool { if case .step(.call) = content { true } else { false } }
}

extension StepPath {
  /// What it has after its last dot: its name inside the step in which it stands.
  var lastWord: String {
    text.lastIndex(of: ".").map { String(text[text.index(after: $0)...]) } ?? text
  }

  /// What this loop does before the batch of this number.
  func gate(_ batch: Int) -> StepPath { StepPath("\(text).gate[\(batch)]") }
}
