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

  init(_ arguments: ParsedArguments) throws(UsageError) {}
  func run(in shell: Shell) async -> ExitCode { .usage }
}
