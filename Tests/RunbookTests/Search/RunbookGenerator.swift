@testable import Runbook

/// All small runbooks: each kind of step at each position, in each kind of runbook.
enum RunbookGenerator {
  private static let change = SearchedCall(word: "change")
  private static let findable = SearchedCall(word: "change", effectClass: .findable, wait: .awaited)
  private static let keyed = SearchedCall(word: "change", effectClass: .keyed)
  private static let opaque = SearchedCall(word: "send", effectClass: .opaque)
  private static let script = SearchedCall(word: "run", effectClass: .opaque, isScript: true)
  private static let remote = SearchedCall(word: "ssh.run", effectClass: .opaque, isScript: true, runsElsewhere: true)
  private static let asking = SearchedCall(
    word: "approve", effect: .none, effectClass: .opaque, question: .rejectedAfterItsTime)

  private static func undo(_ calls: SearchedCall..., onlyAfterSuccess: Bool = false) -> SearchedStep.Rollback {
    .steps(calls.map { SearchedUndo(call: $0) }, onlyAfterSuccess: onlyAfterSuccess)
  }

  static let undone = SearchedStep(call: change, rollback: undo(change))
  static let commit = SearchedStep(call: SearchedCall(word: "commit", effect: .none, isCommit: true))
  /// Nobody but a person can tell what became of it.
  static let parking = SearchedStep(call: opaque)
  static let standing = SearchedStep(call: change, rollback: .irreversible)

  /// The kinds of steps.
  static let kinds: [SearchedStep] = [
    SearchedStep(call: SearchedCall(word: "read", effect: .none)),
    SearchedStep(call: SearchedCall(word: "wait_for", effect: .none, wait: .polled)),
    commit,
    SearchedStep(call: asking),
    SearchedStep(
      call: SearchedCall(word: "approve", effect: .none, effectClass: .opaque, question: .allowedAfterItsTime)),
    undone,
    SearchedStep(call: findable, rollback: undo(findable)),
    SearchedStep(call: keyed, rollback: undo(keyed, change)),
    SearchedStep(call: opaque, rollback: undo(opaque)),
    parking,
    SearchedStep(call: opaque, rollback: undo(change), onCrash: .ask),
    SearchedStep(call: opaque, onCrash: .fail),
    SearchedStep(call: opaque, rollback: .irreversible),
    SearchedStep(call: script, rollback: undo(script)),
    SearchedStep(call: script),
    SearchedStep(call: remote, rollback: undo(remote)),
    SearchedStep(
      call: SearchedCall(word: "run", effectClass: .opaque, isScript: true, isIdempotent: true),
      rollback: undo(change)),
    SearchedStep(
      call: SearchedCall(word: "send", effectClass: .opaque, isIdempotent: true), rollback: undo(opaque)),
    SearchedStep(
      call: SearchedCall(word: "change", effectClass: .findable, wait: .notAwaited), rollback: undo(change)),
    SearchedStep(call: change),
    standing,
    SearchedStep(call: change, rollback: undo(change), continuesOnError: true),
    SearchedStep(call: opaque, continuesOnError: true),
    SearchedStep(call: change, rollback: undo(change, onlyAfterSuccess: true)),
    SearchedStep(
      call: change,
      rollback: .steps(
        [SearchedUndo(call: change, continuesOnError: true), SearchedUndo(call: change)], onlyAfterSuccess: false)),
    SearchedStep(
      call: change, rollback: .steps([SearchedUndo(call: change, continuesOnError: true)], onlyAfterSuccess: false)),
    SearchedStep(call: change, rollback: undo(asking, change)),
  ]

  private static let policies: [Set<RollbackPolicy.Trigger>] = [
    [.failure, .cancel], [.failure], [.cancel], [], [.success, .failure, .cancel], [.success],
  ]

  /// Sections, policies and other parts that a runbook can have around its steps.
  static let surroundings: [SearchedRunbook] =
    policies.map { SearchedRunbook(steps: [], onFailure: 1, onRollbackFailure: 1, always: 1, after: $0) } + [
      SearchedRunbook(steps: []), SearchedRunbook(steps: [], after: [.success, .failure, .cancel]),
      SearchedRunbook(steps: [], always: 2, alwaysChanges: true),
      SearchedRunbook(steps: [], always: 1, tells: true), SearchedRunbook(steps: [], always: 1, isChecked: true),
      SearchedRunbook(steps: [], always: 1, mayBeRestored: true),
      SearchedRunbook(steps: [], after: [.success, .failure], isDrill: true),
      SearchedRunbook(steps: [], always: 1, after: [.failure], isDrill: true),
    ]

  /// Surroundings in which most can happen.
  static let chosen: [SearchedRunbook] = [
    SearchedRunbook(steps: [], after: [.success, .failure, .cancel]),
    SearchedRunbook(steps: [], always: 2, alwaysChanges: true),
    SearchedRunbook(steps: [], always: 1, tells: true),
    SearchedRunbook(steps: [], always: 1, mayBeRestored: true),
    SearchedRunbook(steps: [], always: 1, after: [.failure], isDrill: true),
  ]

  /// A runbook with everything around its steps.
  static let full = SearchedRunbook(steps: [], onFailure: 1, onRollbackFailure: 1, always: 1)

  /// How many lists of `count` steps there are.
  static func lists(_ count: Int) -> Int { (0..<count).reduce(1) { product, _ in product * kinds.count } }

  /// The steps of the list with this number.
  static func steps(_ number: Int, count: Int) -> [SearchedStep] {
    var rest = number
    return (0..<count).map { _ in
      defer { rest /= kinds.count }
      return kinds[rest % kinds.count]
    }
  }

  static func runbook(_ surrounding: SearchedRunbook, _ steps: [SearchedStep]) -> SearchedRunbook {
    var runbook = surrounding
    runbook.steps = steps
    return runbook
  }
}
