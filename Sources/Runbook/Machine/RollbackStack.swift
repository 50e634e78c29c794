/// What must be undone, in the order the steps were started: over all branches, iterations and called files one list.
/// One entry a step, registered with its intent. The part of a scope is what stands within its place.
struct RollbackStack: Sendable {
  struct Entry: Sendable, Equatable {
    enum Kind: Sendable, Equatable {
      case steps([StepPath], scope: UndoScope)
      case irreversible
    }
    enum State: Sendable, Equatable {
      case open
      /// Probed and at rest: the undo steps may run.
      case settled
      case undone
      /// Nothing to undo, with the reason: it never happened, a `commit`, a person skipped it.
      case closed(UndoClosure)
      /// It cannot be undone and nothing older needed undoing.
      case leftStanding
      case failed
    }
    var step: StepPath
    var kind: Kind
    var state = State.open

    var isOpen: Bool { state == .open || state == .settled || state == .failed }
  }

  private(set) var entries: [Entry] = []
  private var positions: [StepPath: Int] = [:]
  /// No entry at or behind this position is open.
  private var openEnd = 0

  /// A retried step has one entry.
  mutating func register(_ step: StepPath, _ kind: Entry.Kind) {
    guard positions[step] == nil else { return }
    positions[step] = entries.count
    entries.append(Entry(step: step, kind: kind))
    openEnd = entries.count
  }

  func entry(of step: StepPath) -> Entry? { positions[step].map { entries[$0] } }

  /// The one to undo next: the newest that is open.
  var newestOpen: Entry? { newestOpen(within: .root) }

  func newestOpen(within scope: StepPath) -> Entry? {
    entries[..<openEnd].last {
      $0.isOpen && ($0.step.isWithin(scope) || PlantedMistake.iterationsUndoneOutside.isMade)
    }
  }

  var hasOpen: Bool { newestOpen != nil }

  /// Of some entry every undo step was tried, none succeeded, and its author said to go on all the same.
  func hasUndoneInVain(within scope: StepPath) -> Bool {
    entries.contains { $0.state == .closed(.undoFailed) && $0.step.isWithin(scope) }
  }

  func hasUndone(within scope: StepPath) -> Bool {
    entries.contains { $0.state == .undone && $0.step.isWithin(scope) }
  }

  /// Whether anything older than this entry is still to be undone there. Another one that cannot be undone is not.
  func hasUndoable(below step: StepPath, within scope: StepPath) -> Bool {
    guard let index = positions[step] else { return false }
    return entries[..<index].contains { $0.isOpen && $0.kind != .irreversible && $0.step.isWithin(scope) }
  }

  mutating func set(_ step: StepPath, _ state: Entry.State) {
    guard let index = positions[step] else { return }
    entries[index].state = state
    while openEnd > 0, !entries[openEnd - 1].isOpen { openEnd -= 1 }
  }

  mutating func close(_ step: StepPath, _ closure: UndoClosure) {
    switch closure {
    case .undone: set(step, .undone)
    case .leftStanding: set(step, .leftStanding)
    case .neverHappened, .onlyAfterSuccess, .conditionFalse, .leftOut, .undoFailed, .committed, .replaced, .other:
      set(step, .closed(closure))
    }
  }

  /// `commit`: all earlier entries of the scope are closed.
  mutating func closeAll(_ reason: UndoClosure, within scope: StepPath = .root) {
    for index in entries[..<openEnd].indices where entries[index].isOpen && entries[index].step.isWithin(scope) {
      entries[index].state = .closed(reason)
    }
    while openEnd > 0, !entries[openEnd - 1].isOpen { openEnd -= 1 }
  }

  /// The call has undo steps of its own, which take the place of those in its file.
  mutating func closeReplaced(by call: StepPath) {
    for index in entries[..<openEnd].indices {
      let entry = entries[index]
      if entry.isOpen, entry.step != call, entry.step.isWithin(call) { entries[index].state = .closed(.replaced) }
    }
    while openEnd > 0, !entries[openEnd - 1].isOpen { openEnd -= 1 }
  }

  /// A person has the rollback carried on: the undo that failed is begun anew.
  mutating func reopenFailed() {
    for index in entries.indices where entries[index].state == .failed { entries[index].state = .settled }
  }
}
