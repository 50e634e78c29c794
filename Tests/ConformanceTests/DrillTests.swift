import Runbook
import Simulator
import TestSupport
import Testing

/// The shipped drills measure what has happened, judge it once, and leave nothing behind.
@Suite struct DrillTests {
  /// Within a second of what the twin's ledger, its backups and the looks at the service say.
  private func expect(_ measured: Duration?, _ truth: Duration, _ what: String) throws {
    let measured = try #require(measured, "\(what) was not measured")
    let difference = measured - truth
    #expect(difference < .seconds(1) && difference > .seconds(-1), "\(what): \(measured.text), truly \(truth.text)")
  }

  @Test(arguments: DrillUnderTest.all)
  func rtoAndRpoAreWhatTheLedgersSay(_ drill: DrillUnderTest) async throws {
    let world = try DrillWorld(drill)
    let start = world.cloud.clock.now
    let newest = try #require(world.cloud.twin.backups(of: drill.cloud.server).last)
    #expect(try await world.run().exitCode == 0, "\(world.closing)")
    let verdict = try #require(try world.report.drill)
    let outage = try #require(drill.outage.map { world.happened($0) } ?? start)
    let answer = try #require(world.lastAnswer)
    try expect(verdict.rto?.measured, answer - outage, "RTO")
    try expect(verdict.rpo?.measured, outage - newest.at, "RPO")
    #expect(verdict.rto?.met == true && verdict.rpo?.met == true && verdict.steadyState?.regained == true)
    try await world.expectNothingLeft("after a good drill")
  }

  /// One second decides, and a miss is cleaned up as a success is.
  @Test(arguments: DrillUnderTest.all)
  func anObjectiveThatIsASecondTooShortEndsWithEight(_ drill: DrillUnderTest) async throws {
    let first = try DrillWorld(drill)
    _ = try await first.run()
    let verdict = try #require(try first.report.drill)
    let (rto, rpo) = (try #require(verdict.rto?.measured), try #require(verdict.rpo?.measured))
    func seconds(_ duration: Duration, _ more: Int64) -> Duration { .seconds(duration.components.seconds + more) }
    for (rtoExtra, rpoExtra, code) in [(Int64(1), Int64(1), Int32(0)), (-1, 1, 8), (1, -1, 8), (-1, -1, 8)] {
      let written = "rto: \(seconds(rto, rtoExtra).text), rpo: \(seconds(rpo, rpoExtra).text)"
      let world = try DrillWorld(drill) { text in text.replacing(/rto: \d+h, rpo: 26h/, with: written) }
      #expect(try await world.run().exitCode == code, "\(written): \(world.closing)")
      #expect(try world.report.drill?.rto?.met == (rtoExtra > 0))
      #expect(try world.report.drill?.rpo?.met == (rpoExtra > 0))
      try await world.expectNothingLeft(written)
      guard code == 8 else { continue }
      #expect(try world.report.outcome == .objectiveMissed)
      #expect(world.closing.contains("missed by"), "\(world.closing)")
    }
  }

  // MARK: Bad days

  @Test(arguments: DrillUnderTest.all)
  func aBackupThatIsTooOldIsAMissedObjective(_ drill: DrillUnderTest) async throws {
    let world = try DrillWorld(drill)
    // Nobody notices that the nightly backup has stopped.
    await world.cloud.clock.sleep(for: .seconds(2 * 86_400))
    #expect(try await world.run().exitCode == 8)
    let verdict = try #require(try world.report.drill)
    #expect(verdict.rpo?.met == false && verdict.rto?.met == true)
    #expect(world.closing.contains("objective 26h: missed by"), "\(world.closing)")
    try await world.expectNothingLeft("after an old backup")
  }

  @Test(arguments: DrillUnderTest.all)
  func aBackupThatIsMissingFailsTheDrillBeforeAnythingIsChanged(_ drill: DrillUnderTest) async throws {
    let world = try DrillWorld(drill)
    for backup in world.cloud.twin.backups(of: drill.cloud.server) {
      try await world.cloud.run("backup.delete", ["backup": .string(backup.subject)], key: backup.subject)
    }
    let before = world.cloud.twin.ledger.count
    #expect(try await world.run().exitCode == 1, "\(world.closing)")
    #expect(world.cloud.twin.ledger.count == before)
    #expect(try world.report.failedStep?.path == "newest")
    #expect(try world.report.drill == nil)
    #expect(world.closing.contains("not judged"), "\(world.closing)")
  }

  @Test(arguments: DrillUnderTest.all.filter { $0.file == "dr_standby.yaml" })
  func aBackupOfAnotherServerIsNotWrittenOverTheStandby(_ drill: DrillUnderTest) async throws {
    let world = try DrillWorld(drill) { text in
      text.replacing(
        "action: backup.find, with: {newest: true}",
        with: "action: backup.find, with: {newest: true, server: \"\(drill.cloud.other)\"}")
    }
    world.cloud.twin.ensureServer(drill.cloud.other)
    #expect(try await world.run().exitCode == 3, "\(world.closing)")
    #expect(world.effects("backup.restore") == 0)
    #expect(try world.report.failedStep?.path == "restore")
    try await world.expectNothingLeft("after another server's backup")
  }

  @Test(arguments: DrillUnderTest.all)
  func aRestoredServerThatNeverAnswersFailsTheDrillAndIsTakenAway(_ drill: DrillUnderTest) async throws {
    let world = try DrillWorld(drill, refusals: nil)
    #expect(try await world.run().exitCode == 3, "\(world.closing)")
    #expect(try world.report.failedStep?.path == "answers")
    #expect(try world.report.drill == nil)
    try await world.expectNothingLeft("after a server that never answers")
  }

  /// 4 before 8: what still stands costs money, and is said by name and id.
  @Test(arguments: [true, false])
  func aServerThatCannotBeDeletedIsNamed(isMissed: Bool) async throws {
    let drill = try #require(DrillUnderTest.all.first { $0.file == "dr_drill.yaml" })
    let world = try DrillWorld(drill, faults: ["400:server.delete:1000"]) { text in
      isMissed ? text.replacing("rto: 1h", with: "rto: 1s") : text
    }
    #expect(try await world.run().exitCode == 4)
    let report = try world.report
    #expect(report.outcome == (isMissed ? RunOutcome.objectiveMissed : .succeeded) && report.rollback == .failed)
    let id = try #require(report.step("copy")?.outputs["id"]?.string)
    let closing = world.closing
    #expect(closing.contains("FAILED: a person must look (exit 4)"), "\(closing)")
    #expect(closing.contains("copy (server drill-\(DrillWorld.runID), id \(id))"), "\(closing)")
  }

  @Test(arguments: DrillUnderTest.all.filter { $0.file == "dr_standby.yaml" })
  func aStandbyThatCannotBePutBackIsSaid(_ drill: DrillUnderTest) async throws {
    let world = try DrillWorld(drill, faults: ["fails:snapshot.restore:1000"])
    #expect(try await world.run().exitCode == 4)
    let closing = world.closing
    #expect(closing.contains("restore.undo[0] snapshot.restore"), "\(closing)")
    // The way back is kept: its own undo comes after the one that failed.
    #expect(world.effects("snapshot.delete") == 0)
    #expect(closing.contains("snapshot drill-\(DrillWorld.runID)"), "\(closing)")
  }

  // MARK: Crashes

  /// Each drill as it is shipped, and one that misses its objective.
  private static let killed: [(drill: DrillUnderTest, rto: String?)] =
    DrillUnderTest.all.map { ($0, nil) } + [(DrillUnderTest.all[0], "1s")]

  /// The process is killed at every commit, send and receive, one after the other; another one carries the drill on.
  @Test(arguments: killed)
  func aKillAtAnyPointIsJudgedOnceAndLeavesNothing(_ drill: DrillUnderTest, rto: String?) async throws {
    func world() throws -> DrillWorld {
      try DrillWorld(drill) { text in rto.map { text.replacing(/rto: \d+h/, with: "rto: \($0)") } ?? text }
    }
    let code: Int32 = rto == nil ? 0 : 8
    let undisturbed = try world()
    let whole = KillSwitch()
    #expect(try await undisturbed.run(life: whole).exitCode == code)
    #expect(whole.passed > 50)
    var judged = 0
    for point in Campaign.part(of: 1...whole.passed, every: 11) {
      let world = try world()
      let life = KillSwitch(at: point)
      _ = try await world.run(life: life)
      let place = "\(drill), killed at \(point), \(try #require(life.place, "the kill at \(point) never fired"))"
      let before = try world.verdicts
      let end = try await world.resume()
      // A restore whose outcome nobody can know is undone: the drill has failed, and is not judged.
      #expect(end.exitCode == code || end.exitCode == 3, "\(place): \(end)")
      let after = try world.verdicts
      #expect(after.count == (end.exitCode == code ? 1 : 0), "\(place)")
      #expect(before.isEmpty || before == after, "\(place)")
      judged += before.count
      #expect(world.effects("server.create") <= 1 && world.effects("backup.restore") <= 1, "\(place)")
      try await world.expectNothingLeft(place)
    }
    #expect(judged > 0)
  }

  /// Around the verdict itself, every day: neither lost nor given twice, whatever is killed on the way.
  @Test(arguments: DrillUnderTest.all)
  func aKillAroundTheVerdictChangesNothingOfIt(_ drill: DrillUnderTest) async throws {
    let undisturbed = try DrillWorld(drill)
    let whole = KillSwitch()
    _ = try await undisturbed.run(life: whole)
    // The first point at which the verdict is in the journal.
    var (low, high) = (1, whole.passed)
    while low < high {
      let middle = (low + high) / 2
      let world = try DrillWorld(drill)
      _ = try await world.run(life: KillSwitch(at: middle))
      if try world.verdicts.isEmpty { low = middle + 1 } else { high = middle }
    }
    for point in max(1, low - 4)...min(whole.passed, low + 4) {
      let world = try DrillWorld(drill)
      _ = try await world.run(life: KillSwitch(at: point))
      let before = try world.verdicts
      #expect(before.isEmpty == (point < low), "at \(point)")
      // Somebody looks hours later: what was measured has happened before.
      if !before.isEmpty { await world.cloud.clock.sleep(for: .seconds(5 * 3600)) }
      #expect(try await world.resume().exitCode == 0, "at \(point)")
      let after = try world.verdicts
      #expect(after.count == 1 && (before.isEmpty || before == after), "at \(point)")
      try await world.expectNothingLeft("at \(point)")
    }
  }
}
