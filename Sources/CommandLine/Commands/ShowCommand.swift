import Operations
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
      let (access, run) = try await StoreAccess.forRun(id, shell)
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
    let shown = try await told { () throws(OperationRefusal) in try await ShowRun(access.context).show(run) }
    let report = shown.report
    if shell.wantsJSON {
      shell.output.result(json: ReportJSON.document(report, status: shown.status, owner: shown.owner))
    } else {
      shell.print(
        RunTable.lines(report, status: shown.status, owner: shown.owner, verbose: shell.globals.verbose))
      if shown.owner == nil || report.asked.contains(where: { $0.approval != nil }) {
        shell.print(
          [StyledText()] + ClosingWords.lines(for: report, Advice.commands, keptIn: access.file.path))
      }
    }
    await access.tellOwnerless(shell, but: id)
    return .succeeded
  }
}
