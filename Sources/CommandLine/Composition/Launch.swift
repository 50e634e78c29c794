import Runbook
import Stores

/// A run from its first entry on: locks, journal, engine.
struct Launch {
  let creation: RunCreation
  let store: any RunStore
  let world: RunWorld
  let secrets: [String: Secret]
  let shell: Shell

  init(_ creation: RunCreation, _ store: any RunStore, _ world: RunWorld, _ secrets: [String: Secret], _ shell: Shell) {
    self.creation = creation
    self.store = store
    self.world = world
    self.secrets = secrets
    self.shell = shell
  }

  func carryOut() async throws(Refusal) -> ExitCode {
    let locks = try locks()
    do throws(LaunchFailure) {
      return await carryOut(try await create(locks, wait: nil))
    } catch {
      throw await refusal(error)
    }
  }

  func carryOut(_ lease: Lease) async -> ExitCode {
    let entries = (try? await store.entries(of: lease.runID, after: 0)) ?? []
    return await RunSession(
      shell: shell, runbook: creation.runbook, source: creation.source, secrets: secrets, store: store, lease: lease,
      world: world, beginning: entries.compactMap { RunEvent($0, runID: lease.runID) }
    ).carryOut()
  }

  /// How often a held lock is asked for again.
  private static let lockPause = Duration.milliseconds(500)

  /// Writes the run, with its lease and its locks, all or nothing.
  /// - Parameters:
  ///   - locks: what `locks()` found.
  ///   - wait: how to wait for a lock that somebody holds; nil: not at all.
  func create(_ locks: [String], wait: LockWait?) async throws(LaunchFailure) -> Lease {
    let clock = SystemClock()
    let begin = clock.monotonic
    let id = RunID.make(at: clock.now, random: world.random)
    let ticket = locks.isEmpty ? nil : wait?.ticket(locks, creation.runbook.name, at: begin, world.random.next())
    defer { ticket?.leave() }
    if wait?.supersedes == true, let count = ticket?.supersede(runbook: creation.runbook.name), count > 0 {
      shell.note("told \(count == 1 ? "an earlier run" : "\(count) earlier runs") of this runbook to give way")
    }
    var hasSaidSo = false
    while true {
      if ticket?.isSuperseded == true { throw .superseded }
      let isTurn = ticket?.isNext ?? true
      do throws(StoreFailure) {
        if isTurn {
          return try await creation.create(
            in: store, id: id, owner: Ownership.own, leaseFor: Ownership.leaseTime, locks: locks, secrets: secrets,
            clock: world.clock)
        }
      } catch {
        guard case .lockHeld(let lock, let holder) = error, let wait, clock.monotonic - begin < wait.limit
        else {
          throw .store(error)
        }
        if !hasSaidSo { shell.note("waiting for `\(DisplayText.escaped(lock, limit: 200))`, held by \(holder)") }
        hasSaidSo = true
      }
      if !isTurn {
        guard let wait, clock.monotonic - begin < wait.limit else { throw .queued }
        if !hasSaidSo { shell.note("waiting for a lock behind a run that began to wait earlier") }
        hasSaidSo = true
      }
      await clock.sleep(for: Launch.lockPause)
    }
  }

  /// The names of the locks that the run needs, for which its providers are connected.
  /// - Throws: a block or a lock that cannot be worked out with these inputs and secrets; nothing has been done.
  func locks() throws(Refusal) -> [String] {
    if world.asksPeople, let first = creation.runbook.questionsForSeveral.first {
      throw Refusal(
        .usage, .people,
        "`\(first.step)` has `\(first.field)`, and this store knows no people: "
          + "an answer comes from one user of this machine",
        hint: "take `\(first.field)` out; everybody but the person who starts the run may then approve it")
    }
    do throws(StepFailure) {
      let context = try RunContext(
        creation.runbook, inputs: creation.inputs, secrets: secrets, world: world, at: world.clock.now)
      return try creation.locks(providers: context.providers, vars: context.vars)
    } catch {
      throw Refusal(
        .usage, .input, Masker(secrets.values).mask(error.message),
        hint: "nothing was done; fix the runbook, its inputs or its secrets")
    }
  }

  func refusal(_ failure: LaunchFailure) async -> Refusal {
    switch failure {
    case .store(.lockHeld(let lock, let holder)): await Refusal(lock: lock, heldBy: holder, in: store)
    case .store(let failure): Refusal(failure)
    case .superseded:
      Refusal(
        .refused, .superseded, "a later run of the same runbook replaces this one",
        hint: "nothing was done; the later run does the work")
    case .queued:
      Refusal(
        .refused, .locked, "runs that began to wait earlier still wait for the same lock",
        hint: "give a longer `--lock-wait`")
    }
  }
}

/// Why a run was not begun. Nothing was done.
enum LaunchFailure: Error {
  case store(StoreFailure)
  case superseded
  /// Its time to wait was over before its turn came.
  case queued
}

/// How a run waits for its locks.
struct LockWait {
  var limit: Duration
  /// Earlier waiting runs of the same runbook are told to give way.
  var supersedes: Bool
  var queue: LockQueue

  func ticket(_ locks: [String], _ runbook: String, at now: Duration, _ number: UInt64) -> LockQueue.Ticket? {
    queue.join(locks, runbook: runbook, now: now, number: number)
  }
}

/// A run in the real world, with its key and its locks.
struct RealRun {
  private let creation: RunCreation
  private let access: StoreAccess
  private let shell: Shell
  private let lockWait: LockWait?

  init(_ creation: RunCreation, _ access: StoreAccess, _ shell: Shell, lockWait: LockWait?) {
    self.creation = creation
    self.access = access
    self.shell = shell
    self.lockWait = lockWait
  }

  func carryOut() async throws(Refusal) -> ExitCode {
    if let key = creation.key {
      let earlier: RunSummary?
      do throws(StoreFailure) { earlier = try await access.store.run(withKey: key) } catch { throw Refusal(error) }
      if let earlier { return try await attach(to: earlier) }
    }
    let secrets = try SecretReading.resolve(creation.runbook.secrets, folder: creation.source.folder)
    let launch = Launch(creation, access.store, Composition.realWorld(scripts: access.scripts), secrets, shell)
    let locks = try launch.locks()
    let lease: Lease
    do throws(LaunchFailure) { lease = try await launch.create(locks, wait: lockWait) } catch {
      if case .store(.keyTaken(let earlier)) = error { return try await attach(to: earlier) }
      throw await launch.refusal(error)
    }
    Detachment.report(runID: lease.runID)
    return await launch.carryOut(lease)
  }

  /// The same key, file and inputs: one run for all callers.
  private func attach(to earlier: RunSummary) async throws(Refusal) -> ExitCode {
    guard earlier.fingerprint == creation.fingerprint else { throw Refusal(.keyTaken(earlier)) }
    Detachment.report(runID: earlier.id)
    // Others may attach at the same moment: one of them carries the run on, and the rest watch that one.
    while true {
      let run: RunSummary
      do throws(StoreFailure) { run = try await access.store.summary(of: earlier.id) } catch { throw Refusal(error) }
      if run.isRestored {
        shell.note(
          "run \(run.id) of this key may have done more than its journal says, because the store was put back from "
            + "an older "
            + "copy: `\(Advice.line("show", run.id))`, then `\(Advice.line("resume", run.id, "--restored"))`")
        return .waiting
      }
      if run.status == "ended" {
        shell.note("run \(run.id) of this key has ended already")
      } else if await access.isLive(run.id) {
        shell.note("run \(run.id) of this key is going on: watching it")
      } else {
        shell.note("run \(run.id) of this key was interrupted: carrying it on")
        if let code = try await carryOn(run.id) { return code }
        continue
      }
      let code = try await Follower(shell: shell, access: access, runID: run.id).follow()
      // Its owner has stopped in the middle: somebody has to carry it on.
      if code != .stopped || run.status == "ended" { return code }
    }
  }

  /// nil: somebody else was faster.
  private func carryOn(_ id: String) async throws(Refusal) -> ExitCode? {
    do throws(Refusal) {
      let code = try await Resumption(id, access, shell).carryOn()
      if code == .refused, await access.isLive(id) { return nil }
      return code
    } catch {
      if error.has(.owned) { return nil }
      throw error
    }
  }
}
