import Runbook
import Simulator
import Stores
import TestSupport
import Testing

/// Every kill point, and between the kill and the next process every change of the world: nothing is lost, nothing is
/// repeated, nothing is undone while it may still happen, and what people are told is what the ledger says.
///
/// In each check a part of the table, which another seed moves; all of it in a torture.
@Suite struct WorldChangesTests {
  struct Row: Sendable, CustomTestStringConvertible {
    var scenario: Scenario
    var change: WorldChange
    var testDescription: String { "\(scenario.name) × \(change.rawValue)" }
  }

  static let rows: [Row] = ((try? Scenario.all) ?? []).flatMap { scenario in
    WorldChange.allCases.filter { $0 != .answeredTwice || scenario.name == "a question" }.map {
      Row(scenario: scenario, change: $0)
    }
  }

  /// Which kill points a check takes: every `stride`th, from an offset that moves with the day.
  private static let stride = Campaign.count(9, torture: 1)

  @Test(arguments: rows)
  func aKilledRunInAWorldThatChangedKeepsEveryPromise(_ row: Row) async throws {
    let calm = try row.scenario.world()
    let life = KillSwitch()
    let undisturbed = try await calm.start(life: life)
    #expect(undisturbed.exitCode == row.scenario.exitCode, "\(calm.story)")
    #expect(life.passed > 10)
    var noticed = 0
    for point in Swift.stride(from: 1 + Campaign.offset(below: Self.stride), through: life.passed, by: Self.stride) {
      let world = try row.scenario.world()
      let life = KillSwitch(at: point)
      _ = try await world.start(life: life)
      let place = try #require(life.place, "the kill at point \(point) never fired")
      try row.change.apply(to: world)
      let end = try await carryOn(world, row)
      let context = "killed at \(point), \(place), then \(row.change.rawValue): \(end)\n\(world.story)"
      judge(world, end, row, context)
      if row.change.isNoticed(by: world, row.scenario) {
        noticed += 1
      } else if isDue(row.change, world) {
        Issue.record("nobody noticed; \(context)")
      }
    }
    #expect(noticed > 0, "the change was never noticed")
  }

  /// A run that had ended before the change has nothing to notice.
  private func isDue(_ change: WorldChange, _ world: MovingWorld) -> Bool {
    change != .answeredTwice && !world.events("run.resumed").isEmpty
  }

  /// As people would: asked about a restored store they say that it may go on, asked about a step that it is to be
  /// failed.
  private func carryOn(_ world: MovingWorld, _ row: Row) async throws -> RunEnd {
    var end = RunEnd.left(reason: "")
    for round in 1...6 {
      if try world.store.summary(of: MovingWorld.runID).status == "ended" { return end }
      end = try await world.resume()
      switch end {
      case .restored:
        #expect(row.change == .storePutBack)
        #expect(world.acceptsRestored == nil, "asked twice")
        world.acceptsRestored = "ops"
      case .parked(let step, _):
        let number = world.events("run.waiting").last?.fields["question"] ?? .int(Int64(round))
        try world.post("resolve", ["step": .string(step), "answer": "fail", "question": number])
      default: return end
      }
    }
    return end
  }

  private func judge(_ world: MovingWorld, _ end: RunEnd, _ row: Row, _ context: String) {
    let deeds = world.deeds
    guard case .ended(let ended) = end else {
      Issue.record("it did not end; \(context)")
      return
    }
    // Nothing is repeated that leaves no trace. After a copy was put back a person said that it may go on.
    if row.change != .storePutBack {
      for deed in row.scenario.once {
        #expect(deeds.filter { $0.deed == deed }.count <= 1, "`\(deed)` was repeated; \(context)")
      }
    }
    // Locks are held while something is owed, and no longer.
    let isOwed = [.failed, .blocked, .pending].contains(ended.rollback)
    if !isOwed { #expect(world.locks.isEmpty, "\(context)") }
    // Nothing is undone while it may still happen, and nothing happens again after its undo.
    for (deed, undo) in row.scenario.undo {
      guard let last = deeds.lastIndex(where: { $0.deed == undo }), row.change != .storePutBack else { continue }
      #expect(!deeds[(last + 1)...].contains { $0.deed == deed }, "`\(deed)` came after its undo; \(context)")
    }
    // What is told as undone is undone by the ledger.
    for event in world.events("undo.closed") where event.fields["reason"] == "undone" {
      let step = event.fields["step"]?.string ?? ""
      let succeeded = world.observer.events.contains {
        $0.event == "undo.ended" && $0.fields["step"]?.string == step && $0.fields["status"] == "succeeded"
      }
      #expect(succeeded, "`\(step)` is called undone; \(context)")
    }
    // A run that failed and says that everything was undone has no deed without its undo.
    guard ended.exitCode == 3, row.change != .storePutBack else { return }
    for (deed, undo) in row.scenario.undo where deeds.contains(where: { $0.deed == deed }) {
      #expect(deeds.contains { $0.deed == undo }, "`\(deed)` stands; \(context)")
    }
  }
}
