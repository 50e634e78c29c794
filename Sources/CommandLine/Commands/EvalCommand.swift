import Runbook

/// `runbook eval 'EXPR'`: tries an expression.
struct EvalCommand: Command {
  static let spec = CommandSpec(
    name: "eval", summary: "try an expression",
    details: """
      The keys of the context file are the names the expression may read. JSON `1` is an int, `1.0` a double. The \
      result is printed as JSON; every error ends with 1.
      """,
    operands: [OperandSpec("EXPR", .text, .one, "the expression, in quotes")],
    options: [.value("context", "FILE.json", .file, "a JSON object: the values that the expression may read")],
    examples: [
      .init("runbook eval '\"pre-\" + \"x\".upperAscii()'", "print \"pre-X\""),
      .init(
        "runbook eval 'steps.list.outputs.snapshots.filter(s, s.size_mb > 100)' --context run.json",
        "try a filter on recorded outputs"),
      .init("runbook eval -- '-2 * 3'", "evaluate an expression that begins with a dash"),
    ],
    group: .write)

  private let source: String
  private let context: String?

  init(_ arguments: ParsedArguments) throws(UsageError) {
    source = try arguments.required("EXPR")
    context = arguments.value("context")
  }

  func run(in shell: Shell) async -> ExitCode {
    do throws(Refusal) {
      let roots = try context.map { file throws(Refusal) in try GivenInputs.map(in: file) } ?? [:]
      let value = try evaluate(roots)
      if shell.wantsJSON {
        shell.output.result(json: ["v": 1, "value": value])
      } else {
        shell.output.result(json: value)
      }
      return .succeeded
    } catch {
      return shell.refuse(error)
    }
  }

  private func evaluate(_ roots: [String: Value]) throws(Refusal) -> Value {
    let environment = TypeEnvironment(roots: roots.mapValues { _ in .any })
    let end = SourceRange.Place(line: 1, column: source.unicodeScalars.count + 1)
    let range = SourceRange(SourceRange.Place(line: 1, column: 1), end)
    switch Expression.parse(source, at: range, in: environment) {
    case .failure(let diagnostics):
      let first = diagnostics.items.first
      let place = first.map { " at character \($0.range.start.column)" } ?? ""
      throw Refusal(
        .failed, stated: first?.code ?? RefusalCode.expression.rawValue,
        (first?.message ?? "this is no expression") + place, hint: first?.hint)
    case .success(let expression):
      do throws(ExpressionFailure) {
        return try expression.evaluate(in: DictionaryScope(roots, now: SystemClock().now))
      } catch {
        throw Refusal(.failed, .expression, DisplayText.escaped(error.message, limit: 2000))
      }
    }
  }
}
