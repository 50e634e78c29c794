import Operations
import Posix
import Runbook
import Stores

/// The store that the command line, the environment or the default names.
struct StoreAccess {
  let context: OperationContext
  /// The same store, for what only a store in a file can do.
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
    context = OperationContext(opened)
    file = opened
    scripts = opened.path + ".scripts"
    if let warning = opened.warning { shell.output.message("warning: \(DisplayText.escaped(warning, limit: 2000))") }
    if let note = opened.note { shell.note("note: \(DisplayText.escaped(note, limit: 2000))") }
  }

  var store: any RunStore { context.store }

  /// For a command about one run.
  /// - Parameter word: what stands for RUN on the command line; empty if nothing does.
  static func forRun(_ word: String, _ shell: Shell) async throws(Refusal) -> (access: StoreAccess, run: RunSummary) {
    let name = try toldAtOnce { () throws(OperationRefusal) in try RunName(word) }
    let access: StoreAccess
    do throws(Refusal) { access = try StoreAccess(shell, creates: false) } catch {
      throw error.has(.notFound) ? Refusal(name.notThere) : error
    }
    let run = try await told { () throws(OperationRefusal) in try await FindRun(access.context).find(name) }
    if case .id = name { return (access, run) }
    shell.note("run \(run.id) (\(DisplayText.escaped(run.name, limit: 64)))")
    return (access, run)
  }

  /// One line on stderr about runs that nobody works on, so that none is forgotten.
  func tellOwnerless(_ shell: Shell, but own: String? = nil) async {
    let (stopped, waiting) = await ListRuns(context).ownerless(but: own)
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
    if !parts.isEmpty { shell.output.message("note: " + parts.joined(separator: "; ")) }
  }

  private static func count(_ number: Int, _ one: String, _ many: String) -> String {
    number == 1 ? "a \(one)" : "\(number) \(many)"
  }
}
