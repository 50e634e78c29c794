// Steps that hold others. Their paths have a `*` for the number of an iteration: `wave[*].one`.
extension Plan {
  public indirect enum Node: Sendable {
    case step(Step)
    case holder(Holder)
  }

  public struct Holder: Sendable {
    public var path: String
    public var title: String
    /// `block`, `parallel`, `for_each` or `call`.
    public var kind: String
    public var condition: String?
    public var decision: Decision
    public var timeout: Duration?
    /// Of the file, from 1.
    public var line: Int
    /// Nothing for a step that is no loop, or no call.
    public var loop: Loop?
    public var call: Call?
    /// What is done; of a loop for each item.
    public var steps: [Node]
    /// What is done if one of these fails.
    public var rescue: [Node]
    /// What a loop does between two batches.
    public var gate: [Node]
  }

  public struct Loop: Sendable {
    /// The expression that gives them, and how many there are; nil: only the run will know.
    public var items: String
    public var count: Int?
    /// As their author gives them: `1`, `25%`.
    public var batches: [String]
    public var maxParallel: String
    public var maxFailures: String
  }

  public struct Call: Sendable {
    /// Below the folder of the runbook.
    public var file: String
    public var inputs: [String: Value]
    /// Those that the file declares: its steps use no others.
    public var providers: [(name: String, type: String)]
    /// What undoes all of it once it has succeeded, in place of what its steps have; empty: they are undone themselves.
    public var undo: [Step]
  }

  /// Where a step stands, for what a failure would undo.
  public struct Place: Sendable, Equatable {
    /// The iterations and called files around it, the outermost first.
    var scopes: [String] = []
    /// Of these, the iterations.
    var iterations: [String] = []
    /// The steps of which it is, or is in, one of several branches: with the position of the branch.
    var branches: [String: Int] = [:]
    /// The blocks in whose `rescue` it stands.
    var rescues: Set<String> = []
    /// The calls around it that have undo steps of their own, the outermost first.
    var replacedBy: [String] = []
    /// The called file in which it is written; nil: the runbook's own.
    var file: String?
    /// It stands for such a call itself: these are the undo steps of all that its file does.
    var isCall = false
  }

  static func node(_ step: Runbook.Step, at path: StepPath, _ scope: PlanScope, _ place: Place = Place()) -> Node {
    if case .action(let action) = step {
      var planned = Plan.step(action.at(path), scope)
      planned.place = place
      return .step(planned)
    }
    let part = step.part ?? CompositePart(path: path, id: step.id, title: step.title, range: step.range)
    var holder = Holder(
      path: path.text, title: part.title, kind: step.keyword ?? "", condition: part.condition?.source,
      decision: decision(part.condition, scope), timeout: part.timeout, line: part.range.start.line, loop: nil,
      call: nil, steps: [], rescue: [], gate: [])
    switch step {
    case .action: break
    case .block(let block):
      holder.steps = nodes(block.steps.steps, in: path, scope, place)
      var inRescue = place
      inRescue.rescues.insert(path.text)
      holder.rescue = nodes(block.rescue?.steps ?? [], in: path, scope, inRescue)
    case .parallel(let parallel):
      holder.steps = parallel.branches.steps.enumerated().map { position, step in
        var branch = place
        branch.branches[path.text] = position
        return node(step, at: path.child(step.path.lastWord), scope, branch)
      }
    case .loop(let loop):
      holder.loop = Loop(loop, scope)
      var iteration = place
      iteration.scopes.append(path.anyIteration.text)
      iteration.iterations.append(path.anyIteration.text)
      holder.steps = [node(loop.step, at: path.anyIteration, scope.iterating(loop), iteration)]
      holder.gate = nodes(loop.gate.steps, in: path.anyGate, scope, place)
    case .call(let call):
      let inside = scope.called(call)
      holder.call = Call(
        file: call.file, inputs: call.with.mapValues { scope.value(of: $0) },
        providers: call.runbook.providers.map { ($0.name, $0.type) },
        undo: call.undo.enumerated().map { index, undo in Plan.step(undo.at(path.undo(index)), scope) })
      var file = place
      file.scopes.append(path.text)
      file.file = call.file
      if !call.undo.isEmpty { file.replacedBy.append(path.text) }
      holder.steps = nodes(call.runbook.steps.steps, in: path, inside, file)
    }
    if holder.decision != .runs { holder.depend(on: holder.decision) }
    return .holder(holder)
  }

  private static func nodes(_ steps: [Runbook.Step], in path: StepPath, _ scope: PlanScope, _ place: Place) -> [Node] {
    steps.map { node($0, at: path.child($0.path.lastWord), scope, place) }
  }
}

extension Plan.Loop {
  init(_ loop: LoopStep, _ scope: PlanScope) {
    func text(_ share: LoopStep.Share) -> String {
      switch share {
      case .count(let number): return String(number)
      case .percent(let percent): return "\(percent)%"
      case .expression(let expression):
        let value = expression.references.callsNow ? Value.unknown : (try? expression.evaluate(in: scope)) ?? .unknown
        return value == .unknown ? "`\(expression.source)`" : PlanText.plain(value)
      }
    }
    items = loop.items.source
    count = scope.items(of: loop)?.count
    batches = loop.batches.map(text)
    maxParallel = text(loop.maxParallel)
    maxFailures = text(loop.maxFailures)
  }
}

extension Plan.Node {
  /// Every step in it that has something called.
  var steps: [Plan.Step] {
    switch self {
    case .step(let step): [step]
    case .holder(let holder): (holder.steps + holder.rescue + holder.gate).flatMap(\.steps)
    }
  }

  /// These, and behind the steps of a call that has undo steps of its own one that stands for the call.
  var entries: [Plan.Step] {
    switch self {
    case .step(let step): return [step]
    case .holder(let holder):
      let inside = (holder.steps + holder.rescue + holder.gate).flatMap(\.entries)
      return inside + (holder.callEntry(inside).map { [$0] } ?? [])
    }
  }

  var isHolder: Bool { if case .holder = self { true } else { false } }

  fileprivate mutating func depend(on decision: Plan.Decision) {
    switch self {
    case .step(var step):
      if step.decision != .skipped { step.decision = decision }
      self = .step(step)
    case .holder(var holder):
      if holder.decision != .skipped { holder.decision = decision }
      holder.depend(on: decision)
      self = .holder(holder)
    }
  }
}

extension Plan.Holder {
  /// What is in it runs only if it does.
  fileprivate mutating func depend(on decision: Plan.Decision) {
    for index in steps.indices { steps[index].depend(on: decision) }
    for index in rescue.indices { rescue[index].depend(on: decision) }
    for index in gate.indices { gate[index].depend(on: decision) }
  }

  /// Stands for the call, with its undo steps, if it has some of its own.
  fileprivate func callEntry(_ inside: [Plan.Step]) -> Plan.Step? {
    guard let call, !call.undo.isEmpty, var entry = inside.first(where: { $0.effect != .none }) ?? inside.first else {
      return nil
    }
    entry.path = path
    entry.title = title
    entry.action = "call"
    entry.line = line
    entry.decision = decision
    entry.undo = .steps(call.undo)
    entry.isCommit = false
    entry.mayAsk = false
    entry.place.scopes.removeAll { $0 == path }
    entry.place.replacedBy.removeAll { $0 == path }
    entry.place.isCall = true
    return entry
  }
}
