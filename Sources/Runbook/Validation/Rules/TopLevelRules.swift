/// The top-level keys that are no steps: labels, vars, locks, rollback_policy, outputs.
extension Validation {
  func labels(_ node: Node?) -> [String: String] {
    guard let node, let entries = map(node, "`labels`") else { return [:] }
    var labels: [String: String] = [:]
    for entry in entries { labels[entry.key] = read.text(entry.value, "labels.\(entry.key)") }
    return labels
  }

  /// Each may read those before it.
  func variables(_ node: Node?) -> [(name: String, value: Template)] {
    environment.roots["vars"] = .object([:])
    guard let node, let entries = map(node, "`vars`") else { return [] }
    var variables: [(name: String, value: Template)] = []
    for entry in entries {
      guard Names.check(entry.key, at: entry.keyRange, "the variable", sink) else { continue }
      let template = anyTemplate(entry.value, keepsText: true)
      if let template, template.isTainted { refuseSecret(entry.value, "vars.\(entry.key)") }
      declare(entry.key, template?.type ?? .any, in: "vars")
      if let template { variables.append((entry.key, template)) }
    }
    return variables
  }

  /// Adds a member to a root's object in place: taken out first, so that no copy of the others is made.
  private func declare(_ name: String, _ type: ValueType, in root: String) {
    guard case .object(var members)? = environment.roots.removeValue(forKey: root) else { return }
    members[name] = type
    environment.roots[root] = .object(members)
  }

  /// May read `inputs` and `vars` only: they are taken before the first step.
  func locks(_ node: Node?) -> [Template] {
    guard let node, !node.isUnreadable else { return [] }
    guard let items = node.items else {
      sink.error(
        .type, at: node.range, "`locks` must be a list of names, not \(node.kindInWords)",
        hint: "begin each with `- `")
      return []
    }
    return inEnvironment(TypeEnvironment(roots: environment.roots.filter { $0.key == "inputs" || $0.key == "vars" })) {
      items.compactMap { template($0, "locks", lockName) }
    }
  }

  func maxParallel(_ node: Node?) -> Int {
    guard let node, var fields = FieldReader(node, "`limits`", sink) else { return 50 }
    let parallel = fields.take("parallel").flatMap { read.int($0, "limits.parallel", in: Limits.parallel) }
    fields.finish(known: ["parallel"])
    return parallel.map { Int($0) } ?? 50
  }

  func rollbackPolicy(_ node: Node?) -> RollbackPolicy {
    var policy = RollbackPolicy.standard
    guard let node, var fields = FieldReader(node, "`rollback_policy`", sink) else { return policy }
    if let after = fields.take("after") { policy.after = triggers(after) ?? policy.after }
    if let timeout = fields.take("timeout") {
      policy.timeout = read.duration(timeout, "rollback_policy.timeout", in: Limits.timeout) ?? policy.timeout
    }
    if let destroy = fields.take("destroy") {
      let answer = read.choice(destroy, "rollback_policy.destroy", ["proceed", "ask"])
      if answer == "ask" { sink.report(LaterFeatures.unsupported("rollback_policy.destroy: ask", at: destroy.range)) }
    }
    fields.finish(known: ["after", "timeout", "destroy"])
    return policy
  }

  private func triggers(_ node: Node) -> Set<RollbackPolicy.Trigger>? {
    guard let items = node.items else {
      return read.wrongType(node, "rollback_policy.after", "a list such as `[failure, cancel]`")
    }
    return Set(items.compactMap { read.choice($0, "rollback_policy.after") })
  }

  /// What the run answers with.
  func runOutputs(_ node: Node?) -> [(name: String, value: Expression)] {
    guard let node else { return [] }
    return outputs(node, "outputs").map { ($0.name, $0.value) }
  }

  /// `outputs` of a run or a step: names to bare expressions.
  func outputs(_ node: Node, _ what: String) -> [(name: String, value: Expression)] {
    guard let entries = map(node, "`outputs`") else { return [] }
    return entries.compactMap { entry in
      guard Names.check(entry.key, at: entry.keyRange, "the output", sink) else { return nil }
      return expression(entry.value, "outputs.\(entry.key)").map { (entry.key, $0) }
    }
  }

  /// The entries of a map with keys of the author's own; nil, and told, if it is none.
  func map(_ node: Node, _ what: @autoclosure () -> String) -> [Node.Entry]? {
    if let entries = node.entries { return entries }
    if !node.isUnreadable {
      sink.error(.type, at: node.range, "\(what()) must be a map (`name: value`), not \(node.kindInWords)")
    }
    return nil
  }

  func inEnvironment<Result>(_ other: TypeEnvironment, _ body: () -> Result) -> Result {
    let outer = environment
    environment = other
    defer { environment = outer }
    return body()
  }
}
