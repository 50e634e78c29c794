import Runbook
import Simulator
import Stores
import Synchronization
import Testing

@testable import Operations

@Suite struct StartRunTests {
  var place = OperationPlace()

  @Test func aRunIsWrittenWithItsLeaseAndItsLocksAndThenWorkedOn() async throws {
    let assignment = try await place.begin(Sample.locked)
    let run = assignment.lease.runID
    #expect(RunID.isWellFormed(run))
    #expect(try place.store.ownership(of: run) == .alive(assignment.lease))
    #expect(assignment.lease.owner == OperationPlace.own)
    #expect(try place.store.locks(of: run) == ["rack"])
    #expect(place.scripts.ledger.isEmpty)
    #expect(await place.work(on: assignment).exit == .succeeded)
    #expect(place.scripts.ledger.count { $0.effect == "script.start" } == 1)
    #expect(try !place.store.ownership(of: run).isLive)
    #expect(try place.store.locks(of: run).isEmpty)
  }

  @Test func ofCallersWithOneKeyTheSecondIsGivenTheRunOfTheFirst() async throws {
    let run = try await place.run(Sample.one, key: "k")
    guard case .existing(let found) = try await place.start(try place.new(Sample.one, key: "k")).begin({ _ in }) else {
      Issue.record("it was started again")
      return
    }
    #expect(found.id == run)
    let other = try place.new(Sample.locked, key: "k")
    #expect(
      await refusal { () async throws(OperationRefusal) in try await place.start(other).begin { _ in } }
        == .keyTaken(found))
  }

  @Test func everySecretThatIsMissingIsNamedAndNothingIsDone() async throws {
    var place = place
    place.secrets.texts["other"] = "pw"
    let run = try place.new(Sample.secret)
    let one = MissingSecret(name: "token", reason: "nobody has given it", hint: "give it")
    #expect(
      await refusal { () async throws(OperationRefusal) in try await place.start(run).begin { _ in } }
        == .secretsMissing([one], canGoWithout: false))
    place.secrets.texts = [:]
    let two = MissingSecret(name: "other", reason: "nobody has given it", hint: "give it")
    #expect(
      await refusal { () async throws(OperationRefusal) in try await place.start(run).begin { _ in } }
        == .secretsMissing([one, two], canGoWithout: false))
    #expect(try place.store.summaries(limit: 10).isEmpty)
  }

  @Test func theHolderOfALockIsNamedWithWhatItDoes() async throws {
    let holder = try await place.begin(Sample.locked)
    let lock = HeldLock(name: "rack", runID: holder.lease.runID)
    let run = try place.new(Sample.locked)
    func refused() async -> OperationRefusal? {
      await refusal { () async throws(OperationRefusal) in try await place.start(run).begin { _ in } }
    }
    #expect(await refused() == .locked(lock, .working))
    place.die(holder)
    #expect(await refused() == .locked(lock, .interrupted(since: holder.lease.renewedAt)))
    #expect(try place.store.summaries(limit: 10).count == 1)
  }

  @Test func aRunThatHasEndedAndOwesItsRollbackKeepsItsLock() async throws {
    let place = OperationPlace(scripts: [.init(matching: "echo undo", exitCode: 9)])
    let id = try await place.run("locks: [rack]\n" + Sample.undone)
    #expect(try place.store.summary(of: id).isOwed)
    let run = try place.new(Sample.locked)
    #expect(
      await refusal { () async throws(OperationRefusal) in try await place.start(run).begin { _ in } }
        == .locked(HeldLock(name: "rack", runID: id), .owing))
  }

  @Test func whoWaitsForALockIsToldOnceAndGetsItWhenItIsFree() async throws {
    let holder = try await place.begin(Sample.locked)
    let store = place.store
    let line = Line()
    let wait = LockWait(limit: .seconds(600), supersedes: true, line: line)
    var news: [StartRun.News] = []
    let outcome = try await place.start(try place.new(Sample.locked), wait: wait).begin {
      news.append($0)
      if case .waiting = $0 {
        _ = try? store.append(
          [], to: holder.lease.runID, epoch: holder.lease.epoch, summary: nil, locks: [], releasingLocks: true)
      }
    }
    guard case .assigned(let assignment) = outcome else {
      Issue.record("it was not started")
      return
    }
    #expect(news == [.superseded(2), .waiting(lock: "rack", holder: holder.lease.runID)])
    #expect(try store.locks(of: assignment.lease.runID) == ["rack"])
    #expect(line.left.withLock { $0 } == 1)
  }

  @Test func aTimeToWaitThatIsOverIsARefusal() async throws {
    let holder = try await place.begin(Sample.locked)
    let run = try place.new(Sample.locked)
    var line = Line()
    func refused() async -> OperationRefusal? {
      let wait = LockWait(limit: .seconds(5), supersedes: false, line: line)
      return await refusal { () async throws(OperationRefusal) in try await place.start(run, wait: wait).begin { _ in }
      }
    }
    guard case .locked(let lock, _) = await refused() else {
      Issue.record("it was not refused")
      return
    }
    #expect(lock.runID == holder.lease.runID)
    line.isNext = false
    #expect(await refused() == .queued)
    line.isSuperseded = true
    #expect(await refused() == .superseded)
    #expect(line.left.withLock { $0 } == 3)
  }
}

/// A line with one place.
private struct Line: LockLine, LockPlace {
  var isNext = true
  var isSuperseded = false
  let left = Counter()

  final class Counter: Sendable {
    private let count = Mutex(0)
    func withLock<Answer>(_ body: (inout Int) -> Answer) -> Answer { count.withLock { body(&$0) } }
  }

  func join(_ locks: [String], runbook: String, now: Duration, number: UInt64) async -> (any LockPlace)? { self }
  func supersede(runbook: String) async -> Int { 2 }
  func leave() async { left.withLock { $0 += 1 } }
}
