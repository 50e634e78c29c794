// What an author's expressions see, and what a person is told of them.
extension Interpreter {
  func scope(for path: StepPath?, attempt: [String: Value] = [:]) -> RunScope {
    RunScope(
      machine: machine, runID: runID, inputs: machine.started?.inputs ?? [:], vars: vars, secrets: launch.secrets,
      without: launch.without, selfPath: path?.owner, attempt: attempt,
      now: launch.world.clock.now, masker: masker.isEmpty ? nil : masker)
  }

  /// Evaluates with the true values. A failure tells masked ones (`messageMasker`), and its own text is masked too.
  ///
  /// - Parameter keepsStored: see `Expression.evaluate`.
  func evaluate(
    _ expression: Expression, in scope: RunScope, keepsStored: Bool = false
  ) throws(ExpressionFailure) -> Value {
    do throws(ExpressionFailure) { return try expression.evaluate(in: scope, keepsStored: keepsStored) } catch {
      throw ExpressionFailure(masker.mask(error.message), isNotYet: error.isNotYet)
    }
  }

  func evaluateOutputs() {
    var outputs: [String: Value] = [:]
    let scope = scope(for: nil)
    for (name, expression) in launch.runbook.outputs {
      do throws(ExpressionFailure) {
        outputs[name] = try evaluate(expression, in: scope, keepsStored: true)
      } catch {
        record(.outputs(outputs, StepFailure(.expression, "output `\(name)`: \(error.message)")))
        return
      }
    }
    record(.outputs(outputs, nil))
  }
}
