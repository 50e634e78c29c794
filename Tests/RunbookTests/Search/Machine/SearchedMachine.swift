@testable import Runbook

/// The machine as the search sees it: steps are numbers, time stands still. This folder alone knows the
/// members of `RunMachine`, `StepState` and `RollbackStack`, their events, facts and orders.
struct SearchedMachine: Sendable {
  var box: Box
  let places: SearchedPlaces
  /// The mistake that this machine makes; nil: none.
  private let mutation: Mutation?

  /// Kept once and pointed to: situations are handed around more often than they change.
  /// `@unchecked Sendable`: it is changed only while one `SearchedMachine` alone points to it.
  final class Box: @unchecked Sendable {
    var machine: RunMachine
    init(_ machine: RunMachine) { self.machine = machine }
  }

  private mutating func change<Result>(_ body: (inout RunMachine) -> Result) -> Result {
    if !isKnownUniquelyReferenced(&box) { box = Box(box.machine) }
    return body(&box.machine)
  }

  /// All happens now; an answer that comes too late comes afterwards.
  static let now = MachineFixture.start
  static let later = now + .seconds(3600)
  static let until = now + .seconds(600)
  static let requester = "operator"
  private static let start = Fact.run(
    .started(RunStarted(name: "searched", file: "searched.yaml", inputs: [:], requester: requester)))

  init(_ places: SearchedPlaces, _ mutation: Mutation? = nil) {
    self.places = places
    self.mutation = mutation
    box = Box(RunMachine(Self.runbook(places)))
    apply([Self.start])
  }

  // MARK: What goes in

  /// - Returns: the facts that the machine journals.
  mutating func handle(_ event: SearchedEvent) -> [Fact] {
    let translated = translated(event)
    guard let mutation, event != .nothing else { return change { $0.handle(translated, at: Self.now) } }
    var machine = box.machine
    let facts = mutation.journaled(machine.handle(translated, at: Self.now), machine)
    apply(facts)
    return mutation.told(facts)
  }

  /// A person decides about a rollback that stopped; `RollbackDesk` journals these facts.
  /// - Returns: the facts, which are applied.
  mutating func decide(_ decision: SearchedDecision) -> [Fact] {
    var facts: [Fact] = []
    if box.machine.isRestored { facts = [.run(.storeRestored), .run(.restoredAccepted(by: "ops"))] }
    switch decision {
    case .resumes: facts.append(.rollback(.resumed(by: "ops", request: 0)))
    case .skips(let place):
      let entry = StepPath(places.all[place].path)
      facts = [.rollback(.skipped(entry: entry, reason: "by hand", by: "ops", request: 0))]
    case .abandons: facts.append(.rollback(.abandoned(reason: "no more", by: "ops", request: 0)))
    }
    if let mutation { facts = mutation.journaled(facts, box.machine) }
    apply(facts)
    if mutation != .leavesFactsOut { facts += change { $0.followUp(at: Self.now) } }
    if case .abandons = decision, box.machine.ended != nil {
      let end = Fact.run(.ended(box.machine.result))
      apply([end])
      facts.append(end)
    }
    return facts
  }

  /// Another process carries the run on.
  mutating func resume() -> [Fact] {
    let fact = Fact.run(.resumed(RunResumed(epoch: 2, host: "host", pid: 1)))
    apply([fact])
    return mutation == .leavesFactsOut ? [fact] : [fact] + change { $0.followUp(at: Self.now) }
  }

  /// The report that people read about a run with this journal.
  func report(of facts: [Fact]) -> SearchedReport {
    SearchedReport([Self.start] + facts, box.machine.runbook, at: Self.now)
  }

  mutating func apply(_ facts: [Fact]) {
    change { machine in
      for fact in facts { machine.apply(fact, at: Self.now) }
    }
  }

  /// The facts as a later process reads them.
  static func readBack(_ facts: [Fact]) throws -> [Fact] {
    try facts.map { fact in
      let entry = fact.entry(at: now)
      return try Fact(JournalEntry(sequence: 1, at: entry.at, epoch: 1, kind: entry.kind, body: entry.body))
    }
  }

  /// It was answered, or journaled, that a word changes nothing.
  static func isRefusal(_ facts: [Fact]) -> Bool {
    guard facts.count == 1, case .run(let fact) = facts[0] else { return false }
    switch fact {
    case .requestIgnored, .eventIgnored: return true
    default: return false
    }
  }

  // MARK: What comes out

  var order: SearchedOrder {
    let order = box.machine.order(places)
    return mutation?.ordered(order, picture, places) ?? order
  }

  var picture: Picture {
    var picture = box.machine.picture(places)
    if mutation == .freesLocks { picture.flags.insert(.releasesLocks) }
    return picture
  }

  /// The effect with which a cancelled run ends the step of the order; nil: the order is carried out.
  var cancelledEffect: Effect? { box.machine.cancelledEffect }
  /// Entries and undo steps that a person may leave out.
  var skippable: [Int] { box.machine.skippable(places) }
}
