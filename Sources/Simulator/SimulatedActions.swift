public import Runbook

/// The built-in actions of a simulated world: nothing leaves the machine. Providers are not among them; they reach
/// their twins through their own clients.
public enum SimulatedActions {
  /// Families that answer success, or what a mock file says, and never do anything.
  public static let sealedFamilies = ["ssh", "run", "http", "net", "notify", "file"]

  /// Whether a simulation leaves the action's work undone, unless `--real` names it.
  public static func isSealed(_ action: String) -> Bool {
    sealedFamilies.contains { action == $0 || action.hasPrefix($0 + ".") }
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
    let name = action.declaration.name
    return MockedAction(real: action, isSealed: isSealed(name) && !real.contains(name), table: table)
  }
}
