public import Runbook

/// The built-in actions of a simulated world: nothing leaves the machine. Providers are not among them; they reach
/// their twins through their own clients.
public enum SimulatedActions {
  /// Whether a simulation leaves the action's work undone, unless `--real` names it: every one that does not say that
  /// it touches nothing outside.
  public static func isSealed(_ action: ActionDeclaration) -> Bool {
    if PlantedMistake.sealedByAList.isMade { return ["run", "ssh.run", "webhook"].contains(action.name) }
    return !action.touchesNothingOutside
  }

  /// - Parameters:
  ///   - actions: the real ones (`standardActions`).
  ///   - real: names that stay real (`--real`).
  ///   - mocks: what is answered instead of success.
  public static func make(
    from actions: [any Action], real: Set<String> = [], mocks: MockFile? = nil
  ) -> [any Action] {
    let table = MockTable(mocks)
    return actions.map { wrap($0, real, table) }
  }

  private static func wrap(_ action: some Action, _ real: Set<String>, _ table: MockTable) -> any Action {
    let declaration = action.declaration
    let isSealed = isSealed(declaration) && !real.contains(declaration.name)
    return MockedAction(real: action, isSealed: isSealed, table: table)
  }
}
