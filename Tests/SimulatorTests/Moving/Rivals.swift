import Runbook
import Simulator
import Stores
import Synchronization

/// Others who want to carry a run on that its owner is working on: a second operator and, of a run with a key, four
/// more retries of the same job.
final class Rivals: Sendable {
  private let process: SimulatedProcess
  private let store: MemoryStore
  private let inputs: [String: Value]
  private let counts = Mutex((refusals: 0, robberies: 0))

  init(_ world: MovingWorld) {
    process = world.process()
    store = world.store
    inputs = world.inputs
  }

  /// How often they were told that the run is another's, and how often they were not.
  var refusals: Int { counts.withLock { $0.refusals } }
  var robberies: Int { counts.withLock { $0.robberies } }

  /// Once each. Its owner has renewed its lease just before, as an owner that lives does; a run that has ended or was
  /// given up has none.
  func tryAll() {
    guard let run = try? store.summary(of: MovingWorld.runID), run.status != "ended",
      let lease = try? store.lease(of: MovingWorld.runID),
      let renewed = try? store.renew(lease, leaseFor: .seconds(10))
    else { return }
    note(takesOver: renewed)
    guard process.key != nil else { return }
    for _ in 2...5 {
      let isRefused = isAttached(to: run)
      counts.withLock { counts in
        if isRefused { counts.refusals += 1 } else { counts.robberies += 1 }
      }
      note(takesOver: renewed)
    }
  }

  private func note(takesOver lease: Lease) {
    var isTold = false
    do throws(StoreFailure) {
      _ = try store.takeOver(MovingWorld.runID, owner: SimulatedProcess.owner(2), leaseFor: .seconds(10))
    } catch { isTold = error == .owned(lease) }
    counts.withLock { counts in
      if isTold { counts.refusals += 1 } else { counts.robberies += 1 }
    }
  }

  /// The same key finds the run that is there, and makes none.
  private func isAttached(to run: RunSummary) -> Bool {
    let creation = process.creation(inputs)
    let mine = RunSummary(
      id: MovingWorld.otherID, name: run.name, status: "running", startedAt: run.startedAt, key: creation.key,
      fingerprint: creation.fingerprint)
    do {
      _ = try store.create(mine, owner: SimulatedProcess.owner(1), leaseFor: .seconds(10), locks: [], entries: [])
    } catch StoreFailure.keyTaken(let found) {
      return found.id == run.id && found.fingerprint == creation.fingerprint
    } catch { return false }
    return false
  }
}

extension MovingWorld {
  /// nil: the run was never created.
  var summary: RunSummary? { get throws { try store.summaries(limit: .max).first { $0.id == MovingWorld.runID } } }

  /// How it ended, as its last event tells it.
  var ended: RunEnd {
    get throws {
      guard let entry = try store.entries(of: MovingWorld.runID, after: 0).last(where: { $0.kind == "run.ended" }),
        case .run(.ended(let ended)) = try Fact(entry)
      else { throw NeverFired(place: "run.ended") }
      return .ended(ended)
    }
  }

  /// Carries the run on, as the one does who comes next: by its id or, if it has a key, by another start of the same
  /// job.
  func comeAgain(life: KillSwitch = KillSwitch()) async throws -> RunEnd {
    guard key != nil else { return try await resume(life: life) }
    let process = process()
    let lease: Lease
    do {
      lease = try await process.create(try summary == nil ? MovingWorld.runID : MovingWorld.otherID, inputs: inputs)
    } catch StoreFailure.keyTaken(let found) {
      guard found.id == MovingWorld.runID, found.fingerprint == process.creation(inputs).fingerprint else {
        throw StoreFailure.keyTaken(found)
      }
      attached += 1
      return try await resume(life: life)
    }
    return await process.work(on: lease, life)
  }
}
