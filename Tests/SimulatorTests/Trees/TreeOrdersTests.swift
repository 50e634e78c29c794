import Runbook
import Simulator
import TestSupport
import Testing

/// Branches end in every order, and the process is killed at every place of each: what was done is undone, or stands
/// for a reason, whatever came first. In each check a part of the places, another each day; all of them in a torture.
@Suite struct TreeOrdersTests {
  struct Shape: Sendable, CustomTestStringConvertible {
    var name: String
    /// `<0>`, `<1>`, `<2>` stand for pauses of different lengths.
    var steps: String
    var exitCode: Int32
    /// What stands at the end of an undisturbed run.
    var stands: Set<String>
    var all: Set<String>
    var testDescription: String { name }
  }

  static let shapes = [
    Shape(
      name: "three branches",
      steps: """
          - id: p
            parallel:
              - {id: one, block: [{sleep: <0>}, \(Scenario.put("a")), {sleep: <1>}, \(Scenario.put("a2"))]}
              - {id: two, block: [{sleep: <1>}, \(Scenario.put("b"))]}
              - {id: three, block: [{sleep: <2>}, \(Scenario.put("c"))]}
        """, exitCode: 0, stands: ["a", "a2", "b", "c"], all: ["a", "a2", "b", "c"]),
    Shape(
      name: "three branches, one failing",
      steps: """
          - id: p
            parallel:
              - {id: one, block: [{sleep: <0>}, \(Scenario.put("a")), {sleep: <1>}, \(Scenario.put("a2"))]}
              - {id: two, block: [{sleep: <1>}, \(Scenario.put("b")), {id: nope, fail: no luck}]}
              - {id: three, block: [{sleep: <2>}, \(Scenario.put("c")), {sleep: <0>}]}
        """, exitCode: 3, stands: [], all: ["a", "a2", "b", "c"]),
    Shape(
      name: "a loop whose failure is borne",
      steps: """
          - id: w
            for_each: {in: "[['a', '<0>'], ['b', '<1>'], ['c', '<2>']]", max_parallel: 2, max_failures: 1}
            block:
              - {id: wait, sleep: "${{ duration(item[1]) }}"}
              - \(Scenario.put("one", "${{ item[0] }}"))
              - {id: nope, if: "item[0] == 'b'", fail: no luck}
              - \(Scenario.put("two", "${{ item[0] }}2"))
        """, exitCode: 3, stands: ["a", "a2", "c", "c2"], all: ["a", "a2", "b", "c", "c2"]),
    Shape(
      name: "a rescue beside a branch",
      steps: """
          - id: p
            parallel:
              - {id: one, block: [{sleep: <0>}, \(Scenario.put("a")), {id: nope, fail: no luck}],
                 rescue: [{sleep: <1>}, \(Scenario.put("b"))]}
              - {id: two, block: [{sleep: <2>}, \(Scenario.put("c"))]}
        """, exitCode: 0, stands: ["a", "b", "c"], all: ["a", "b", "c"]),
  ]

  private static let orders: [[String]] = [
    ["1s", "2s", "3s"], ["1s", "3s", "2s"], ["2s", "1s", "3s"], ["2s", "3s", "1s"], ["3s", "1s", "2s"],
    ["3s", "2s", "1s"], ["1s", "1s", "1s"],
  ]

  private static func text(_ shape: Shape, _ pauses: [String]) -> String {
    var steps = shape.steps
    for (number, pause) in pauses.enumerated() {
      steps = steps.split(separator: "<\(number)>", omittingEmptySubsequences: false).joined(separator: pause)
    }
    return "runbook: v1\nname: orders\nsteps:\n\(steps)\n"
  }

  @Test(arguments: shapes)
  func whateverComesFirstAndWhereverItIsKilledTheLedgerIsTheSame(_ shape: Shape) async throws {
    for pauses in Self.orders {
      let text = Self.text(shape, pauses)
      let calm = try MovingWorld(text)
      let life = KillSwitch()
      let end = try await calm.start(life: life)
      #expect(end.exitCode == shape.exitCode, "\(pauses): \(calm.story)")
      Self.expectLedger(calm, shape, "undisturbed, \(pauses)")
      let calmPoints = life.passed
      for point in Campaign.part(of: 1...calmPoints, every: 17) {
        let world = try MovingWorld(text)
        let life = KillSwitch(at: point)
        _ = try await world.start(life: life)
        guard let place = life.place else {
          // Two branches that end in one moment may share a commit or not.
          #expect(point > calmPoints - 8, "the kill at point \(point) never fired")
          continue
        }
        let end = try await world.resume()
        #expect(end.exitCode == shape.exitCode, "\(pauses), killed at \(point), \(place): \(end)\n\(world.story)")
        Self.expectLedger(world, shape, "\(pauses), killed at \(point), \(place)\n\(world.story)")
      }
    }
  }

  /// A cancel at every moment: what was begun is undone, and nothing is begun any more.
  @Test(arguments: shapes)
  func aCancelAtAnyMomentUndoesEveryBranch(_ shape: Shape) async throws {
    for pauses in [Self.orders[1], Self.orders[4]] {
      let text = Self.text(shape, pauses)
      let calm = KillSwitch()
      _ = try await MovingWorld(text).start(life: calm)
      for point in Campaign.part(of: 1...calm.passed, every: 11) {
        let world = try MovingWorld(text)
        let control = RunControl()
        let life = KillSwitch(
          freezingAt: point,
          atOnce: {
            control.post(.cancel(by: "ops", rollback: true, request: 0))
          }, beforeItWakes: {})
        let end = try await world.start(life: life, control)
        guard case .ended(let ended) = end else {
          Issue.record("cancelled at \(point): \(end)\n\(world.story)")
          continue
        }
        guard ended.outcome == .cancelled else {
          #expect(ended.exitCode == shape.exitCode, "cancelled too late at \(point): \(world.story)")
          continue
        }
        #expect(Self.standing(world).isEmpty, "cancelled at \(point), \(life.place ?? ""): \(world.story)")
      }
    }
  }

  /// What was put and not deleted since.
  private static func standing(_ world: MovingWorld) -> Set<String> {
    var standing: Set<String> = []
    for entry in world.web.ledger {
      if entry.effect == "PUT" { standing.insert(entry.subject) }
      if entry.effect == "DELETE" { standing.remove(entry.subject) }
    }
    return standing
  }

  private static func expectLedger(_ world: MovingWorld, _ shape: Shape, _ context: String) {
    #expect(standing(world) == shape.stands, "\(context)")
    let touched = Set(world.web.ledger.map(\.subject))
    #expect(touched.isSubset(of: shape.all), "\(context)")
    // Nothing happens again after its undo.
    for subject in touched {
      let deeds = world.web.ledger.filter { $0.subject == subject }.map(\.effect)
      if let undo = deeds.firstIndex(of: "DELETE") {
        #expect(!deeds[undo...].contains("PUT"), "`\(subject)`: \(context)")
      }
    }
  }
}
