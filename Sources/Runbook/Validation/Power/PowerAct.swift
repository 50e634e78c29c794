/// Which server of a runbook is meant: two steps name the same one when they write the same text. Another text may name
/// the same server, too; that is never certain.
struct ServerName: Hashable {
  /// Type of the provider, so that two blocks of one account are not taken for two clouds.
  var type: String
  var block: String
  /// As written: `12345`, `${{ inputs.server }}`.
  var text: String
  /// The innermost loop in each iteration of which the text names another server; nil: it names one in all the run.
  var loop: StepPath?

  /// Both are written out, and differ.
  func certainlyDiffers(from other: ServerName) -> Bool {
    type != other.type || text != other.text && !text.contains("${{") && !other.text.contains("${{")
  }
}

/// A loop around a step.
struct PowerLoop {
  var path: StepPath
  /// Of its item.
  var name: String
  /// Of the steps in it.
  var ids: Set<String>

  init(_ loop: LoopStep) {
    path = loop.part.path
    name = loop.name
    ids = loop.step.ids
  }

  /// What reads this has another value in each iteration.
  func decides(_ references: References) -> Bool {
    references.roots.contains(name) || references.roots.contains("index") || references.roots.contains("self")
      || !references.steps.isDisjoint(with: ids)
  }
}

extension Step {
  /// The steps that it holds; not those of a file that it calls.
  var below: [Step] {
    switch self {
    case .action, .call: []
    case .block(let step): step.steps.steps + (step.rescue?.steps ?? [])
    case .parallel(let step): step.branches.steps
    case .loop(let step): [step.step] + step.gate.steps
    }
  }

  /// The ids in it, its own included.
  var ids: Set<String> {
    below.reduce(into: Set([id].compactMap { $0 })) { ids, step in ids.formUnion(step.ids) }
  }
}

/// What a step needs of a server's power state and does to it.
struct PowerAct {
  enum Effect: Equatable {
    case nothing
    /// It is brought back to what it was, if that was running or stopped.
    case restored
    /// Certain once the step has succeeded.
    case becomes(PowerState)
    /// It may be anything afterwards.
    case anything
  }

  /// The server it acts on; nil if it acts on none, or nobody can say on which.
  var server: ServerName?
  /// Empty: whatever it is.
  var needs: Set<PowerState> = []
  var effect: Effect = .nothing
  /// It may change servers that it does not name: those of this cloud, or all (a script, a request).
  var reach: Reach = .named
  enum Reach: Equatable { case named, cloud(type: String), everywhere }

  private init() {}
  /// It acts on no server.
  static let nothing = PowerAct()

  /// - Parameters:
  ///   - types: of the provider blocks, by their names.
  ///   - owner: the step that an undo step belongs to, whose `self` it reads.
  ///   - loops: those around the step, outermost first.
  init(_ step: ActionStep, types: [String: String], owner: String? = nil, in loops: [PowerLoop] = []) {
    guard let block = step.provider, let type = types[block] else {
      if step.provider == nil, step.effect != .none, !step.action.changesOnlyThisMachine { reach = .everywhere }
      return
    }
    server = PowerAct.server(of: step, block: block, type: type, owner: owner, in: loops)
    guard step.effect != .none else {
      read(step, type)
      return
    }
    let operation = step.action.operation
    needs = operation?.needs ?? []
    if needs.isEmpty, server != nil, step.action.serverField != nil, operation?.leaves != .becomes(.absent) {
      needs = PowerAct.there
    }
    effect = PowerAct.effect(of: step)
    if server == nil, effect != .nothing { reach = .cloud(type: type) }
  }

  /// What an operation needs that says nothing: the server must exist.
  private static let there = Set(PowerState.allCases).subtracting([.absent])

  private static func server(
    of step: ActionStep, block: String, type: String, owner: String?, in loops: [PowerLoop]
  ) -> ServerName? {
    let field = step.action.serverField ?? (step.action.fields.contains { $0.name == "server" } ? "server" : nil)
    guard let field, let template = step.with[field], template.constant?.isNull != true else { return nil }
    var text = template.sourceText
    if let owner, template.references.roots.contains("self") { text += " of \(owner)" }
    let loop = loops.isEmpty ? nil : loops.last { $0.decides(template.references) }
    return ServerName(type: type, block: block, text: text, loop: loop?.path)
  }

  private static func effect(of step: ActionStep) -> Effect {
    let effect: Effect =
      switch step.action.operation?.leaves {
      case nil, .unchanged: .nothing
      case .becomes(let state): .becomes(state)
      case .unknown: .anything
      case .asAsked:
        switch step.with["power"]?.constant?.string {
        case "running": .becomes(.running)
        case "stopped": .becomes(.stopped)
        case "same": .restored
        default: .anything
        }
      }
    return effect != .nothing && step.wait.isSkipped ? .anything : effect
  }

  /// A step that only reads changes nothing, but one that waits for something lets time pass in which somebody else
  /// changes it: `wait_for: server.status` until it is running.
  private mutating func read(_ step: ActionStep, _ type: String) {
    let conditions = [step.wait.until, step.expect].compactMap { $0 }
    if conditions.isEmpty { return }
    let states = Set(conditions.map { PowerAct.awaited($0) })
    if server != nil, states.count == 1, case .some(.some(let state)) = states.first {
      effect = .becomes(state)
    } else {
      effect = server == nil ? .nothing : .anything
      reach = .cloud(type: type)
    }
  }

  /// `stopped` of `result.state == 'stopped'`.
  private static func awaited(_ condition: Expression) -> PowerState? {
    let text = condition.source.filter { $0 != " " && $0 != "\"" && $0 != "'" }
    guard text.hasPrefix("result.state==") else { return nil }
    return PowerState(rawValue: String(text.dropFirst("result.state==".count)))
  }
}

extension Template {
  /// As an author could have written it, so that equal templates have equal texts.
  var sourceText: String {
    switch content {
    case .constant(let value): value.scalarText ?? JSONWriter.text(value)
    case .expression(let expression): "${{ \(expression.source) }}"
    case .text(let parts):
      parts.map { part in
        switch part {
        case .literal(let literal): literal
        case .expression(let expression): "${{ \(expression.source) }}"
        }
      }.joined()
    case .list(let items): "[" + items.map { $0.sourceText }.joined(separator: ", ") + "]"
    case .map(let entries):
      "{" + entries.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value.sourceText)" }.joined(separator: ", ") + "}"
    }
  }
}
