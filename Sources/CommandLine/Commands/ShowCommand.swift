import Runbook
import Stores

/// `runbook show RUN`.
struct ShowCommand: Command {
  static let spec = CommandSpec(
    name: "show", summary: "show a run: its steps, and which changes were undone or stand",
    operands: [RunOptions.run],
    examples: [
      .init("runbook show r0123456789abcdefghi", "show the state of steps and servers, and what to type next"),
      .init("runbook show r0123456789abcdefghi --format json", "the same for a program"),
    ],
    group: .look)

  private var id: String

  init(_ arguments: ParsedArguments) throws(UsageError) { id = arguments.operand("RUN") ?? "" }

  func run(in shell: Shell) async -> ExitCode {
    do throws(Refusal) {
      let (access, run) = try StoreAccess.forRun(id, shell)
      var command = self
      command.id = run.id
      return try await command.carryOut(access, run, shell)
    } catch {
      return shell.refuse(error)
    }
  }

  private func carryOut(
    _ access: StoreAccess, _ run: RunSummary, _ shell: Shell
  ) async throws(Refusal) -> ExitCode {
    // With the runbook as it was pinned, undo steps that were never begun are listed too.
    let pinned = try? RunCreation.read(id, in: access.store)
    let plan = pinned.flatMap { try? CheckedRunbook($0.source) }.map { UndoPlan($0.runbook) } ?? UndoPlan()
    var report = RunReport(
      id: id, plan: plan, actions: Composition.actions, events: try access.events(of: id))
    report.isRestored = report.isRestored || run.isRestored
    let lease: Lease?
    do throws(StoreFailure) { lease = try access.store.ownership(of: id).living } catch { throw Refusal(error) }
    let isOwned = run.status != "ended" && lease != nil
    if run.status != "ended", !isOwned { report.posted = access.posted(to: id) }
    if shell.wantsJSON {
      shell.output.result(json: ReportJSON.document(report, status: run.status, owner: isOwned ? lease : nil))
    } else {
      shell.print(
        RunTable.lines(report, status: run.status, owner: isOwned ? lease : nil, verbose: shell.globals.verbose))
      if !isOwned || report.approval != nil {
        shell.print(
          [StyledText()] + ClosingWords.lines(for: report, Advice.commands, keptIn: access.file.path))
      }
    }
    access.tellOwnerless(shell, but: id)
    return .succeeded
  }
}
