public import Runbook

/// `wait_for: NAME`: asks a reading action again and again until it succeeds, or `wait.until` holds.
public struct WaitForStep: StepKind {
  public static let keyword = "wait_for"
  public static let summary = "repeats an action that only reads until it holds"
  public static let example = "- {id: up, wait_for: net.tcp, with: {host: db-1.example.com, port: 5432}, timeout: 5m}"
  public static let shape = StepShape.namedAction(mode: .waitFor)
  public static let actions: [any Action] = []
}
