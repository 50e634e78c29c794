/// What each cloud can do, read from the declarations of its actions: for `runbook providers`, for messages, and for
/// the tables of `docs/providers/`.
public struct CapabilityTable: Sendable {
  public struct Row: Sendable {
    public var action: String
    public var summary: String
    /// By provider type.
    public var cells: [String: ActionDeclaration]
  }

  public let providers: [any ProviderKind]
  /// Of the vocabulary that clouds share, in its order; then what only one has.
  public let rows: [Row]

  public init(_ providers: [any ProviderKind]) {
    self.providers = providers
    var rows: [String: Row] = [:]
    var order: [String] = []
    for provider in providers {
      for action in provider.actions {
        if rows[action.name] == nil {
          rows[action.name] = Row(action: action.name, summary: action.summary, cells: [:])
          order.append(action.name)
        }
        rows[action.name]?.cells[provider.type] = action
      }
    }
    var families: [Substring] = []
    for name in order where rows[name]?.cells.values.contains(where: { $0.isShared }) == true {
      let family = CapabilityTable.family(of: name)
      if !families.contains(family) { families.append(family) }
    }
    func place(_ name: String) -> Int { families.firstIndex(of: CapabilityTable.family(of: name)) ?? families.count }
    self.rows = order.enumerated()
      .sorted { (place($0.element), $0.offset) < (place($1.element), $1.offset) }
      .compactMap { rows[$0.element] }
  }

  /// `server` of `server.stop`.
  private static func family(of name: String) -> Substring { name.prefix { $0 != "." } }

  /// What a cell says: the effect class of a change, `reads` of what only looks, `–` of what is not there.
  public static func cell(_ action: ActionDeclaration?) -> String {
    guard let action else { return "–" }
    return action.effect == .none ? "reads" : action.effectClass.rawValue
  }

  // MARK: For a terminal

  /// A table of all actions and providers.
  public var lines: [String] {
    let first = max(rows.map { $0.action.count }.max() ?? 0, 6)
    let head = CapabilityTable.padded("ACTION", first) + providers.map { "  " + $0.type }.joined()
    return [head]
      + rows.map { row in
        let cells = providers.map { provider in
          "  " + CapabilityTable.padded(CapabilityTable.cell(row.cells[provider.type]), provider.type.count)
        }
        return CapabilityTable.trimmed(CapabilityTable.padded(row.action, first) + cells.joined())
      }
  }

  /// One provider: its block, its actions, what to know about it.
  public static func lines(of provider: any ProviderKind) -> [String] {
    var lines = ["\(provider.type): \(provider.summary)", "", "block:"]
    for field in provider.allFields where !field.isPlanned {
      lines.append("  \(field.name)\(field.required ? " (needed)" : ""): \(field.help)")
    }
    lines += ["", "actions:"]
    for action in provider.actions {
      lines.append("  \(action.name)  \(cell(action))  \(action.operation?.request ?? "")")
      if let needs = needsText(action) { lines.append("      needs a server that is \(needs)") }
      if let recovery = recoveryText(action) { lines.append("      after a lost reply: \(recovery)") }
      if let note = action.operation?.note { lines.append("      \(note)") }
    }
    let facts = provider.facts
    lines += section("states", facts.states.map { "\($0.native) → \($0.word)" })
    lines += section("limits", facts.limits)
    lines += section("hazards", facts.hazards)
    lines += section("not documented, and assumed", facts.undocumented.map { "\($0.gap): \($0.assumed)" })
    return lines.map { $0.replacing("**", with: "") }
  }

  private static func section(_ title: String, _ texts: [String]) -> [String] {
    texts.isEmpty ? [] : ["", "\(title):"] + texts.map { "  \($0)" }
  }

  /// "running or paused"; nil if it can be done in any state.
  public static func needsText(_ action: ActionDeclaration) -> String? {
    guard let needs = action.operation?.needs, !needs.isEmpty else { return nil }
    return stateText(needs)
  }

  /// "running, stopped or paused", in the order of the language.
  static func stateText(_ states: Set<PowerState>) -> String {
    let words = PowerState.allCases.filter { states.contains($0) }.map { $0.rawValue }
    return (words.count < 2 ? "" : words.dropLast().joined(separator: ", ") + " or ") + (words.last ?? "")
  }

  /// The action that brings a server from one of some states into one of those that are needed; one of the shared
  /// vocabulary rather than one of the cloud's own.
  static func way(
    to needs: Set<PowerState>, from states: Set<PowerState>, among actions: [ActionDeclaration]
  ) -> String? {
    let ways = actions.filter { action in
      guard action.effect == .change, let operation = action.operation, case .becomes(let end) = operation.leaves
      else { return false }
      let begins = operation.needs.isEmpty ? states != [.absent] : !operation.needs.isDisjoint(with: states)
      return needs.contains(end) && begins
    }
    return (ways.first { $0.isShared } ?? ways.first)?.name
  }

  /// How a lost call is found again, and how long "not found" does not count; nil for what only reads.
  public static func recoveryText(_ action: ActionDeclaration) -> String? {
    guard action.effect != .none, let operation = action.operation, !operation.recovery.isEmpty else { return nil }
    return operation.recovery
      + (operation.absence.isEmpty ? "" : "; \"not found\" counts only after \(operation.absence)")
  }

  // MARK: For documentation

  /// The operations of a provider as a table in Markdown.
  public static func markdown(operationsOf provider: any ProviderKind) -> [String] {
    ["| action | request | class | needs | after a lost reply |", "|---|---|---|---|---|"]
      + provider.actions.map { action in
        let operation = action.operation
        var request = (operation?.request ?? "").replacing("|", with: "\\|")
        if operation?.evidence == .inferred { request += " (inferred)" }
        if let note = operation?.note { request += "; \(note)" }
        let cells = [
          "`\(action.name)`", request, cell(action), needsText(action) ?? "", recoveryText(action) ?? "",
        ]
        return "| " + cells.joined(separator: " | ") + " |"
      }
  }

  public static func markdown(statesOf provider: any ProviderKind) -> [String] {
    ["| \(provider.type) says | here |", "|---|---|"] + provider.facts.states.map { "| \($0.native) | \($0.word) |" }
  }

  public static func markdown(gapsOf provider: any ProviderKind) -> [String] {
    ["| not said | assumed |", "|---|---|"] + provider.facts.undocumented.map { "| \($0.gap) | \($0.assumed) |" }
  }

  // MARK: For programs

  public var json: Value {
    [
      "v": 1,
      "providers": .list(
        providers.map { provider in
          [
            "type": .string(provider.type), "summary": .string(provider.summary),
            "actions": .list(provider.actions.map { CapabilityTable.json($0) }),
            "states": .list(provider.facts.states.map { ["native": .string($0.native), "state": .string($0.word)] }),
            "limits": .list(provider.facts.limits.map { .string($0) }),
            "hazards": .list(provider.facts.hazards.map { .string($0) }),
            "undocumented": .list(
              provider.facts.undocumented.map { ["gap": .string($0.gap), "assumed": .string($0.assumed)] }),
          ]
        }),
    ]
  }

  private static func json(_ action: ActionDeclaration) -> Value {
    let operation = action.operation
    var document: [String: Value] = [
      "action": .string(action.name), "summary": .string(action.summary), "effect": .string(action.effect.rawValue),
      "request": .string(operation?.request ?? ""), "evidence": .string(operation?.evidence.rawValue ?? ""),
      "needs": .list(
        PowerState.allCases.filter { operation?.needs.contains($0) == true }.map { .string($0.rawValue) }),
    ]
    if action.effect != .none {
      document["class"] = .string(action.effectClass.rawValue)
      document["recovery"] = recoveryText(action).map { .string($0) }
    }
    document["note"] = operation?.note.map { .string($0) }
    return .map(document)
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  private static func trimmed(_ text: String) -> String {
    var text = text
    while text.hasSuffix(" ") { text.removeLast() }
    return text
  }
}
