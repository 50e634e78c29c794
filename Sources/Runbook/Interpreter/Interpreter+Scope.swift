// What an author's expressions see, and what a person is told of them.
extension Interpreter {
  func scope(for path: String?, attempt: [String: Value] = [:]) -> RunScope {
    RunScope(
      machine: machine, runID: runID, inputs: machine.started?.inputs ?? [:], vars: vars, secrets: launch.secrets,
      without: launch.without, selfPath: path.map { UndoPath.owner(of: $0) }, attempt: attempt,
      now: launch.world.clock.now)
  }

  /// Evaluates with the true values. A failure tells masked ones: it shortens them, and a secret that is cut in two
  /// would not be found afterwards.
  func evaluate(_ expression: Expression, in scope: RunScope) throws(ExpressionFailure) -> Value {
    do throws(ExpressionFailure) { return try expression.evaluate(in: scope) } catch {
      guard !masker.isEmpty else { throw error }
      do throws(ExpressionFailure) { _ = try expression.evaluate(in: scope.masked(by: masker)) } catch {
        throw ExpressionFailure(masker.mask(error.message))
      }
      throw ExpressionFailure("`\(masker.mask(expression.source))` failed on a value that holds a secret")
    }
  }

  /// Why an expression does not hold, with the values it read as they may be shown.
  func explanation(of expression: Expression, in scope: RunScope) -> String {
    masker.isEmpty ? expression.explanation(in: scope) : expression.explanation(in: scope.masked(by: masker))
  }

  func evaluateOutputs() {
    var outputs: [String: Value] = [:]
    let scope = scope(for: nil)
    for (name, expression) in launch.runbook.outputs {
      do throws(ExpressionFailure) {
        outputs[name] = try evaluate(expression, in: scope)
      } catch {
        record(.outputs(outputs, StepFailure(.expression, "output `\(name)`: \(error.message)")))
        return
      }
    }
    record(.outputs(outputs, nil))
  }
}
