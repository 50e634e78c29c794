import Runbook

/// `runbook resume RUN`.
struct ResumeCommand: Command {
  static let spec = CommandSpec(
    name: "resume", summary: "carry on a run that has not ended",
    details: """
      After a crash, a reboot or a second Ctrl-C. Steps whose outcome was lost are looked at first: nothing is \
      repeated that might have happened. A run whose owner lives is refused (exit 7).
      """,
    operands: [OperandSpec("RUN", .run, .one, "the id of the run, as `runbook list` shows it")],
    examples: [.init("runbook resume r0123456789abcdefghi", "go on where it stopped")],
    group: .run)

  private let id: String

  init(_ arguments: ParsedArguments) throws(UsageError) { id = try arguments.required("RUN") }

  func run(in shell: Shell) async -> ExitCode {
    InterruptDesk.shared.open()
    do throws(Refusal) {
      let (access, run) = try StoreAccess.forRun(id, shell)
      guard run.status != "ended" else {
        throw Refusal(
          .usage, "E-ENDED", "run \(id) has ended: \(RunWords.outcome(run.outcome, rollback: run.rollback))",
          hint:
            "`runbook rerun \(id)` starts it anew; `runbook rollback resume \(id)` goes on with a rollback that stopped"
        )
      }
      access.tellOwnerless(shell, but: id)
      return try await Resumption(id, access, shell).carryOn()
    } catch {
      return shell.refuse(error)
    }
  }
}
