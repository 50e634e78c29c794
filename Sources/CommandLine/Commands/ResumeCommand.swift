import Operations
import Runbook

/// `runbook resume RUN`.
struct ResumeCommand: Command {
  static let spec = CommandSpec(
    name: "resume", summary: "carry on a run that has not ended",
    details: """
      Use it after a crash, a reboot or a second Ctrl-C. If the outcome of a step was lost, the engine first finds out \
      whether the step took effect. A run whose owner lives is refused (exit 7).
      """,
    operands: [RunOptions.run],
    options: [RunOptions.withoutSecret, RunOptions.restored] + RunReporting.options,
    examples: [
      .init("runbook resume r0123456789abcdefghi", "go on where it stopped"),
      .init(
        "runbook resume r0123456789abcdefghi --without-secret vps_token",
        "go on although a secret is missing; a step that needs it fails and names it"),
    ],
    group: .run)

  private var id: String
  private let without: [String]
  private let acceptsRestored: Bool
  private let reporting: RunReporting

  init(_ arguments: ParsedArguments) throws(UsageError) {
    id = arguments.operand("RUN") ?? ""
    without = arguments.values(of: "without-secret")
    acceptsRestored = arguments.flag("restored")
    reporting = RunReporting(arguments)
  }

  func run(in shell: Shell) async -> ExitCode {
    InterruptDesk.shared.open()
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
    guard run.status != "ended" else {
      let canResume = try await told { () throws(OperationRefusal) in
        try await access.context.outlook(of: id)?.canResumeRollback == true
      }
      throw Refusal(OperationRefusal.nothingToCarryOn(run, canResumeRollback: canResume))
    }
    await access.tellOwnerless(shell, but: id)
    let shell = try reporting.opened(shell)
    return try await RunDesk(shell, access).resume(id, without: without, acceptsRestored: acceptsRestored)
  }
}
