import Runbook

/// `runbook list`.
struct ListCommand: Command {
  static let spec = CommandSpec(
    name: "list", summary: "list the runs, newest first",
    options: [.value("limit", "N", .number, "at most so many; default 20")],
    examples: [
      .init("runbook list", "show the last runs and how they ended"),
      .init("runbook list -q", "print nothing but their ids"),
    ],
    group: .look)

  private let limit: Int

  init(_ arguments: ParsedArguments) throws(UsageError) {
    limit = Int(try arguments.number("limit", in: 1...100_000) ?? 20)
  }

  func run(in shell: Shell) async -> ExitCode {
    do throws(Refusal) {
      let access = try StoreAccess(shell, creates: false)
      let runs: [RunSummary]
      do throws(StoreFailure) { runs = try access.store.summaries(limit: limit) } catch { throw Refusal(error) }
      let ownerless = Set(runs.filter { $0.status != "ended" && !access.isLive($0.id) }.map(\.id))
      if shell.wantsJSON {
        shell.output.result(json: ReportJSON.document(runs, ownerless: ownerless))
      } else if shell.globals.quiet {
        shell.output.result(runs.map { $0.id + "\n" }.joined())
      } else {
        shell.print(RunTable.lines(runs, ownerless: ownerless, now: SystemClock().now))
        access.tellOwnerless(shell)
      }
      return .succeeded
    } catch {
      guard error.code == "E-NOT-FOUND" else { return shell.refuse(error) }
      if shell.wantsJSON { shell.output.result(json: ReportJSON.document([])) }
      shell.note("no runs yet")
      return .succeeded
    }
  }
}
