/// `for_each`: the step beside it is carried out once for each item.
extension Validation {
  /// What stands under `for_each`.
  struct LoopClause {
    /// nil: it is wrong, and has been told so.
    var items: Expression?
    var name = "item"
    var batches: [LoopStep.Share] = []
    var maxParallel = LoopStep.Share.count(1)
    var maxFailures = LoopStep.Share.count(0)
    var gate: Node?

    /// Of each item.
    var itemType: ValueType {
      switch items?.type {
      case .list(let item): item.unwrapped
      case .map, .object: .string
      default: .any
      }
    }
  }

  func loop(_ entry: Node.Entry, _ place: StepNode) -> Step? {
    if place.section.isUndo { return undoLoop(entry, place) }
    guard mayHold(entry, in: place.section) else { return nil }
    let clause = loopClause(entry)
    var inner = place
    inner.entries.removeAll { $0.key == "for_each" }
    let id = place.entries.first { $0.key == "id" }?.value.scalar?.text
    if let id { checkLoopID(id, at: place.entries) }
    let gateIDs = Validation.ids(in: clause.gate?.items ?? [])
    hide(gateIDs, because: "it is in the `gate` of a `for_each`, which is passed once for each batch")
    let read = iteration(inner, of: clause, at: entry)
    // Within one iteration its steps were readable; from here on there are many of each.
    let name = id.map { "read `steps.\($0).items`" } ?? "give it an `id`, and read `steps.ID.items`"
    let own = Validation.ids(in: [Node(.mapping(inner.entries), at: place.node.place)]).filter { $0.id != id }
    hide(own, because: "it is inside `for_each`: \(name)")
    let path = place.section.path(place.index, id.flatMap { Names.isWellFormed($0) ? $0 : nil })
    if let id { environment.loops[id] = loopType(of: read, clause) }
    let gate = self.gate(clause.gate, of: path, id, at: place.node.range)
    hide(gateIDs, because: "it is in the `gate` of a `for_each`, which is passed once for each batch")
    guard var step = read, let items = clause.items else { return nil }
    let part = CompositePart(
      path: step.path, id: step.id, title: step.title, range: step.range,
      continuesOnError: step.takeContinuesOnError())
    register(part, [:])
    return .loop(
      LoopStep(
        part, items: items, name: clause.name, batches: clause.batches, maxParallel: clause.maxParallel,
        maxFailures: clause.maxFailures, gate: Body(gate), step: step))
  }

  /// An undo step is done for its items one after the other, and the first that fails stops the rollback.
  private func undoLoop(_ entry: Node.Entry, _ place: StepNode) -> Step? {
    for key in entry.value.entries ?? [] where !["in", "as"].contains(key.key) {
      guard Validation.clauseKeys.contains(key.key) else { continue }
      sink.error(
        .context, at: key.keyRange, "`\(key.key)` cannot stand in the `for_each` of an undo step",
        hint: "its items are undone one after the other: take the line out")
    }
    let clause = loopClause(entry)
    var inner = place
    inner.entries.removeAll { $0.key == "for_each" }
    guard case .action(var step)? = iteration(inner, of: clause, at: entry), let items = clause.items else {
      return nil
    }
    step.each = EachItem(items: items, name: clause.name)
    return .action(step)
  }

  /// The step itself, which sees the item and its position.
  private func iteration(_ step: StepNode, of clause: LoopClause, at entry: Node.Entry) -> Step? {
    let (roots, outer) = (environment.roots, around)
    defer { (environment.roots, around) = (roots, outer) }
    environment.roots[clause.name] = clause.itemType
    environment.roots["index"] = .int
    around.items.append((clause.name, entry.keyRange.start.line))
    // What a commit closes in an iteration is the iteration's alone.
    around.parallelLine = nil
    return plainStep(step)
  }

  /// Its steps see what the items have come to so far.
  private func gate(_ node: Node?, of loop: StepPath, _ id: String?, at place: SourceRange) -> [Step] {
    guard let node else { return [] }
    for (id, place) in Validation.ids(in: node.items ?? []) { environment.steps[id] = .later(line: place.start.line) }
    if let id {
      environment.steps[id] = .mayNotHaveRun(outputs: [:], because: "it has not come to its end")
      environment.loops[id]?.isUnderWay = true
      defer { environment.loops[id]?.isUnderWay = false }
      return steps(node, in: .inside(loop.child("gate"), .gate))
    }
    return steps(node, in: .inside(loop.child("gate"), .gate))
  }

  private func loopType(of step: Step?, _ clause: LoopClause) -> TypeEnvironment.LoopReference {
    let outputs: ValueType =
      switch step {
      case .action(let step)?: .object(Validation.outputTypes(of: step))
      case .call(let step)?: .object(step.runbook.outputTypes)
      case .block?, .parallel?, .loop?:
        .object(Dictionary(step?.part?.outputs.map { ($0.name, $0.value.type) } ?? []) { first, _ in first })
      case nil: .any
      }
    return TypeEnvironment.LoopReference(item: clause.itemType, outputs: outputs)
  }

  /// An iteration has the path of its loop and a number: words that are written so for other steps cannot be its id.
  private func checkLoopID(_ id: String, at entries: [Node.Entry]) {
    let taken = [
      "steps", "on_failure", "on_rollback_failure", "on_waiting", "always", "undo", "block", "rescue", "parallel",
      "step",
    ]
    guard taken.contains(id), let entry = entries.first(where: { $0.key == "id" }) else { return }
    sink.error(
      .nameReserved, at: entry.value.range,
      "the id `\(id)` of a `for_each` is a word of the language: `\(id)[0]` is the name of another step",
      hint: "write `\(id)_` or another name")
  }

  // MARK: The clause

  private static let clauseKeys = ["in", "as", "batches", "max_parallel", "max_failures", "gate"]

  private func loopClause(_ entry: Node.Entry) -> LoopClause {
    var clause = LoopClause()
    guard entry.value.entries != nil else {
      clause.items = loopItems(entry.value, "for_each")
      checkItemName(clause.name, at: entry.keyRange, isWritten: false)
      return clause
    }
    guard var fields = FieldReader(entry.value, "`for_each`", sink) else { return clause }
    if let node = fields.require(
      "in", at: entry.keyRange, hint: "an expression that gives a list, such as `inputs.names`")
    {
      clause.items = loopItems(node, "for_each.in")
    }
    let name = fields.takeEntry("as")
    if let name, let text = read.text(name.value, "for_each.as") { clause.name = text }
    checkItemName(clause.name, at: name?.value.range ?? entry.keyRange, isWritten: name != nil)
    let batches = fields.takeEntry("batches")
    if let batches { clause.batches = self.batches(batches.value) }
    if let node = fields.take("max_parallel"),
      let share = share(node, "max_parallel", counts: 1...10_000, percents: 1...100)
    {
      clause.maxParallel = share
    }
    if let node = fields.take("max_failures"),
      let share = share(node, "max_failures", counts: 0...1_000_000, percents: 0...100)
    {
      clause.maxFailures = share
    }
    if let gate = fields.takeEntry("gate") {
      clause.gate = gate.value
      if batches == nil {
        sink.error(
          .keyMissing, at: gate.keyRange, "`gate` needs `batches`: it is passed between two of them",
          hint: "add `batches: [1, \"25%\"]`, or take it out")
      }
    }
    fields.finish(known: Validation.clauseKeys)
    return clause
  }

  private func checkItemName(_ name: String, at place: SourceRange, isWritten: Bool) {
    if isWritten, !Names.check(name, at: place, "the item's name", sink) { return }
    if let outer = around.items.first(where: { $0.name == name }) {
      sink.error(
        .nameReserved, at: place, "`\(name)` is already the item of the `for_each` on line \(outer.line)",
        hint: isWritten ? "choose another name" : "write `for_each: {in: LIST, as: NAME}`")
    } else if Validation.rootNames.contains(name[...]) || ExpressionParser.typeNames.contains(name) {
      sink.error(
        .nameReserved, at: place, "the item's name `\(name)` is a word of expressions",
        hint: "write `\(name)_` or another name")
    }
  }

  /// What expressions can name somewhere in a file.
  private static let rootNames = Set(
    "inputs vars secrets steps run self result error failure rollback waiting index".split(separator: " "))

  // MARK: Items

  private func loopItems(_ node: Node, _ name: String) -> Expression? {
    guard let items = node.items else { return checkedItems(expression(node, name), node, name) }
    let mistakes = sink.items.count
    guard let template = anyTemplate(node, keepsText: true), sink.items.count == mistakes else { return nil }
    if template.isTainted {
      refuseSecret(node, name)
      return nil
    }
    if items.isEmpty {
      sink.error(.empty, at: node.range, "`\(name)` is empty: there is nothing to do", hint: "write its items")
      return nil
    }
    if let value = template.constant { return .literal(value, at: node.range) }
    switch Expression.parse(template.expressionText, at: node.range, in: environment) {
    case .success(let expression): return expression
    case .failure(let mistakes):
      sink.report(mistakes)
      return nil
    }
  }

  private func checkedItems(_ expression: Expression?, _ node: Node, _ name: String) -> Expression? {
    // A secret has been told of.
    guard let expression, !expression.isTainted else { return nil }
    switch expression.type {
    case .any, .list: return expression
    case .map, .object:
      warn(
        .warnItems, at: node.range,
        "`\(name)` is a map: its keys are taken in alphabetical order, not in that of the file",
        hint: "give it a list if the order matters")
      return expression
    default:
      return read.refuse(
        .type, node, "`\(name)` must be a list, and the expression gives \(expression.type.phrase)",
        hint: expression.type == .optional(.any) || expression.type.unwrapped != expression.type
          ? "give it a value: `.orValue([])`" : "for example `inputs.names`, or `[a, b]`")
    }
  }

  // MARK: Shares

  private func batches(_ node: Node) -> [LoopStep.Share] {
    guard let items = node.items else {
      return share(node, "batches", counts: 1...1_000_000, percents: 1...100).map { [$0] } ?? []
    }
    if items.isEmpty {
      sink.error(.empty, at: node.range, "`batches` is empty", hint: "write `[1, \"25%\"]`, or take it out")
    }
    return items.compactMap { share($0, "batches", counts: 1...1_000_000, percents: 1...100) }
  }

  /// `3`, `"25%"`, or an expression that gives one of them.
  private func share(
    _ node: Node, _ name: String, counts: ClosedRange<Int64>, percents: ClosedRange<Int64>
  ) -> LoopStep.Share? {
    let wanted = "a whole number, a share such as `\"25%\"`, or an expression"
    guard let scalar = read.scalar(node, name, wanted) else { return nil }
    if scalar.isPlain, case .int = CoreSchema.resolve(scalar.text) {
      return read.int(node, name, in: counts).map { .count(Int($0)) }
    }
    if scalar.text.hasSuffix("%"), let percent = Int64(scalar.text.dropLast()) {
      if percents.contains(percent) { return .percent(Int(percent)) }
      return read.refuse(
        .range, node,
        "`\(name)` is \(scalar.text.excerpt(24)); it must be \(percents.lowerBound)% to \(percents.upperBound)%")
    }
    guard scalar.text.hasExpression || scalar.text.contains(".") && CoreSchema.resolve(scalar.text) == .string else {
      return read.wrongType(node, name, wanted)
    }
    guard let expression = expression(node, name) else { return nil }
    switch expression.type {
    case .any, .int, .string: return .expression(expression)
    default:
      return read.refuse(
        .type, node, "`\(name)` must be \(wanted), and the expression gives \(expression.type.phrase)")
    }
  }
}

extension Step {
  /// Of a step in a loop, it is the loop that the run bears.
  fileprivate mutating func takeContinuesOnError() -> Bool {
    let taken = continuesOnError
    switch self {
    case .action(var step):
      step.continuesOnError = false
      self = .action(step)
    case .block(var step):
      step.part.continuesOnError = false
      self = .block(step)
    case .parallel(var step):
      step.part.continuesOnError = false
      self = .parallel(step)
    case .loop(var step):
      step.part.continuesOnError = false
      self = .loop(step)
    case .call(var step):
      step.part.continuesOnError = false
      self = .call(step)
    }
    return taken
  }
}

extension Expression {
  /// A list that is written out, however long.
  static func literal(_ value: Value, at range: SourceRange) -> Expression {
    let source = JSONWriter.text(value)
    let tree = ExpressionNode(.literal(value), span: 0..<source.utf8.count, height: 1)
    return Expression(source: source, range: range, type: ValueType(of: value), tree: tree, base: 0)
  }
}

extension Template {
  /// It as one expression.
  var expressionText: String {
    switch content {
    case .constant(let value): JSONWriter.text(value)
    case .expression(let expression): "(\(expression.source))"
    case .text(let parts):
      parts.map { part in
        switch part {
        case .literal(let text): JSONWriter.text(.string(text))
        case .expression(let expression): "string(\(expression.source))"
        }
      }.joined(separator: " + ")
    case .list(let items): "[" + items.map(\.expressionText).joined(separator: ", ") + "]"
    case .map(let entries):
      "{"
        + entries.sorted { $0.key < $1.key }.map { key, value in
          "\(JSONWriter.text(.string(key))): \(value.expressionText)"
        }.joined(separator: ", ") + "}"
    }
  }
}
