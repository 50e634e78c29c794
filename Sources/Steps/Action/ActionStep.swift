public import Runbook

/// `action: NAME`: makes one call of a declared action, a provider's or a built-in one.
public struct ActionStep: StepKind {
  public static let keyword = "action"
  public static let summary = "calls an action once, and waits until its change is complete"
  public static let example = "- {id: stop, action: server.stop, with: {server: \"48213\"}, rollback: none}"
  public static let shape = StepShape.namedAction(mode: .call)
  public static let actions: [any Action] = []
}
