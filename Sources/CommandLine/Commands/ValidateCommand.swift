import Runbook

/// `runbook validate FILE...`: every mistake at once, and nothing touched but the files.
struct ValidateCommand: Command {
  static let spec = CommandSpec(
    name: "validate", summary: "find every mistake in a runbook; touch nothing",
    details: """
      Reads the file and those it names, and nothing else: no network, no command, no secret, no store. Mistakes come as \
      `file:line:column: error CODE: text` with the nearest right thing; exit 0 valid, 2 not.
      """,
    operands: [OperandSpec("FILE", .file, .oneOrMore, "the runbook, a YAML file")],
    options: [.flag("strict", "count warnings as mistakes")],
    examples: [
      .init("runbook validate deploy.yaml", "say what is wrong in deploy.yaml, and where"),
      .init("runbook validate --strict runbooks/*.yaml", "check a folder in CI, warnings included"),
      .init("runbook validate --format json deploy.yaml", "print the mistakes for an editor"),
    ],
    group: .write)

  init(_ arguments: ParsedArguments) throws(UsageError) {}
  func run(in shell: Shell) async -> ExitCode { .usage }
}
