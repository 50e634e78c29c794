import Runbook

/// `runbook simulate PROVIDER`.
struct SimulateCommand: Command {
  static let spec = CommandSpec(
    name: "simulate", summary: "serve a simulated provider on this machine",
    details: "Point a provider's `url` at the printed address. The simulation ends with Ctrl-C.",
    operands: [OperandSpec("PROVIDER", .text, .one, "the provider's type: `vps_org`")],
    options: [
      .value("port", "N", .number, "the port on 127.0.0.1; default: a free one"),
      .value("speed", "N", .number, "how many times faster than real; default 1"),
      .value("seed", "N", .number, "what chance does; the same seed does the same; default 1"),
      .value("fault", "SPEC", .text, repeatable: true, "let something go wrong: `reply_lost:snapshot.create`, `429:2`"),
    ],
    examples: [
      .init("runbook simulate vps_org --port 8080 --speed 60", "serve it, an hour passing in a minute"),
      .init("runbook simulate vps_org --port 8080 --fault 429:2", "try how a runbook stands being told to slow down"),
    ],
    group: .around)

  init(_ arguments: ParsedArguments) throws(UsageError) {}
  func run(in shell: Shell) async -> ExitCode { .usage }
}
