import Runbook

/// `runbook run FILE`.
struct RunCommand: Command {
  static let spec = CommandSpec(
    name: "run", summary: "carry a runbook out, and undo it when a step fails",
    details: """
      Checks the file, the inputs and the secrets, then what can be asked of the providers, and only then begins. Ctrl-C \
      cancels and undoes; a second Ctrl-C leaves the run as it is, to be resumed.

      With --simulate everything is a simulation on this machine: no secret is needed, nothing leaves it, nothing is kept.
      """,
    operands: [OperandSpec("FILE", .file, .one, "the runbook, a YAML file")],
    options: [
      RunOptions.input, RunOptions.inputs,
      .flag("simulate", "run against simulated providers; seal off the world"),
      .value("real", "ACTION", .text, repeatable: true, "with --simulate: this action is not simulated"),
      .value("mock", "FILE", .file, "with --simulate: what scripts and requests answer"),
      .value("key", "KEY", .text, "one run for all who give the same key: a repeated CI job attaches to it"),
      .value("lock-wait", "DURATION", .duration, "wait this long for a lock instead of refusing"),
      .flag("detach", "print the run id and go on in the background (exit 6)"),
      .flag("yes", "do not ask before --real actions"),
      .flag("strict", "count warnings of the file as mistakes"),
    ],
    examples: [
      .init("runbook run --simulate deploy.yaml --input server=12345", "watch it against a simulated cloud"),
      .init("runbook run deploy.yaml --input server=12345 --input host=db-1.example", "do it"),
      .init("runbook run deploy.yaml --inputs production.json --key deploy-4711 --format json", "deploy once, however often CI retries the job"),
    ],
    group: .run)

  init(_ arguments: ParsedArguments) throws(UsageError) {}
  func run(in shell: Shell) async -> ExitCode { .usage }
}

/// Options that several commands share.
enum RunOptions {
  static let input: OptionSpec = .value("input", "NAME=VALUE", .text, repeatable: true, "an input, typed by its declaration; lists and maps as JSON")
  static let inputs: OptionSpec = .value("inputs", "FILE", .file, "inputs from a JSON object; --input goes before it")
}
