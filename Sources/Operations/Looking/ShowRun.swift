public import Runbook

/// Everything that can be told of one run.
public struct ShowRun: Sendable {
  private let context: OperationContext
  public init(_ context: OperationContext) { self.context = context }

  public struct Shown: Sendable {
    public var report: RunReport
    /// As the run's row has it: the journal may be behind.
    public var status: String
    /// Of the process that works on it; nil: none does, or the run has ended.
    public var owner: Lease?
  }

  /// - Throws: `store`.
  public func show(_ run: RunSummary) async throws(OperationRefusal) -> Shown {
    var report = try await report(of: run.id)
    report.isRestored = report.isRestored || run.isRestored
    let ownership = try await context.asked { () throws(StoreFailure) in
      try await context.store.ownership(of: run.id)
    }
    let owner = run.status == "ended" ? nil : ownership.living
    if run.status != "ended", owner == nil { report.posted = await context.posted(to: run.id) }
    return Shown(report: report, status: run.status, owner: owner)
  }

  /// With the runbook as it was pinned, so that undo steps that were never begun are in it too.
  /// - Throws: `store`.
  public func report(of run: String) async throws(OperationRefusal) -> RunReport {
    let plan = await context.runbook(of: run).map { UndoPlan($0) } ?? UndoPlan()
    return RunReport(id: run, plan: plan, actions: context.actions, events: try await context.events(of: run))
  }
}
