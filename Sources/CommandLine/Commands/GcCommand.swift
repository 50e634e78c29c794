import Operations
import Runbook
import Stores

/// `runbook gc --older-than D`.
struct GcCommand: Command {
  static let spec = CommandSpec(
    name: "gc", summary: "remove runs that ended long ago",
    details: """
      Removes ended runs with their journals, and folders of their scripts that were left behind, and makes the \
      store's file shorter. It keeps a run that has not ended, that owes something, that holds a lock, or that needs a \
      person, and it keeps the usual times of waits. The `--key` of a removed run is free again: the same key then \
      starts a new run.
      """,
    options: [
      .value("older-than", "D", .duration, "runs that ended longer ago than this, such as `90d`"),
      .flag("list", "remove nothing; list the runs that would go"),
    ],
    examples: [
      .init("runbook gc --older-than 90d", "remove runs that ended more than 90 days ago"),
      .init("runbook gc --older-than 90d --list", "show which runs that would remove"),
    ],
    group: .around)

  private let age: Duration
  private let listsOnly: Bool

  init(_ arguments: ParsedArguments) throws(UsageError) {
    guard let age = try arguments.duration("older-than") else {
      throw UsageError("`--older-than` is missing: the age of the runs to remove", hint: "write `--older-than 90d`")
    }
    self.age = age
    listsOnly = arguments.flag("list")
  }

  func run(in shell: Shell) async -> ExitCode {
    do throws(Refusal) {
      let access: StoreAccess
      do throws(Refusal) { access = try StoreAccess(shell, creates: false) } catch {
        guard error.has(.notFound) else { throw error }
        return tell(Result(), shell)
      }
      let code = tell(try await collect(access), shell)
      await access.tellOwnerless(shell)
      return code
    } catch {
      return shell.refuse(error)
    }
  }

  private struct Result {
    var runs: [RunSummary] = []
    var entries: Int64 = 0
    var folders = 0
    var bytes: Int64 = 0
  }

  private func collect(_ access: StoreAccess) async throws(Refusal) -> Result {
    let now = SystemClock().now
    let limit = now - age
    var result = Result()
    do throws(StoreFailure) {
      let runs = try access.file.sweepable(endedBefore: limit)
      if listsOnly {
        result.runs = runs
      } else {
        let sweep = try access.file.sweep(runs.map(\.id), endedBefore: limit)
        let removed = Set(sweep.runs)
        result.runs = runs.filter { removed.contains($0.id) }
        result.entries = sweep.entries
      }
      let scripts = ScriptSweep(folder: access.scripts, store: access.store, limit: limit, removes: !listsOnly)
      result.folders = try await scripts.sweep(Set(result.runs.map(\.id)))
      guard !listsOnly else { return result }
      access.file.sweepWitnesses()
      result.bytes = try access.file.giveSpaceBack()
    } catch {
      // The runs are removed all the same; only the file stays as long as it was.
      guard case .diskFull = error, !result.runs.isEmpty else { throw Refusal(error) }
    }
    return result
  }

  private func tell(_ result: Result, _ shell: Shell) -> ExitCode {
    if shell.wantsJSON {
      shell.output.result(
        json: [
          "v": 1, "removed": .bool(!listsOnly), "runs": .list(result.runs.map { .string($0.id) }),
          "entries": .int(result.entries), "script_folders": .int(Int64(result.folders)),
          "bytes": .int(result.bytes),
        ])
      return .succeeded
    }
    let runs = GcCommand.count(result.runs.count, "run")
    let folders = result.folders == 0 ? "" : " and \(GcCommand.count(result.folders, "folder")) of scripts"
    if listsOnly {
      if !result.runs.isEmpty { shell.print(RunTable.lines(result.runs, RunMarks())) }
      shell.note("\(runs)\(folders) would be removed; nothing was done")
    } else {
      let entries = result.runs.isEmpty ? "" : " (\(GcCommand.count(Int(clamping: result.entries), "journal entry")))"
      let space = result.bytes == 0 ? "" : "; \(ByteCount.text(result.bytes)) of disk space were freed"
      shell.output.result("removed \(runs)\(entries)\(folders)\(space)\n")
    }
    return .succeeded
  }

  private static func count(_ number: Int, _ word: String) -> String {
    guard number != 1 else { return "1 \(word)" }
    return "\(number) " + (word.hasSuffix("y") ? "\(word.dropLast())ies" : "\(word)s")
  }
}
