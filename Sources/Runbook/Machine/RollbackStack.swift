/// What must be undone, in the order the steps were started. One entry a step, registered with its intent.
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

  /// A retried step has one entry.
  mutating func register(_ step: StepPath, _ kind: Entry.Kind) {
    guard !entries.contains(where: { $0.step == step }) else { return }
    entries.append(Entry(step: step, kind: kind))
  }

  /// The one to undo next: the newest that is open.
  var newestOpen: Entry? { entries.last { $0.isOpen } }

  var hasOpen: Bool { entries.contains { $0.isOpen } }

  /// Of some entry every undo step was tried, none succeeded, and its author said to go on all the same.
  var hasUndoneInVain: Bool { entries.contains { $0.state == .closed(.undoFailed) } }

  /// Whether anything older than this entry is still to be undone. Another one that cannot be undone is not.
  func hasUndoable(below step: StepPath) -> Bool {
    guard let index = entries.firstIndex(where: { $0.step == step }) else { return false }
    return entries[..<index].contains { $0.isOpen && $0.kind != .irreversible }
  }

  mutating func set(_ step: StepPath, _ state: Entry.State) {
    guard let index = entries.firstIndex(where: { $0.step == step }) else { return }
    entries[index].state = state
  }

  /// What a fact of the journal says of an entry.
  mutating func close(_ step: StepPath, _ closure: UndoClosure) {
    switch closure {
    case .undone: set(step, .undone)
    case .leftStanding: set(step, .leftStanding)
    case .neverHappened, .onlyAfterSuccess, .conditionFalse, .leftOut, .undoFailed, .committed, .other:
      set(step, .closed(closure))
    }
  }

  /// `commit`: all earlier entries of the scope are closed.
  mutating func closeAll(_ reason: UndoClosure) {
    for index in entries.indices where entries[index].isOpen { entries[index].state = .closed(reason) }
  }
}
