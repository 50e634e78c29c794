// A plan whose steps hold others, as a tree.
extension PlanText {
  static func treeLines(_ tree: [Plan.Node], _ isVerbose: Bool, _ usual: UsualTimes?) -> [String] {
    guard !tree.isEmpty else { return [] }
    return ["", "steps:"]
      + tree.enumerated().flatMap { index, node in lines(node, mark: "\(index + 1).", indent: "  ", isVerbose, usual) }
  }

  private static func lines(
    _ node: Plan.Node, mark: String, indent: String, _ isVerbose: Bool, _ usual: UsualTimes?
  ) -> [String] {
    switch node {
    case .step(let step):
      lines(step, mark: mark, indent: indent, isVerbose) + took(step, indent + "     ", usual)
    case .holder(let holder): lines(holder, mark: mark, indent: indent, isVerbose, usual)
    }
  }

  private static func took(_ step: Plan.Step, _ inner: String, _ usual: UsualTimes?) -> [String] {
    guard step.waitsFor != nil || step.hasSetLength, let took = usual?.steps[step.path] else { return [] }
    return ["\(inner)took \(took.elapsedText) in earlier runs"]
  }

  private static func lines(
    _ holder: Plan.Holder, mark: String, indent: String, _ isVerbose: Bool, _ usual: UsualTimes?
  ) -> [String] {
    let inner = indent + "     "
    let head = "\(indent)\(mark) \(holder.title)  \(words(holder))"
    let condition = holder.condition ?? ""
    if holder.decision == .skipped {
      return ["\(head)  (skipped)"] + (holder.condition.map { ["\(inner)skipped: `\($0)` is false"] } ?? [])
    }
    var lines = [head]
    switch holder.decision {
    case .depends(let names) where holder.condition != nil:
      lines.append("\(inner)only if `\(condition)` (depends on \(names.joined(separator: ", ")))")
    case .runs where holder.condition != nil: lines.append("\(inner)runs: `\(condition)` is true")
    case .depends, .runs, .skipped: break
    }
    if let timeout = holder.timeout { lines.append("\(inner)at most \(timeout.text) in all") }
    if let call = holder.call {
      for (name, value) in call.inputs.sorted(by: { $0.key < $1.key }) { lines += whole(name, value, inner) }
      if !call.providers.isEmpty {
        let names = call.providers.map { "\($0.name) (\($0.type))" }.joined(separator: ", ")
        lines.append("\(inner)its steps use the providers of that file: \(names)")
      }
      if !call.undo.isEmpty {
        lines.append("\(inner)once it has succeeded, its own `rollback` undoes all of it, and not those of its steps")
      }
    }
    if let loop = holder.loop { lines += self.lines(loop, inner) }
    func list(_ title: String?, _ nodes: [Plan.Node]) {
      guard !nodes.isEmpty else { return }
      if let title { lines.append("\(inner)\(title):") }
      for node in nodes { lines += self.lines(node, mark: "-", indent: inner, isVerbose, usual) }
    }
    list(holder.loop == nil ? nil : "for each item", holder.body)
    list("if one of these fails", holder.rescue)
    list("between two batches", holder.gate)
    return lines
  }

  /// `block`, `parallel  (2 branches at the same time)`, `for_each  (8 items)`, `call lib/snapshot.yaml`.
  private static func words(_ holder: Plan.Holder) -> String {
    switch holder.kind {
    case "parallel": return "parallel  (\(count(holder.steps.count, "branch", "branches")) at the same time)"
    case "for_each":
      let number = holder.loop?.count.map { count($0, "item", "items") } ?? "number of items known after apply"
      return "for_each  (\(number))"
    case "call": return "call \(holder.call?.file ?? "")"
    default: return holder.kind
    }
  }

  private static func lines(_ loop: Plan.Loop, _ inner: String) -> [String] {
    var lines = ["\(inner)over `\(loop.items)`, at most \(loop.maxParallel) at once"]
    if !loop.batches.isEmpty {
      lines.append("\(inner)in batches of \(loop.batches.joined(separator: ", then ")), the last size repeated")
    }
    let bears =
      loop.maxFailures == "0"
      ? "then the loop fails, and nothing further is begun"
      : "once more than \(loop.maxFailures) have failed, the loop fails, and nothing further is begun"
    lines.append("\(inner)each iteration is undone by itself when it fails; \(bears)")
    return lines
  }

  // MARK: For programs

  static func json(_ node: Plan.Node) -> Value {
    switch node {
    case .step(let step): json(step)
    case .holder(let holder): json(holder)
    }
  }

  static func json(_ decision: Plan.Decision) -> [String: Value] {
    switch decision {
    case .runs: ["decision": "runs"]
    case .skipped: ["decision": "skipped"]
    case .depends(let names): ["decision": "depends", "depends_on": .list(names.map { .string($0) })]
    }
  }

  private static func json(_ holder: Plan.Holder) -> Value {
    var object: [String: Value] = [
      "step": .string(holder.path), "title": .string(holder.title), "kind": .string(holder.kind),
      "steps": .list(holder.steps.map { json($0) }),
    ]
    object.merge(json(holder.decision)) { own, _ in own }
    object["if"] = holder.condition.map { .string($0) }
    object["timeout"] = holder.timeout.map { .duration($0) }
    if !holder.rescue.isEmpty { object["rescue"] = .list(holder.rescue.map { json($0) }) }
    if let loop = holder.loop {
      object["for_each"] = .string(loop.items)
      object["items"] = loop.count.map { .int(Int64($0)) } ?? .string(plain(.unknown))
      object["batches"] = .list(loop.batches.map { .string($0) })
      object["max_parallel"] = .string(loop.maxParallel)
      object["max_failures"] = .string(loop.maxFailures)
      if !holder.gate.isEmpty { object["gate"] = .list(holder.gate.map { json($0) }) }
    }
    if let call = holder.call {
      object["file"] = .string(call.file)
      object["with"] = .map(call.inputs)
      object["providers"] = .list(call.providers.map { ["name": .string($0.name), "type": .string($0.type)] })
      if !call.undo.isEmpty { object["rollback"] = .list(call.undo.map { json($0) }) }
    }
    return .map(object)
  }
}

extension Plan.Holder {
  /// What is done in it. The block of a loop needs no line of its own.
  fileprivate var body: [Plan.Node] {
    guard loop != nil, steps.count == 1, case .holder(let block)? = steps.first, block.kind == "block",
      block.rescue.isEmpty, block.condition == nil, block.timeout == nil
    else { return steps }
    return block.steps
  }
}
