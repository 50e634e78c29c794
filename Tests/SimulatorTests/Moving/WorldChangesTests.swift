import Runbook
import Simulator
import Stores
import Synchronization
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

  /// Which of the possible kill points a check takes: every ninth or, where two processes work on the run, every 27th;
  /// from an offset that moves with the day, and two at the least. A torture takes all.
  private static func part(of points: [Int], _ row: Row) -> [Int] {
    // Runs with branches have many more points than others.
    let share = (row.change.takesTwoProcesses ? 27 : 9) * (row.scenario.hasBranches ? 3 : 1)
    let stride = Campaign.count(share, torture: 1)
    let step = min(stride, max(1, points.count / 2))
    return Swift.stride(from: Campaign.offset(below: step), to: points.count, by: step).map { points[$0] }
  }

  @Test(arguments: rows)
  func aKilledRunInAWorldThatChangedKeepsEveryPromise(_ row: Row) async throws {
    let calm = try await row.scenario.world()
    let places = Mutex<[String]>([])
    let life = KillSwitch(tellingAll: { place in places.withLock { $0.append(place) } })
    let undisturbed = try await calm.start(life: life)
    #expect(undisturbed.exitCode == row.scenario.exitCode, "\(calm.story)")
    #expect(life.passed > 10)
    let possible = places.withLock { $0 }.enumerated().filter { row.change.isPossible(at: $0.element) }
    var noticed = 0
    var tried = 0
    for point in Self.part(of: possible.map { $0.offset + 1 }, row) {
      let world = try await row.scenario.world()
      guard let place = try await interrupt(world, at: point, row) else { continue }
      tried += 1
      let end = try await carryOn(world, row)
      // Only a test that fails needs the words.
      let context = { "killed at \(point), \(place), then \(row.change.rawValue): \(end)\n\(world.story)" }
      judge(world, end, row, context)
      if row.change.isNoticed(by: world, row.scenario) {
        noticed += 1
      } else if isDue(row.change, world) {
        Issue.record("nobody noticed; \(context())")
      }
    }
    #expect(tried > 0 || row.scenario.hasBranches, "nobody was killed")
    #expect(noticed > 0 || tried == 0, "the change was never noticed")
  }

  /// Nobody sees the process of the owner, as from another pid namespace, and everybody wants its run.
  @Test(arguments: (try? Scenario.all) ?? [])
  func anOwnerThatLivesIsRobbedAndDisturbedByNobody(_ scenario: Scenario) async throws {
    let calm = try await scenario.world()
    _ = try await calm.start()
    let world = try await scenario.world()
    let rivals = Rivals(world)
    let life = KillSwitch(tellingAll: { _ in rivals.tryAll() })
    let end = try await world.start(life: life)
    #expect(end.exitCode == scenario.exitCode, "\(world.story)")
    if scenario.hasBranches {
      // What branches do at one moment comes in any order, and shares its entries or not.
      #expect(world.outside.traces.dropLast().sorted() == calm.outside.traces.dropLast().sorted())
    } else {
      #expect(world.outside.traces == calm.outside.traces)
    }
    #expect(rivals.robberies == 0)
    #expect(rivals.refusals > life.passed / 2)
  }

  /// - Returns: where its owner was killed or frozen; nil if branches came in another order than in the calm run, and
  ///   the place is no longer there.
  private func interrupt(_ world: MovingWorld, at point: Int, _ row: Row) async throws -> String? {
    guard row.change != .ownerFrozen else {
      let frozen = try await FrozenRun(in: world, at: point)
      guard let end = frozen.end else { return frozen.place }
      if case .lost(.fenced) = end { world.refused += 1 }
      #expect(end.exitCode == 7, "frozen at \(point), \(frozen.place): \(end)\n\(world.story)")
      return frozen.place
    }
    let life = KillSwitch(at: point)
    var process = world.process()
    process.staysWhenItStops = row.change == .ownerUnseen
    _ = try await process.start(MovingWorld.runID, inputs: world.inputs, life: life)
    guard !row.scenario.hasBranches || life.place.map({ row.change.isPossible(at: $0) }) == true else { return nil }
    let place = try #require(life.place, "the kill at point \(point) never fired")
    try await row.change.apply(to: world, after: life)
    return place
  }

  /// A run that had ended before the change has nothing to notice.
  private func isDue(_ change: WorldChange, _ world: MovingWorld) -> Bool {
    change != .answeredTwice && !world.events("run.resumed").isEmpty
  }

  /// As people would: asked about a restored store they say that it may go on, asked about a step that it is to be
  /// failed.
  private func carryOn(_ world: MovingWorld, _ row: Row) async throws -> RunEnd {
    var end = RunEnd.left(reason: "")
    for _ in 1...6 {
      if try world.summary?.status == "ended" { return try world.ended }
      end = try await resume(world, row)
      switch end {
      case .restored:
        #expect(row.change == .storePutBack)
        #expect(world.acceptsRestored == nil, "asked twice")
        world.acceptsRestored = "ops"
      case .parked(let step, _): try await answer(step, world, row)
      default: return end
      }
    }
    return end
  }

  /// With others beside it who want to do the same, if the row says so.
  private func resume(_ world: MovingWorld, _ row: Row) async throws -> RunEnd {
    guard row.change == .twoOperators else { return try await world.comeAgain() }
    let rivals = Rivals(world)
    let end = try await world.comeAgain(life: KillSwitch(tellingAll: { _ in rivals.tryAll() }))
    world.refused += rivals.refusals
    #expect(rivals.robberies == 0, "a second one took the run of the first; \(world.story)")
    return end
  }

  private func answer(_ step: String, _ world: MovingWorld, _ row: Row) async throws {
    let outlook = try await RunOutlook(of: MovingWorld.runID, world.runbook, in: world.store)
    let question = try #require(outlook.openQuestion)
    #expect(question.step == step)
    let heeded = outlook.lastRequest
    let answers: [String] = row.change == .twoOperators ? ["fail", "retry", "applied"] : ["fail"]
    for (number, answer) in answers.enumerated() {
      let body: Value = ["step": .string(step), "answer": .string(answer), "question": .int(Int64(question.number))]
      let posted = try world.store.post(
        "resolve", body: JSONWriter.bytes(body), to: MovingWorld.runID, requester: "ops-\(number)"
      ) { $0.id > heeded && $0.answers(question: question.number) }
      guard number > 0 else { continue }
      guard case .refused(let earlier) = posted, earlier.requester == "ops-0" else {
        Issue.record("two answers to one question: \(posted)")
        continue
      }
      world.refused += 1
    }
  }

  private func judge(_ world: MovingWorld, _ end: RunEnd, _ row: Row, _ context: () -> String) {
    let deeds = world.deeds
    guard case .ended(let ended) = end else {
      Issue.record("it did not end; \(context())")
      return
    }
    if world.key != nil, row.change != .ownerFrozen, !world.events("run.resumed").isEmpty {
      #expect(world.attached > 0, "it was not carried on by its key; \(context())")
    }
    for deed in row.scenario.never {
      #expect(!deeds.contains { $0.deed == deed }, "`\(deed)` was done by another run; \(context())")
    }
    for entry in world.web.ledger where entry.at >= world.beginning {
      guard let text = row.scenario.bodies["\(entry.effect) \(entry.subject)"] else { continue }
      // What a script wrote that had a secret which is not known any more is lost.
      #expect(entry.detail.contains(text), "\(context())")
    }
    // Nothing is repeated that leaves no trace. After a copy was put back a person said that it may go on.
    if row.change != .storePutBack {
      for deed in row.scenario.once {
        #expect(deeds.filter { $0.deed == deed }.count <= 1, "`\(deed)` was repeated; \(context())")
      }
    }
    // Locks are held while something is owed, and no longer.
    let isOwed = [.failed, .blocked, .pending].contains(ended.rollback)
    if !isOwed { #expect(world.locks.isEmpty, "\(context())") }
    // Nothing is undone while it may still happen, and nothing happens again after its undo.
    for (deed, undo) in row.scenario.undo {
      guard let last = deeds.lastIndex(where: { $0.deed == undo }), row.change != .storePutBack else { continue }
      #expect(!deeds[(last + 1)...].contains { $0.deed == deed }, "`\(deed)` came after its undo; \(context())")
    }
    // What is told as undone is undone by the ledger.
    for event in world.events("undo.closed") where event.fields["reason"] == "undone" {
      let step = event.fields["step"]?.string ?? ""
      let succeeded = world.observer.events.contains {
        $0.event == "undo.ended" && $0.fields["step"]?.string == step && $0.fields["status"] == "succeeded"
      }
      #expect(succeeded, "`\(step)` is called undone; \(context())")
    }
    // A run that failed and says that everything was undone has no deed without its undo.
    guard ended.exitCode == 3, row.change != .storePutBack else { return }
    for (deed, undo) in row.scenario.undo where deeds.contains(where: { $0.deed == deed }) {
      #expect(deeds.contains { $0.deed == undo }, "`\(deed)` stands; \(context())")
    }
  }
}
