import Posix
import Runbook
import Stores

/// The store that the command line, the environment or the default names.
struct StoreAccess {
  let store: any RunStore
  /// The same, for what only a store in a file can do.
  let file: SQLiteStore
  /// Where detached scripts of its runs are kept: beside it, so that the process that resumes a run finds them.
  let scripts: String

  /// - Parameter creates: false for commands that only look; then `notFound` if there is none yet.
  init(_ shell: Shell, creates: Bool) throws(Refusal) {
    var options = SQLiteStore.Options()
    options.creates = creates
    options.witnesses = WitnessPlaces.candidates(Environment.all)
    options.onWait = { wait in InterruptDesk.shared.say(wait.words, or: shell) }
    let opened: SQLiteStore
    do throws(StoreFailure) {
      let location = try StoreLocation(option: shell.globals.store, environment: Environment.all)
      guard creates || !location.isNamed || location.hasFolder else {
        throw .unusable("there is no folder `\(location.folder)` for the store `\(location.path)`")
      }
      opened = try SQLiteStore(at: location.path, clock: SystemClock(), options: options)
    } catch {
      throw Refusal(error)
    }
    store = opened
    file = opened
    scripts = opened.path + ".scripts"
    if let warning = opened.warning { shell.output.message("warning: \(DisplayText.escaped(warning, limit: 2000))") }
    if let note = opened.note { shell.note("note: \(DisplayText.escaped(note, limit: 2000))") }
  }

  /// The run's events so far.
  func events(of id: String, after sequence: Int64 = 0) async throws(Refusal) -> [RunEvent] {
    do throws(StoreFailure) {
      return try await store.entries(of: id, after: sequence).compactMap { RunEvent($0, runID: id) }
    } catch {
      throw Refusal(error, run: id)
    }
  }

  /// A row for the owner of a run, who reads it within a second; not posted if an earlier one is in its way.
  func post(
    _ kind: String, _ body: Value, to id: String, unless isInTheWay: @Sendable (RunRequest) -> Bool
  ) async throws(Refusal) -> PostedRequest {
    do throws(StoreFailure) {
      return try await store.post(
        kind, body: JSONWriter.bytes(body), to: id, requester: Ownership.requester, unless: isInTheWay)
    } catch {
      throw Refusal(error, run: id)
    }
  }

  func isLive(_ id: String) async -> Bool { (try? await store.ownership(of: id))?.isLive ?? false }

  /// Every run that needs a person, newest first.
  func needs() async throws(Refusal) -> [Need] {
    let runs: [RunSummary]
    do throws(StoreFailure) { runs = try await store.openRuns() + store.owedRuns() } catch { throw Refusal(error) }
    let marks = await marks(of: runs)
    return runs.sorted { $0.id > $1.id }.compactMap { Need($0, marks) }
  }

  /// The inputs that the run was started with, read from its first entry alone.
  func inputs(of id: String) async -> Value {
    guard let entry = try? await store.firstEntry(of: id) else { return .map([:]) }
    return RunEvent(entry, runID: id)?.fields["inputs"] ?? .map([:])
  }

  /// One line on stderr about runs that nobody works on, so that none is forgotten.
  func tellOwnerless(_ shell: Shell, but own: String? = nil) async {
    guard let open = try? await store.openRuns() else { return }
    var stopped: [RunSummary] = []
    var waiting: [RunSummary] = []
    for run in open where run.id != own {
      guard await !isLive(run.id) else { continue }
      if run.status == "waiting", await posted(to: run.id) == nil { waiting.append(run) } else { stopped.append(run) }
    }
    guard !stopped.isEmpty || !waiting.isEmpty else { return }
    var parts: [String] = []
    if let first = stopped.first {
      let count = StoreAccess.count(stopped.count, "run was", "runs were")
      let them = stopped.count == 1 ? "it" : "them"
      parts.append("\(count) interrupted, and no process works on \(them): `\(Advice.line("resume", first.id))`")
    }
    if let first = waiting.first {
      let count = StoreAccess.count(waiting.count, "run waits", "runs wait")
      parts.append("\(count) for an answer: `\(Advice.line("show", first.id))`")
    }
    shell.output.message("note: " + parts.joined(separator: "; "))
  }

  private static func count(_ number: Int, _ one: String, _ many: String) -> String {
    number == 1 ? "a \(one)" : "\(number) \(many)"
  }
}
