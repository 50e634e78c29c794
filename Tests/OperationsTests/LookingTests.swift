import Runbook
import Simulator
import Stores
import Testing

@testable import Operations

@Suite struct LookingTests {
  let place = OperationPlace(scripts: [.init(matching: "echo undo", exitCode: 9)])

  private func find(_ word: String) async throws(OperationRefusal) -> RunSummary {
    try await FindRun(place.context()).find(try RunName(word))
  }

  private func refused(_ word: String) async -> OperationRefusal? {
    await refusal { () async throws(OperationRefusal) in try await find(word) }
  }

  @Test func aRunIsFoundByItsIDByABeginningOrAsTheNewest() async throws {
    let first = try await place.run(Sample.one)
    place.clock.advance(by: .seconds(3600))
    let second = try await place.run(Sample.one)
    #expect(try await find(first).id == first)
    #expect(try await find("latest").id == second)
    let common = String(zip(first, second).prefix { $0 == $1 }.map(\.0))
    #expect(try await find(String(first.prefix(common.count + 1))).id == first)
    guard case .ambiguous(common, let runs)? = await refused(common) else {
      Issue.record("`\(common)` was not refused")
      return
    }
    #expect(runs.map(\.id) == [second, first])
  }

  @Test func aNameWithoutARunSaysWhy() async throws {
    #expect(await refused("") == .noRunNeedsAPerson)
    #expect(await refused("latest") == .noRun)
    #expect(await refused("r0") == .noSuchRun("r0"))
    #expect(await refused("deploy") == .notAnID("deploy"))
    #expect(await refused("r0123456789abcdefghi") == .store(.notFound("r0123456789abcdefghi"), run: nil))
  }

  @Test func aRunNeedsAPersonForOneReason() async throws {
    _ = try await place.run(Sample.one)
    let list = ListRuns(place.context())
    #expect(try await list.needs().isEmpty)
    let owing = try await place.run(Sample.undone)
    #expect(try await find("").id == owing)
    place.clock.advance(by: .seconds(1))
    let interrupted = try await place.begin(Sample.one)
    place.die(interrupted)
    place.clock.advance(by: .seconds(1))
    let restored = try await place.begin(Sample.one)
    try place.markRestored(restored)
    // Its owner lives.
    _ = try await place.begin(Sample.one)
    let needs = try await list.needs()
    #expect(needs.map(\.run.id) == [restored.lease.runID, interrupted.lease.runID, owing])
    #expect(needs.map(\.reason) == [.restored, .ownerless, .rollback])
    guard case .severalNeedAPerson(let runs)? = await refused("") else {
      Issue.record("it was not refused")
      return
    }
    #expect(runs.count == 3)
  }

  @Test func ownerlessRunsAreThoseThatNobodyWorksOn() async throws {
    let alive = try await place.begin(Sample.one)
    let dead = try await place.begin(Sample.one)
    place.die(dead)
    let list = ListRuns(place.context())
    let found = await list.ownerless()
    #expect(found.interrupted.map(\.id) == [dead.lease.runID] && found.waiting.isEmpty)
    #expect(await list.ownerless(but: dead.lease.runID).interrupted.isEmpty)
    let marks = await list.marks(of: try await list.newest(10))
    #expect(marks.ownerless == [dead.lease.runID])
    #expect(marks.now[alive.lease.runID] == place.clock.now)
  }

  @Test func aRunIsShownWithItsOwnerAndWithUndoStepsThatWereNeverBegun() async throws {
    let assignment = try await place.begin(Sample.undone)
    let row = try place.store.summary(of: assignment.lease.runID)
    let shown = try await ShowRun(place.context()).show(row)
    #expect(shown.owner == assignment.lease && shown.status == "running")
    place.die(assignment)
    #expect(try await ShowRun(place.context()).show(row).owner == nil)
    let stopped = try place.store.summary(of: try await place.run(Sample.undone))
    let report = try await ShowRun(place.context()).show(stopped).report
    #expect(report.undo.map(\.entry) == ["change.undo[0]"])
  }

  @Test func aRunIsFollowedUntilItEnds() async throws {
    let run = try await place.run(Sample.undone)
    var events: [String] = []
    let standing = try await FollowRun(run, place.context()).follow { events.append($0.event) }
    #expect(events.first == "run.started" && events.contains("undo.ended") && events.last == "run.ended")
    #expect(standing == .ended(try place.store.summary(of: run)))
    #expect(standing.exitCode == .rollbackFailed)
  }

  @Test func aRunThatIsLeftIsFollowedNoFurther() async throws {
    let assignment = try await place.begin(Sample.one)
    let run = assignment.lease.runID
    var isFirst = true
    let store = place.store
    let standing = try await FollowRun(run, place.context()).follow { _ in
      // Its process dies while it is watched.
      if isFirst { store.dropProof(of: assignment.lease) }
      isFirst = false
    }
    #expect(!isFirst)
    #expect(standing == .interrupted && standing.exitCode == .stopped)
    #expect(await FollowRun(run, place.context()).preparation().runbook?.name == "trial")
  }
}
