import Operations
import Runbook

/// `runbook list`.
struct ListCommand: Command {
  static let spec = CommandSpec(
    name: "list", summary: "list the runs, newest first",
    details: """
      A run needs a person if it was interrupted, if it waits for an answer, if its rollback is still owed, or if the \
      store was put back from an older copy while the run was open.
      """,
    options: [
      .value("limit", "N", .number, "at most this many; default 20"),
      .flag("needs-me", "only runs that need a person, with the command to type; exit 1 if there are any"),
      .flag("locks", "the locks that are held, and by which runs"),
    ],
    examples: [
      .init("runbook list", "show the last runs and how they ended"),
      .init("runbook list -q", "print nothing but their ids"),
      .init("runbook list --needs-me", "print nothing and end with 0, unless a run needs a person"),
      .init("runbook list --locks", "show which server is held by which run"),
    ],
    group: .look)

  private let limit: Int
  private let needsMe: Bool
  private let locks: Bool

  init(_ arguments: ParsedArguments) throws(UsageError) {
    limit = Int(try arguments.number("limit", in: 1...100_000) ?? 20)
    needsMe = arguments.flag("needs-me")
    locks = arguments.flag("locks")
    let given = [needsMe, locks, arguments.value("limit") != nil].filter { $0 }.count
    guard given <= 1 else {
      throw UsageError("`--needs-me`, `--locks` and `--limit` do not go together", hint: UsageError.help("list"))
    }
  }

  func run(in shell: Shell) async -> ExitCode {
    do throws(Refusal) {
      let access = try StoreAccess(shell, creates: false)
      if needsMe { return try await listNeeds(access, shell) }
      if locks { return try await listLocks(access, shell) }
      return try await listRuns(access, shell)
    } catch {
      guard error.has(.notFound) else { return shell.refuse(error) }
      if shell.wantsJSON {
        shell.output.result(json: locks ? ["v": 1, "locks": .list([])] : ReportJSON.document([]))
      }
      if !needsMe, !locks { shell.note("no runs yet") }
      return .succeeded
    }
  }

  private func listRuns(_ access: StoreAccess, _ shell: Shell) async throws(Refusal) -> ExitCode {
    let list = ListRuns(access.context)
    let runs = try await told { () throws(OperationRefusal) in try await list.newest(limit) }
    let marks = await list.marks(of: runs)
    if shell.wantsJSON {
      shell.output.result(
        json: ReportJSON.document(runs, ownerless: marks.ownerless, inputs: await inputs(of: runs, access)))
    } else if shell.globals.quiet {
      shell.output.result(runs.map { $0.id + "\n" }.joined())
    } else {
      shell.print(RunTable.lines(runs, marks))
      await access.tellOwnerless(shell)
    }
    return .succeeded
  }

  private func inputs(of runs: [RunSummary], _ access: StoreAccess) async -> [String: Value] {
    var inputs: [String: Value] = [:]
    for run in runs { inputs[run.id] = await access.context.inputs(of: run.id) }
    return inputs
  }

  private func listNeeds(_ access: StoreAccess, _ shell: Shell) async throws(Refusal) -> ExitCode {
    let list = ListRuns(access.context)
    let needs = try await told { () throws(OperationRefusal) in try await list.needs() }
    let runs = needs.map(\.run)
    let marks = await list.marks(of: runs)
    if shell.wantsJSON {
      let reasons = Dictionary(needs.map { ($0.run.id, $0.json) }, uniquingKeysWith: { first, _ in first })
      shell.output.result(
        json: ReportJSON.document(
          runs, ownerless: marks.ownerless, inputs: await inputs(of: runs, access), needs: reasons))
    } else if shell.globals.quiet {
      shell.output.result(runs.map { $0.id + "\n" }.joined())
    } else if !needs.isEmpty {
      shell.print(RunTable.lines(needs, marks))
    }
    return needs.isEmpty ? .succeeded : .failed
  }

  private func listLocks(_ access: StoreAccess, _ shell: Shell) async throws(Refusal) -> ExitCode {
    let list = ListRuns(access.context)
    let rows = try await told { () throws(OperationRefusal) in try await list.locks() }
    let marks = await list.marks(of: rows.map(\.run))
    if shell.wantsJSON {
      let locks = rows.map { lock, run -> Value in
        [
          "lock": .string(lock.name), "run_id": .string(lock.runID), "name": .string(run.name),
          "status": .string(run.status), "ownerless": .bool(marks.ownerless.contains(run.id)),
        ]
      }
      shell.output.result(json: ["v": 1, "locks": .list(locks)])
    } else if shell.globals.quiet {
      shell.output.result(rows.map { DisplayText.escaped($0.lock.name) + "\n" }.joined())
    } else {
      shell.print(rows.map { RunTable.line($0.lock, $0.run, marks) })
      if rows.isEmpty { shell.note("no lock is held") }
    }
    return .succeeded
  }
}
