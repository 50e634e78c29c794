import Runbook

/// `runbook version`.
struct VersionCommand: Command {
  static let spec = CommandSpec(
    name: "version", summary: "say which release this is", examples: [.init("runbook version", "print the version")],
    group: .around)

  init(_ arguments: ParsedArguments) throws(UsageError) {}

  func run(in shell: Shell) async -> ExitCode {
    if shell.wantsJSON {
      shell.output.result(json: ["v": 1, "version": .string(CommandTable.version)])
    } else {
      shell.output.result("runbook \(CommandTable.version)\n")
    }
    return .succeeded
  }
}
