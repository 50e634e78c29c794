import Runbook

/// `runbook logs RUN [--follow]`.
struct LogsCommand: Command {
  static let spec = CommandSpec(
    name: "logs", summary: "print what happened in a run, one line an event",
    operands: [RunOptions.run],
    options: [.flag("follow", "go on until the run ends, and end with its exit code")],
    examples: [
      .init("runbook logs r0123456789abcdefghi", "print the whole story"),
      .init("runbook logs r0123456789abcdefghi --follow", "watch a run of another terminal or machine"),
      .init("runbook logs r0123456789abcdefghi -v", "with outputs, attempts and every detail"),
    ],
    group: .look)

  private var id: String
  private let isFollowing: Bool

  init(_ arguments: ParsedArguments) throws(UsageError) {
    id = arguments.operand("RUN") ?? ""
    isFollowing = arguments.flag("follow")
  }

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
    if isFollowing { return try await Follower(shell: shell, access: access, runID: id).follow() }
    var text = EventText(
      runID: id, verbose: shell.globals.verbose, clockText: Shell.localTime, commands: Advice.commands)
    var bytes: [UInt8] = []
    for event in try access.events(of: id) {
      if shell.wantsJSON {
        bytes += JSONWriter.bytes(event.json) + [0x0a]
      } else if let line = text.line(for: event) {
        bytes += Array(line.utf8) + [0x0a]
      }
    }
    shell.output.result(bytes: bytes)
    access.tellOwnerless(shell)
    return .succeeded
  }
}
