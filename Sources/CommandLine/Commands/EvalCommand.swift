import Runbook

/// `runbook eval 'EXPR'`: tries an expression.
struct EvalCommand: Command {
  static let spec = CommandSpec(
    name: "eval", summary: "try an expression",
    details: """
      The keys of the context file are the names the expression may read. JSON `1` is an int, `1.0` a double. The result is \
      printed as JSON; every error ends with 1.
      """,
    operands: [OperandSpec("EXPR", .text, .one, "the expression, in quotes")],
    options: [.value("context", "FILE.json", .file, "a JSON object: what the expression may read")],
    examples: [
      .init("runbook eval '\"pre-\" + \"x\".upperAscii()'", "print \"pre-X\""),
      .init("runbook eval 'steps.list.outputs.snapshots.filter(s, s.size_mb > 100)' --context run.json", "try a filter on recorded outputs"),
      .init("runbook eval -- '-2 * 3'", "evaluate an expression that begins with a dash"),
    ],
    group: .write)

  init(_ arguments: ParsedArguments) throws(UsageError) {}
  func run(in shell: Shell) async -> ExitCode { .usage }
}
