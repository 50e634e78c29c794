package import Runbook

/// Decides once, in `capture`, what to delete: a repeat after a crash deletes the rest of the same list, and tells all
/// of it. What an open undo step of the run needs is left out before anything is counted.
package struct ItemPrune<Account: Cloud>: CloudAction {
  package let cloud: Account
  let kind: ItemKind
  package let declaration: ActionDeclaration

  package init(cloud: Account, kind: ItemKind, declaration: ActionDeclaration) {
    self.cloud = cloud
    self.kind = kind
    self.declaration = declaration
  }

  package func capture(_ call: ActionCall) async throws(StepFailure) -> [String: Value] {
    let keep = try call.with.int("keep")
    let age = try call.with.duration("older_than")
    guard keep != nil || age != nil else { throw StepFailure.unfit("give `keep`, `older_than` or both") }
    guard keep ?? 0 >= 0 else { throw StepFailure.unfit("`keep` must be 0 or more") }
    let prefix = try call.with.optionalText("prefix") ?? ""
    // Where nothing else tells whose they are, an expression that comes out empty must not choose them all.
    guard !prefix.isEmpty || declaration.fields.first(where: { $0.name == "prefix" })?.required != true else {
      throw StepFailure.unfit("`prefix` is empty: \(cloud.service) does not tell whose \(kind.rawValue)s they are")
    }
    let candidates = try await cloud.items(kind, server: try call.with.text("server"))
      .filter { $0.state == .ready && $0.isManual && !$0.isProtected && $0.name.hasPrefix(prefix) }
    let now = call.clock.now
    func doomed(_ items: [CloudItem]) -> [CloudItem] {
      Prune.doomed(items, keep: keep ?? 0) { item in
        age.map { now - (item.createdAt + item.createdAtError) >= $0 } ?? true
      }
    }
    let saved = doomed(candidates).filter { call.neededIDs.contains($0.id) }
    for item in saved {
      call.report("keeps \(kind.rawValue) \(item.name.excerpt(64)) (id \(item.id)): an undo step of this run needs it")
    }
    return [
      "doomed": .list(doomed(candidates.filter { !call.neededIDs.contains($0.id) }).map { .string($0.id) }),
      "kept": .list(saved.map { .string($0.id) }),
    ]
  }

  package func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    let server = try call.with.text("server")
    var hasDeleted = false
    for id in doomed(call) {
      do {
        let wasThere = try await cloud.delete(
          kind, id, server: server, key: "\(call.key)-\(id)", until: call.deadline)
        hasDeleted = wasThere || hasDeleted
      } catch {
        var failure = error
        if hasDeleted, failure.effect == .none { failure.effect = .applied }
        throw failure
      }
    }
    return result(call)
  }

  package func probe(_ call: ActionCall) async throws(StepFailure) -> ProbeAnswer {
    try await isDone(call, orOnItsWay: true) ? .applied(result(call)) : .notApplied
  }

  package func observe(_ call: ActionCall, after result: ActionResult) async throws(StepFailure) -> Observation {
    Observation(try await isDone(call) ? .done : .pending, result: result)
  }

  package func isSettled(_ call: ActionCall) async throws(StepFailure) -> Bool { try await cloud.isAtRest(call) }
  package func liveCheck(_ call: ActionCall) async throws(StepFailure) -> [String] {
    try await cloud.problems(call, acting: false)
  }

  private func doomed(_ call: ActionCall) -> [String] { call.before["doomed"]?.list?.compactMap { $0.string } ?? [] }

  private func result(_ call: ActionCall) -> ActionResult {
    ActionResult(outputs: [
      "deleted": .list(doomed(call).map { .string($0) }), "kept": call.before["kept"] ?? .list([]),
    ])
  }

  /// - Parameter orOnItsWay: what is being deleted need not be asked for again.
  private func isDone(_ call: ActionCall, orOnItsWay: Bool = false) async throws(StepFailure) -> Bool {
    let doomed = doomed(call)
    if doomed.isEmpty { return true }
    return try await cloud.items(kind, server: try call.with.text("server"))
      .allSatisfy { !doomed.contains($0.id) || $0.state == .absent || orOnItsWay && $0.state == .deleting }
  }
}

/// Which items a prune deletes.
enum Prune {
  /// All but the `keep` newest and those equally new as the last of them, as far as they are old enough. Newest first.
  static func doomed(_ items: [CloudItem], keep: Int64, isOldEnough: (CloudItem) -> Bool) -> [CloudItem] {
    let sorted = items.sorted(by: CloudItem.newestFirst)
    let kept = Int(clamping: keep)
    guard kept < sorted.count else { return [] }
    let oldestKept = kept > 0 ? sorted[kept - 1].createdAt : nil
    return sorted.dropFirst(kept).filter { item in oldestKept.map { item.createdAt < $0 } ?? true }.filter(isOldEnough)
  }
}
