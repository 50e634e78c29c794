// What an author's expressions see, and what a person is told of them.
extension Interpreter {
  /// - Parameter path: of the step, or of an undo step, from whose place is read; nil: from the end of the run.
  func scope(for path: StepPath?, attempt: [String: Value] = [:]) -> RunScope {
    let place = path.flatMap { machine.tree.place(at: $0.owner) }
    var scope = RunScope(
      machine: machine, runID: runID, file: file(of: path), secrets: launch.secrets,
      without: launch.without, place: place, selfPath: path?.owner, attempt: attempt,
      now: launch.world.clock.now, masker: masker.isEmpty ? nil : masker)
    if path?.undone != nil { scope.undoPath = path }
    return scope
  }

  /// As the outputs of a step that holds others see the steps in it.
  func scope(inside path: StepPath) -> RunScope {
    guard let place = machine.tree.place(at: path), place.here.node.isCall else { return scope(for: path) }
    let inside = RunbookTree.Place(here: place.here, around: place.around + [place.here])
    return RunScope(
      machine: machine, runID: runID, file: file(calledAt: path), secrets: launch.secrets, without: launch.without,
      place: inside, selfPath: nil, attempt: [:], now: launch.world.clock.now, masker: masker.isEmpty ? nil : masker)
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
