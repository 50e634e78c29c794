import Runbook
import TestSupport
import Testing

/// The properties of the machine are checked on every state that small runbooks can reach, not on chosen ways through
/// them. See `docs/decisions/states-are-searched.md`.
@Suite struct StateSearchTests {
  /// Which runbooks are searched, and how far.
  struct Plan: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var runbooks: [SearchedRunbook]
    var surprises: UInt8
  }

  /// Lists of `count` steps: every `step`th one, from a place that moves with the day; in a torture every `long`th.
  private static func plan(
    _ count: Int, in surroundings: [SearchedRunbook] = [RunbookGenerator.full], every step: Int, torture long: Int,
    surprises: UInt8
  ) -> Plan {
    let lists = RunbookGenerator.lists(count)
    let numbers = Campaign.part(of: 0...(lists * surroundings.count - 1), every: step, torture: long)
    let runbooks = numbers.map { number in
      RunbookGenerator.runbook(
        surroundings[number / lists], RunbookGenerator.steps(number % lists, count: count))
    }
    return Plan(
      testDescription: "\(runbooks.count) runbooks of \(count) steps, \(surprises) surprises", runbooks: runbooks,
      surprises: surprises)
  }

  static let plans: [Plan] = {
    let all = RunbookGenerator.surroundings
    let short = [
      plan(1, in: RunbookGenerator.chosen, every: 1, torture: 1, surprises: 2),
      plan(1, in: all, every: 1, torture: 1, surprises: Campaign.isLong ? 3 : 1),
      plan(2, every: 5, torture: 1, surprises: 1),
      plan(2, every: 90, torture: 1, surprises: 2),
      plan(2, in: all, every: 120, torture: 4, surprises: 1),
      plan(3, every: 500, torture: 10, surprises: 1),
    ]
    let long = [
      plan(1, every: 1, torture: 1, surprises: 4), plan(2, every: 1, torture: 40, surprises: 3),
      plan(3, every: 1, torture: 300, surprises: 2), plan(4, every: 1, torture: 2000, surprises: 1),
    ]
    return Campaign.isLong ? short + long : short
  }()

  @Test(arguments: plans)
  func everyStateKeepsEveryProperty(_ plan: Plan) async {
    let search = await Search.all(plan.runbooks, Bounds(surprises: plan.surprises))
    print("State search: \(plan.testDescription): \(search.states) states, \(search.passages) ways between them.")
    for report in search.reports.prefix(5) { Issue.record("\(report)") }
    #expect(search.failed == 0, "of \(plan.testDescription)")
    for fault in search.known { withKnownIssue("\(fault.reason)") { Issue.record("\(fault.property.rawValue)") } }
  }

  @Test(arguments: Mutation.allCases)
  func aMistakeOfTheMachineIsCaught(_ mutation: Mutation) {
    var missing = mutation.breaks
    for runbook in MutantHunt.runbooks where !missing.isEmpty {
      var explorer = Explorer(runbook, MutantHunt.bounds)
      explorer.mutation = mutation
      explorer.wanted = missing
      (explorer.sampling, explorer.replays, explorer.reports) = (4, 1, 8)
      explorer.explore()
      missing.subtract(explorer.found.keys)
    }
    #expect(missing.isEmpty)
  }

  @Test func everyPropertyCanFail() {
    #expect(Set(Mutation.allCases.flatMap(\.breaks)) == Set(Property.allCases))
  }

  /// The mistakes of `make planted` have to be caught by this: it is quick, and each of them shows.
  @Test func everyStateOfChosenRunbooksKeepsEveryProperty() async {
    let search = await Search.all(MutantHunt.planted, MutantHunt.bounds, sampling: 8)
    for report in search.reports.prefix(2) { Issue.record("\(report)") }
    #expect(search.failed == 0)
  }

  /// Otherwise the search would pass over states.
  @Test func situationsWithOneKeyHaveOneFuture() {
    var compared = 0
    let bounds = Bounds(surprises: Campaign.isLong ? 3 : 2)
    for number in Campaign.part(of: 0...(RunbookGenerator.kinds.count - 1), every: 3) {
      let kind = RunbookGenerator.kinds[number]
      let audit = KeyAudit(RunbookGenerator.runbook(RunbookGenerator.full, [kind]), bounds)
      compared += audit.compared
      if let difference = audit.difference { Issue.record("\(difference)") }
    }
    #expect(compared > 200)
  }

  /// A property that is added to the machine must be added to the picture too, or be named as one that does not matter.
  @Test func everyStoredPropertyOfTheMachineIsKnownToTheSearch() {
    for (name, stored, known) in SearchedMachine.storedProperties { #expect(stored == known, "of \(name)") }
  }
}
