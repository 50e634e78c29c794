/// `server.delete` deletes only what the same run has created: an id that comes from elsewhere is told beforehand.
extension Validation {
  func deletions(_ runbook: ValidatedRunbook) {
    var creating: Set<String> = []
    for step in runbook.steps.steps { _ = step.createsServer(adding: &creating) }
    let rule = DeletionRule(creating: creating)
    deletions(of: runbook.steps.steps, rule)
    for section in [runbook.onRollbackFailure, runbook.always] { deletions(of: section.steps, rule) }
  }

  /// What is known of servers where a step stands.
  private struct DeletionRule {
    /// Ids of steps that create a server, and of those that hold one.
    var creating: Set<String>
    /// What the lists of the loops around it read, by the names of their items.
    var items: [String: References] = [:]

    /// What an expression reads, an item counted as the list that it is from.
    func sources(of template: Template) -> References {
      var read = template.references
      var open = read.roots
      while let name = open.popFirst() {
        guard let list = items[name] else { continue }
        open.formUnion(list.roots.subtracting(read.roots))
        read.roots.remove(name)
        read.formUnion(list)
      }
      return read
    }
  }

  private func deletions(of steps: [Step], _ rule: DeletionRule) {
    for step in steps {
      switch step {
      case .action(let step):
        deletion(step, rule)
        for undo in step.undoSteps { deletion(undo, rule, ownerCreates: step.action.createsServer) }
      case .block(let block): deletions(of: block.steps.steps + (block.rescue?.steps ?? []), rule)
      case .parallel(let parallel): deletions(of: parallel.branches.steps, rule)
      case .loop(let loop):
        var inside = rule
        inside.items[loop.name] = loop.items.references
        deletions(of: [loop.step], inside)
        deletions(of: loop.gate.steps, rule)
      case .call(let call):
        let creates = call.runbook.steps.leaves.contains { $0.action.createsServer }
        for undo in call.undo { deletion(undo, rule, ownerCreates: creates) }
      }
    }
  }

  private func deletion(_ step: ActionStep, _ rule: DeletionRule, ownerCreates: Bool = false) {
    guard step.action.context.contains(.createdServers), let server = step.with["server"] else { return }
    let read = rule.sources(of: server)
    if !read.steps.isDisjoint(with: rule.creating) { return }
    if read.roots.contains("self"), ownerCreates { return }
    // What a file is given that is called, the caller may have created.
    if !calls.underWay.isEmpty, !read.roots.isDisjoint(with: ["inputs", "vars"]) { return }
    let creators = catalog.all.map { $0.declaration }.filter { $0.createsServer }.map { $0.name }
    let names = Set(creators).sorted().map { "`\($0)`" }.joined(separator: ", ")
    let hint =
      names.isEmpty
      ? "take the step out" : "give it the output `id` of a step that creates a server (\(names))"
    // What an earlier step has found may be the server that another one has created; what is written down cannot.
    if read.steps.isEmpty, !read.roots.contains("self") {
      sink.error(
        .delete, at: actionPlaces[step.path] ?? step.range,
        "`\(step.action.name)` deletes only servers that this run has created, and this is none",
        hint: hint)
    } else {
      warn(
        .warnDelete, at: actionPlaces[step.path] ?? step.range,
        "`\(step.action.name)` deletes only servers that this run has created, and reads no step that creates one",
        hint: hint)
    }
  }
}

extension Step {
  /// Adds its id and those of the steps in it, as far as they create a server or hold a step that does.
  fileprivate func createsServer(adding ids: inout Set<String>) -> Bool {
    var creates = false
    switch self {
    case .action(let step): creates = step.action.createsServer
    case .call(let step): creates = step.runbook.steps.leaves.contains { $0.action.createsServer }
    case .block, .parallel, .loop:
      for step in below where step.createsServer(adding: &ids) { creates = true }
    }
    if creates, let id { ids.insert(id) }
    return creates
  }
}
