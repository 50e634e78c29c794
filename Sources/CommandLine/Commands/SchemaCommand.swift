import Runbook

/// `runbook schema`: the JSON Schema of a runbook.
struct SchemaCommand: Command {
  static let spec = CommandSpec(
    name: "schema", summary: "print the JSON Schema of a runbook, for editors",
    examples: [.init("runbook schema > runbook.schema.json", "give an editor completion and checks for runbooks")],
    group: .write)

  init(_ arguments: ParsedArguments) throws(UsageError) {}

  func run(in shell: Shell) async -> ExitCode {
    shell.output.result(json: RunbookSchema.json(for: Composition.validation()))
    return .succeeded
  }
}
