/// `server.delete` deletes only what the same run has created: an id that comes from elsewhere is told beforehand.
extension Validation {
  func deletions(_ runbook: ValidatedRunbook) {
    let creating = Set(runbook.steps.leaves.filter { $0.action.createsServer }.compactMap { $0.id })
    runbook.value.walk([.steps, .onRollbackFailure, .always]) { step, place in
      deletion(step, creating, owner: place.undoes)
    }
  }

  private func deletion(_ step: ActionStep, _ creating: Set<String>, owner: ActionStep?) {
    guard step.action.context.contains(.createdServers), let server = step.with["server"] else { return }
    let read = server.references
    if !read.steps.isDisjoint(with: creating) { return }
    if read.roots.contains("self"), owner?.action.createsServer == true { return }
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
