import ProviderKit
import Runbook

/// A change on its way. Jobs of one machine are carried out one after another.
struct ZStackTwinJob: Sendable {
  enum Phase: Sendable {
    /// Waits until an earlier one of the same machine is over.
    case queued
    /// nil: it never ends.
    case running(until: Timestamp?)
    /// The management node died meanwhile: 202 for ever.
    case lost
    case over(status: Int, body: Value)
  }

  var id: String
  var call: ZStackTwinCall
  var createdAt: Timestamp
  /// Counts the jobs, in the order of their arrival.
  var number: Int
  /// The machine whose queue it stands in.
  var machine: String?
  var phase = Phase.queued
  var twist = ZStackTwinTwist()
  /// What `begin` chose and `finish` needs: ids of what is being made.
  var made: [String] = []
  /// The native state to go back to when it fails.
  var former = ""
}

/// What faults do to a change that begins.
@dynamicMemberLookup
struct ZStackTwinTwist: Sendable {
  var common = TwinTwist()
  var partial = false
  /// The job says nothing any more once the change is over.
  var isLost = false
  var isPurged = false
  /// Ends in SYS.1001: with the effect, or without it.
  var timesOut: Bool?
  var losesHost = false

  subscript<Part>(dynamicMember path: KeyPath<TwinTwist, Part>) -> Part { common[keyPath: path] }
}

extension ZStackWorld {
  /// Finished jobs are deleted when they were created so long ago, at the next scan.
  static let retention: Duration = .seconds(10_800)
  static let scan: Int64 = 3600

  /// Lets everything that was to end until `now` end, in its order, and what waited for it begin.
  mutating func settle(_ now: Timestamp, _ twist: (ZStackTwinJob) -> ZStackTwinTwist) {
    for index in machines.indices {
      guard let slow = machines[index].slow, slow.showsAt <= now else { continue }
      machines[index].state = slow.status
      machines[index].lastOpAt = slow.showsAt
      machines[index].slow = nil
    }
    var rounds = 0
    while rounds < 10_000, let next = nextEnd(now) {
      rounds += 1
      finish(next.id, next.at)
      beginQueued(next.at, twist)
    }
    beginQueued(now, twist)
    let lastScan = Timestamp(seconds: now.seconds - now.seconds % ZStackWorld.scan)
    jobs = jobs.filter { _, job in
      guard case .over = job.phase else { return true }
      return lastScan - job.createdAt < ZStackWorld.retention
    }
  }

  /// Notes what a change gave with the effects it had.
  private mutating func note(_ job: ZStackTwinJob, since count: Int) {
    for index in ledger.indices where index >= count { ledger[index].parameters = job.call.given }
  }

  private func nextEnd(_ now: Timestamp) -> (id: String, at: Timestamp)? {
    var first: (id: String, at: Timestamp, number: Int)?
    for job in jobs.values {
      guard case .running(let until?) = job.phase, until <= now else { continue }
      if let known = first, (known.at, known.number) <= (until, job.number) { continue }
      first = (job.id, until, job.number)
    }
    return first.map { ($0.id, $0.at) }
  }

  /// Takes a job in; it begins at once unless its machine is busy with another.
  mutating func accept(_ job: ZStackTwinJob, _ now: Timestamp, _ twist: (ZStackTwinJob) -> ZStackTwinTwist) {
    jobs[job.id] = job
    beginQueued(now, twist)
  }

  private mutating func beginQueued(_ now: Timestamp, _ twist: (ZStackTwinJob) -> ZStackTwinTwist) {
    var busy = Set(
      jobs.values.compactMap { job -> String? in
        if case .running = job.phase { return job.machine }
        return nil
      })
    let queued = jobs.values.filter { if case .queued = $0.phase { true } else { false } }
      .sorted { $0.number < $1.number }
    for var job in queued {
      if let machine = job.machine {
        guard busy.insert(machine).inserted else { continue }
      }
      do throws(ZStackTwinError) {
        let seconds = try check(job)
        // What needs no time has nothing to do: a fault keeps for a change that has.
        if seconds.upperBound > 0 { job.twist = twist(job) }
        if job.twist.timesOut == false {
          job.phase = .running(until: now + .seconds(300))
        } else {
          let effects = ledger.count
          defer { note(job, since: effects) }
          try begin(&job, now)
          // Where the guest does the work, the job ends once it was asked.
          let length = job.twist.slow == nil ? random.draw(seconds) : 1
          job.phase = .running(until: job.twist.isStuck ? nil : now + .seconds(length))
        }
      } catch {
        job.phase = .over(status: 503, body: error.document)
      }
      jobs[job.id] = job
      // What needs no time is over at once, and lets the next one of its machine begin.
      if case .over = job.phase, let machine = job.machine { busy.remove(machine) }
    }
  }

  private mutating func finish(_ id: String, _ at: Timestamp) {
    guard var job = jobs[id] else { return }
    var outcome: (status: Int, body: Value)
    if job.twist.timesOut == false {
      outcome = (503, ZStackTwinError.timeout.document)
    } else {
      let effects = ledger.count
      defer { note(job, since: effects) }
      do throws(ZStackTwinError) {
        outcome = (200, try end(&job, at))
        tag(job)
      } catch { outcome = (503, error.document) }
      if job.twist.losesHost, let index = machines.firstIndex(where: { $0.uuid == job.machine }) {
        machines[index].state = "Unknown"
      }
    }
    if job.twist.timesOut == true { outcome = (503, ZStackTwinError.timeout.document) }
    job.phase = job.twist.isLost ? .lost : .over(status: outcome.status, body: outcome.body)
    jobs[id] = job.twist.isPurged ? nil : job
  }
}
