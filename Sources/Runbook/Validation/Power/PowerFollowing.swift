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

  private let types: [String: String]
  private var known: [ServerName: PowerKnowledge] = [:]
  private var events: [Event] = []
  private(set) var findings: [Finding] = []
  /// What each list of undo steps begins with, and the place of its owner among the steps.
  private var entries: [(owner: ActionStep, place: Int, undo: [ActionStep], known: [ServerName: PowerKnowledge])] =
    []
  /// The last step that may change this server, undo steps counted with their owners.
  private var lastTouch: [ServerName: Int] = [:]

  init(_ runbook: ValidatedRunbook) {
    types = Dictionary(runbook.providers.map { ($0.name, $0.type) }, uniquingKeysWith: { first, _ in first })
    for (place, step) in runbook.steps.leaves.enumerated() {
      if !step.undoSteps.isEmpty { enter(step.undoSteps, of: step, at: place) }
      take(step, mayFail: step.continuesOnError, isBearable: step.continuesOnError)
      touch(step, at: place)
    }
    for entry in entries { unwind(entry) }
    for section in [runbook.onRollbackFailure, runbook.always] {
      // Entered after whatever has happened; each of its steps is tried even if one before it has failed.
      known = [:]
      for step in section.leaves { take(step, mayFail: false, isBearable: true) }
    }
  }

  // MARK: One step

  private mutating func take(_ step: ActionStep, mayFail: Bool, isBearable: Bool, owner: String? = nil) {
    let act = PowerAct(step, types: types, owner: owner)
    let mark = StepMark(step)
    if act.reach != .named || act.effect != .nothing { events.append(Event(act: act, mark: mark)) }
    guard let server = act.server else { return }
    let before = known[server] ?? .nothing
    if before.excludes(act.needs), findings.count < DiagnosticSink.limit {
      find(step, act, before, server, isBearable: isBearable)
    }
    var after = before.after(act, by: mark, at: events.count)
    if mayFail { after = act.effect == .nothing ? before : .nothing }
    if step.condition != nil { after = before.joined(after) }
    known[server] = after.isNothing ? nil : after
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
  private mutating func enter(_ undo: [ActionStep], of owner: ActionStep, at place: Int) {
    var kept: [ServerName: PowerKnowledge] = [:]
    for step in undo {
      guard let server = PowerAct(step, types: types, owner: owner.path.text).server else { continue }
      kept[server] = known[server]
    }
    entries.append((owner, place, undo, kept))
  }

  private mutating func touch(_ step: ActionStep, at place: Int) {
    for step in [step] + step.undoSteps {
      let act = PowerAct(step, types: types)
      if let server = act.server, act.effect != .nothing { lastTouch[server] = place }
    }
  }

  /// When a step is undone, it and any later one may have been done, half done or undone already.
  private mutating func unwind(
    _ entry: (owner: ActionStep, place: Int, undo: [ActionStep], known: [ServerName: PowerKnowledge])
  ) {
    known = entry.known.filter { lastTouch[$0.key].map { $0 < entry.place } ?? true }
    for step in entry.undo {
      take(
        step, mayFail: step.undoContinuesOnError, isBearable: step.undoContinuesOnError, owner: entry.owner.path.text)
    }
  }
}
