import Runbook

/// `runbook cancel RUN`.
struct CancelCommand: Command {
  static let spec = CommandSpec(
    name: "cancel", summary: "stop a run and undo what it did",
    details:
      "The run's owner reads the request within a second. A run without an owner does it as soon as it is resumed.",
    operands: [OperandSpec("RUN", .run, .one, "the id of the run")],
    options: [.flag("no-rollback", "leave everything as it is; its undo steps stay pending")],
    examples: [
      .init("runbook cancel r0123456789abcdefghi", "stop it and undo its steps, newest first"),
      .init("runbook cancel r0123456789abcdefghi --no-rollback", "stop it and touch nothing more"),
    ],
    group: .act)

  private let id: String
  private let rollsBack: Bool

  init(_ arguments: ParsedArguments) throws(UsageError) {
    id = try arguments.required("RUN")
    rollsBack = !arguments.flag("no-rollback")
  }

  func run(in shell: Shell) async -> ExitCode {
    do throws(Refusal) {
      let (access, run) = try StoreAccess.forRun(id, shell)
      guard run.status != "ended" else {
        throw Refusal(.usage, "E-ENDED", "run \(id) has ended already", hint: "`runbook show \(id)` says how")
      }
      try access.post("cancel", ["rollback": .bool(rollsBack)], to: id)
      let what =
        rollsBack ? "cancel asked for; what was done will be undone" : "cancel asked for; what was done stays as it is"
      let isLive = access.isLive(id)
      let next =
        isLive
        ? "`runbook logs \(id) --follow` watches it"
        : "nobody works on it now: `runbook resume \(id)` carries the cancel out"
      if shell.wantsJSON {
        shell.output.result(json: ["v": 1, "run_id": .string(id), "requested": "cancel", "ownerless": .bool(!isLive)])
      } else {
        shell.output.result("\(what)\n")
      }
      shell.note(next)
      access.tellOwnerless(shell, but: id)
      return .succeeded
    } catch {
      return shell.refuse(error)
    }
  }
}
