/// Follows the power state of each server through a runbook, step by step and in every order in which its parts may
/// happen, and finds the steps that cannot be done when the run comes to them. Conservative: what is not certain is
/// taken for possible.
struct PowerFollowing {
  /// A step that cannot be done.
  struct Finding {
    var step: ActionStep
    var act: PowerAct
    var known: PowerKnowledge
    /// The step that may have changed it all the same.
    var doubt: StepMark?
    /// The run does not need this step to succeed.
    var isBearable: Bool
  }

  /// A change of a server that other texts, too, may name.
  private struct Event {
    var act: PowerAct
    var mark: StepMark
  }

  private struct Entry {
    var owner: StepPath
    /// Of the owner among the steps.
    var place: Int
    var undo: [ActionStep]
    /// What its undo steps begin with.
    var known: [ServerName: PowerKnowledge]
    var loops: [PowerLoop]
    var shared: Set<ServerName>
    var mingledSince: Int?
  }

  private let types: [String: String]
  private var known: [ServerName: PowerKnowledge] = [:]
  private var events: [Event] = []
  private(set) var findings: [Finding] = []
  private var entries: [Entry] = []
  /// Of the last step that was read.
  private var place = 0
  /// The last step that may change this server, undo steps counted with their owners.
  private var lastTouch: [ServerName: Int] = [:]
  /// The last step that may change any server.
  private var lastReach = 0
  private var loops: [PowerLoop] = []
  /// Servers that other steps may change at the same time: nothing is known of them.
  private var shared: Set<ServerName> = []
  /// Events from here on may come between any two steps; nil outside of steps that go on at the same time.
  private var mingledSince: Int?

  init(_ runbook: ValidatedRunbook) {
    types = Dictionary(runbook.providers.map { ($0.name, $0.type) }, uniquingKeysWith: { first, _ in first })
    follow(runbook.steps, isBearable: false)
    for entry in entries { unwind(entry) }
    for section in [runbook.onRollbackFailure, runbook.always] {
      // Entered after whatever has happened; each of its steps is tried even if one before it has failed.
      known = [:]
      for step in section.leaves { take(step, mayFail: false, isBearable: true) }
    }
  }

  // MARK: The tree

  private mutating func follow(_ body: Body, isBearable: Bool) {
    for step in body.steps { follow(step, isBearable: isBearable || step.continuesOnError) }
  }

  private mutating func follow(_ step: Step, isBearable: Bool) {
    switch step {
    case .action(let step):
      place += 1
      if !step.undoSteps.isEmpty { enter(step.undoSteps, of: step) }
      take(step, mayFail: step.continuesOnError, isBearable: isBearable)
      touch(step)
    case .block(let block): follow(block, isBearable: isBearable)
    case .parallel(let parallel): follow(parallel, isBearable: isBearable)
    case .loop(let loop): follow(loop, isBearable: isBearable)
    case .call(let call): follow(call)
    }
  }

  private mutating func follow(_ block: BlockStep, isBearable: Bool) {
    let isCertain = block.rescue == nil && !block.part.continuesOnError && block.part.condition == nil
    // Asked only where it is needed: blocks may be nested deeply.
    let inside = isCertain ? Survey() : survey([.block(block)])
    let before = known(of: inside.named)
    follow(block.steps, isBearable: isBearable || block.rescue != nil)
    if let rescue = block.rescue {
      let succeeded = known(of: inside.named)
      forget(inside, but: before)
      follow(rescue, isBearable: isBearable)
      join(succeeded, of: inside.named)
    }
    if block.part.continuesOnError { forget(inside, but: before) }
    if block.part.condition != nil { join(before, of: inside.named) }
  }

  /// Each branch begins with what was known before, as far as no other branch changes it; nothing is known afterwards
  /// of what any of them changes.
  private mutating func follow(_ parallel: ParallelStep, isBearable: Bool) {
    let surveys = parallel.branches.steps.map { survey([$0]) }
    let whole = surveys.reduce(into: Survey()) { $0.formUnion($1) }
    var counts: [ServerName: Int] = [:]
    for survey in surveys { for server in survey.named { counts[server, default: 0] += 1 } }
    let common = whole.touched.filter { (counts[$0] ?? 0) > 1 }
    let before = known(of: whole.named)
    for server in whole.touched { known[server] = nil }
    mingled(parallel.branches.steps, sharing: common) { following in
      for (branch, survey) in zip(parallel.branches.steps, surveys) {
        for server in survey.touched where !common.contains(server) { following.known[server] = before[server] }
        following.follow(branch, isBearable: isBearable || branch.continuesOnError)
        for server in survey.named {
          following.known[server] = whole.touched.contains(server) ? nil : before[server]
        }
      }
    }
    if whole.reachesAll { known = [:] }
    touchAgain(common, all: whole.reachesAll)
  }

  /// An iteration begins with what no other changes; nothing is known afterwards of what any of them changes.
  private mutating func follow(_ loop: LoopStep, isBearable: Bool) {
    loops.append(PowerLoop(loop))
    let inside = survey([loop.step])
    loops.removeLast()
    var whole = inside
    whole.formUnion(survey(loop.gate.steps))
    let before = known(of: whole.named)
    forget(whole, but: before)
    loops.append(PowerLoop(loop))
    if case .count(1) = loop.maxParallel {
      follow(loop.step, isBearable: isBearable)
    } else {
      mingled([loop.step], sharing: inside.touched.filter { $0.loop != loop.part.path }) { following in
        following.follow(loop.step, isBearable: isBearable)
      }
    }
    loops.removeLast()
    forget(whole, but: before)
    follow(loop.gate, isBearable: isBearable)
    forget(whole, but: before)
    touchAgain(whole.touched.filter { $0.loop != loop.part.path }, all: whole.reachesAll)
  }

  /// Which servers a file changes that is called, cannot be told from its texts.
  private mutating func follow(_ call: CallStep) {
    place += 1
    if !call.undo.isEmpty {
      enter(call.undo, of: call.part.path, knowing: [:])
    }
    guard call.changesSomething else { return }
    var act = PowerAct.nothing
    act.reach = .everywhere
    events.append(Event(act: act, mark: StepMark(call)))
    known = [:]
    lastReach = place
  }

  // MARK: Steps that go on at the same time

  /// What happens in some steps, in any order.
  private struct Survey {
    /// Servers that they may change.
    var touched: Set<ServerName> = []
    /// Servers that they act on.
    var named: Set<ServerName> = []
    /// They may change servers that no text names.
    var reachesAll = false

    mutating func formUnion(_ other: Survey) {
      touched.formUnion(other.touched)
      named.formUnion(other.named)
      reachesAll = reachesAll || other.reachesAll
    }
  }

  private func known(of servers: Set<ServerName>) -> [ServerName: PowerKnowledge] {
    var result: [ServerName: PowerKnowledge] = [:]
    for server in servers { result[server] = known[server] }
    return result
  }

  /// Some of these steps may have been done: what was known before is known of what they do not change.
  private mutating func forget(_ steps: Survey, but before: [ServerName: PowerKnowledge]) {
    if steps.reachesAll { known = [:] }
    for server in steps.named {
      known[server] = steps.reachesAll || steps.touched.contains(server) ? nil : before[server]
    }
  }

  /// One way or the other has led here.
  private mutating func join(_ other: [ServerName: PowerKnowledge], of servers: Set<ServerName>) {
    for server in servers {
      let joined = (known[server] ?? .nothing).joined(other[server] ?? .nothing)
      known[server] = joined.isNothing ? nil : joined
    }
  }

  private func survey(_ steps: [Step]) -> Survey {
    var survey = Survey()
    visit(steps, in: loops) { step in
      switch step {
      case .call(let call): survey.reachesAll = survey.reachesAll || call.changesSomething
      case .act(let act, _):
        guard let server = act.server else { return }
        survey.named.insert(server)
        if act.effect != .nothing { survey.touched.insert(server) }
      }
    }
    return survey
  }

  private enum Visited {
    case act(PowerAct, StepMark)
    case call(CallStep)
  }

  private func visit(_ steps: [Step], in loops: [PowerLoop], _ see: (Visited) -> Void) {
    for step in steps {
      switch step {
      case .action(let step):
        see(.act(PowerAct(step, types: types, in: loops), StepMark(step)))
        for undo in step.undoSteps {
          see(.act(PowerAct(undo, types: types, owner: step.path.text, in: loops), StepMark(undo)))
        }
      case .block(let block): visit(block.steps.steps + (block.rescue?.steps ?? []), in: loops, see)
      case .parallel(let parallel): visit(parallel.branches.steps, in: loops, see)
      case .loop(let loop):
        visit([loop.step], in: loops + [PowerLoop(loop)], see)
        visit(loop.gate.steps, in: loops, see)
      case .call(let call): see(.call(call))
      }
    }
  }

  /// - Parameter servers: those that more than one of them acts on.
  private mutating func mingled(
    _ steps: [Step], sharing servers: Set<ServerName>, _ body: (inout PowerFollowing) -> Void
  ) {
    let (outerShared, outerSince) = (shared, mingledSince)
    shared.formUnion(servers)
    mingledSince = min(mingledSince ?? events.count, events.count)
    var ahead: [Event] = []
    visit(steps, in: loops) { step in
      switch step {
      case .act(let act, let mark):
        if act.reach != .named || act.effect != .nothing { ahead.append(Event(act: act, mark: mark)) }
      case .call(let call):
        guard call.changesSomething else { return }
        var act = PowerAct.nothing
        act.reach = .everywhere
        ahead.append(Event(act: act, mark: StepMark(call)))
      }
    }
    events += ahead
    body(&self)
    (shared, mingledSince) = (outerShared, outerSince)
  }

  /// Some of these steps may have been done once more, or only now.
  private mutating func touchAgain(_ servers: Set<ServerName>, all: Bool) {
    for server in servers { lastTouch[server] = place }
    if all { lastReach = place }
  }

  // MARK: One step

  private mutating func take(
    _ step: ActionStep, mayFail: Bool, isBearable: Bool, owner: String? = nil
  ) {
    let act = PowerAct(step, types: types, owner: owner, in: loops)
    let mark = StepMark(step)
    if act.reach != .named || act.effect != .nothing { events.append(Event(act: act, mark: mark)) }
    guard let server = act.server else { return }
    let before = known[server] ?? .nothing
    if before.excludes(act.needs), findings.count < DiagnosticSink.limit {
      find(step, act, before, server, isBearable: isBearable)
    }
    var after = before.after(act, by: mark, at: min(events.count, mingledSince ?? events.count))
    if mayFail { after = act.effect == .nothing ? before : .nothing }
    if step.condition != nil { after = before.joined(after) }
    known[server] = after.isNothing || shared.contains(server) ? nil : after
  }

  private mutating func find(
    _ step: ActionStep, _ act: PowerAct, _ known: PowerKnowledge, _ server: ServerName, isBearable: Bool
  ) {
    let doubt = doubt(known, server, act.needs)
    // That a step could be done once says little when something else has had its hands on the server since.
    if doubt != nil, known.makers.isEmpty { return }
    findings.append(Finding(step: step, act: act, known: known, doubt: doubt, isBearable: isBearable))
  }

  /// The first step since then that may have brought the server into a state that is needed.
  private func doubt(_ known: PowerKnowledge, _ server: ServerName, _ needs: Set<PowerState>) -> StepMark? {
    events.dropFirst(known.since).first { event in
      switch event.act.reach {
      case .everywhere: return true
      case .cloud(let type): return type == server.type
      case .named:
        guard let other = event.act.server, other != server, !other.certainlyDiffers(from: server) else { return false }
        if case .becomes(let state) = event.act.effect { return needs.contains(state) }
        return true
      }
    }?.mark
  }

  // MARK: Undo

  /// Only what its undo steps act on is kept of what is known before a step.
  private mutating func enter(_ undo: [ActionStep], of owner: ActionStep) {
    var kept: [ServerName: PowerKnowledge] = [:]
    for step in undo {
      guard let server = PowerAct(step, types: types, owner: owner.path.text, in: loops).server else { continue }
      kept[server] = known[server]
    }
    enter(undo, of: owner.path, knowing: kept)
  }

  private mutating func enter(_ undo: [ActionStep], of owner: StepPath, knowing kept: [ServerName: PowerKnowledge]) {
    entries.append(
      Entry(
        owner: owner, place: place, undo: undo, known: kept, loops: loops, shared: shared, mingledSince: mingledSince))
  }

  private mutating func touch(_ step: ActionStep) {
    for step in [step] + step.undoSteps {
      let act = PowerAct(step, types: types, in: loops)
      if let server = act.server, act.effect != .nothing { lastTouch[server] = place }
    }
  }

  /// When a step is undone, it and any later one may have been done, half done or undone already.
  private mutating func unwind(_ entry: Entry) {
    known =
      lastReach >= entry.place ? [:] : entry.known.filter { lastTouch[$0.key].map { $0 < entry.place } ?? true }
    (loops, shared, mingledSince) = (entry.loops, entry.shared, entry.mingledSince)
    for step in entry.undo {
      take(step, mayFail: step.undoContinuesOnError, isBearable: step.undoContinuesOnError, owner: entry.owner.text)
    }
    (loops, shared, mingledSince) = ([], [], nil)
  }
}

extension CallStep {
  fileprivate var changesSomething: Bool { runbook.steps.leaves.contains { $0.effect != .none } }
}
