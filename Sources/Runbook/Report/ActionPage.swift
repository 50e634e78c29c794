/// Everything that is known of one action, for `runbook help ACTION` and for `docs/reference/actions.md`.
public struct ActionPage: Sendable {
  public let name: String
  public let summary: String
  /// The declaration of the engine, or of the first provider that has the action.
  private let declaration: ActionDeclaration
  /// Types of the providers that have it, with their own declarations; empty for an action that needs no provider.
  private let providers: [(type: String, declaration: ActionDeclaration)]

  /// nil if neither the engine nor a provider has an action of this name.
  public init?(_ name: String, builtIn: [ActionDeclaration], providers kinds: [any ProviderKind]) {
    let own = builtIn.first { $0.name == name }
    providers = kinds.compactMap { kind in
      kind.actions.first { $0.name == name }.map { (type: kind.type, declaration: $0) }
    }
    guard let declaration = own ?? providers.first?.declaration else { return nil }
    self.name = name
    self.declaration = declaration
    summary = declaration.summary
  }

  /// Every action, in the order of the alphabet.
  public static func all(builtIn: [ActionDeclaration], providers kinds: [any ProviderKind]) -> [ActionPage] {
    let names = Set(builtIn.map { $0.name } + kinds.flatMap { $0.actions.map { $0.name } })
    return names.sorted().compactMap { ActionPage($0, builtIn: builtIn, providers: kinds) }
  }

  /// For the list of all: which providers have it, or nothing.
  public var place: String {
    providers.isEmpty ? "" : providers.map { $0.type }.joined(separator: ", ")
  }

  // MARK: Parts

  /// A step that uses it, with the fields that must be there.
  public var example: [String] {
    let needed = fields.filter { $0.required }
    guard declaration.isWritable else {
      let field = needed.first ?? fields.first
      return ["- \(name): \(field.map(Self.placeholder) ?? "…")"]
    }
    var lines = ["- id: NAME", "  action: \(name)"]
    if !needed.isEmpty {
      lines.append("  with: {\(needed.map { "\($0.name): \(Self.placeholder($0))" }.joined(separator: ", "))}")
    }
    if declaration.effect != .none { lines.append("  rollback: \(undo)") }
    return lines
  }

  private var undo: String {
    guard let undo = declaration.suggestedUndo else { return "[STEPS]" }
    return undo.hasPrefix("{") ? "[\(undo)]" : undo
  }

  private var fields: [Field] { declaration.fields.filter { !$0.isPlanned } }

  private static func placeholder(_ field: Field) -> String {
    switch field.kind {
    case .int, .number: "NUMBER"
    case .bool: "true"
    case .duration: "5m"
    case .list: "[…]"
    case .map, .stringMap: "{…}"
    case .choice(let words): words.first ?? "WORD"
    case .url: "https://…"
    case .string, .any, .expression: field.name.uppercased()
    }
  }

  /// Name, kind and meaning of each field, of whichever provider has it. Needed is what every provider needs.
  public var fieldRows: [(name: String, kind: String, help: String)] {
    var rows = fields.map { field -> (name: String, kind: String, help: String) in
      let others = providers.map { provider in provider.declaration.fields.first { $0.name == field.name } }
      let isNeeded = field.required && others.allSatisfy { $0?.required ?? true }
      return (field.name, Self.kind(field) + (isNeeded ? ", needed" : ""), field.help + only(field.name))
    }
    for provider in providers {
      for field in provider.declaration.fields
      where !field.isPlanned && !rows.contains(where: { $0.name == field.name }) {
        rows.append((field.name, Self.kind(field), field.help + only(field.name)))
      }
    }
    return rows
  }

  /// Which providers have a field, and which need it, where not all do.
  private func only(_ name: String) -> String {
    let having = providers.compactMap { provider -> (type: String, isNeeded: Bool)? in
      provider.declaration.fields.first { $0.name == name }.map { (provider.type, $0.required) }
    }
    let needing = having.filter { $0.isNeeded }
    var text = ""
    if having.count < providers.count { text += "; only on \(having.map { $0.type }.joined(separator: ", "))" }
    if !needing.isEmpty, needing.count < having.count {
      text += "; needed on \(needing.map { $0.type }.joined(separator: ", "))"
    }
    return text
  }

  private static func kind(_ field: Field) -> String {
    let word =
      switch field.kind {
      case .string: "text"
      case .int: "whole number"
      case .number: "number"
      case .bool: "true or false"
      case .duration: "duration"
      case .list: "list"
      case .map: "map"
      case .any: "anything"
      case .url: "URL"
      case .choice(let words): words.joined(separator: " or ")
      case .stringMap: "map of texts"
      case .expression: "expression"
      }
    let keys = field.members.isEmpty ? "" : " {\(field.members.map { $0.name }.joined(separator: ", "))}"
    return word + keys + (field.acceptsSecret ? ", may be a secret" : "")
  }

  /// Names and types of what a later step reads as `steps.NAME.outputs.…`, of whichever provider tells it.
  public var outputRows: [(name: String, type: String)] {
    var rows: [String: [(type: String, of: String)]] = [:]
    for provider in providers {
      for (name, type) in provider.declaration.outputs {
        rows[name, default: []].append((type: type.reference, of: provider.type))
      }
    }
    guard !rows.isEmpty else { return Self.rows(declaration.outputs) }
    return rows.sorted { $0.key < $1.key }.map { ($0.key, text(of: $0.value)) }
  }

  /// A type and the providers that tell it, where not all tell it in the same way.
  private func text(of told: [(type: String, of: String)]) -> String {
    let types = Dictionary(grouping: told) { $0.type }
    if types.count == 1, told.count == providers.count, let type = told.first?.type { return type }
    let order = told.map { $0.type }.reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
    return order.map { type in
      "\(type) (\((types[type] ?? []).map { $0.of }.joined(separator: ", ")))"
    }.joined(separator: " or ")
  }
  /// Names and types of what `expect`, `until` and `outputs:` read as `result.…`.
  public var resultRows: [(name: String, type: String)] { Self.rows(declaration.result) }
  /// Names and types of what an undo reads as `self.before.…`.
  public var beforeRows: [(name: String, type: String)] { Self.rows(declaration.before) }

  private static func rows(_ types: [String: ValueType]) -> [(name: String, type: String)] {
    types.sorted { $0.key < $1.key }.map { ($0.key, $0.value.reference) }
  }

  /// The action's effect, its longest time, and its undo: a sentence each.
  public var behaviour: [String] {
    var lines: [String] = []
    switch declaration.effect {
    case .none: lines.append("It changes nothing.")
    case .change: lines.append("It changes something: \(Self.classText(declaration.effectClass)).")
    case .destroy:
      lines.append("It removes or overwrites something for good: \(Self.classText(declaration.effectClass)).")
    }
    if let wait = declaration.wait {
      lines.append(
        "It waits until \(wait.until), for at most \(wait.timeout.text); these states end the wait: \(wait.failsOn).")
    } else if declaration.asksPeople {
      lines.append("It waits for an answer as long as its field `timeout` says.")
    } else if let timeout = declaration.timeout {
      lines.append("It may take \(timeout.text), unless `timeout` says otherwise.")
    }
    if declaration.cancellable { lines.append("A cancel stops it.") }
    if declaration.isDiagnostic { lines.append("It may stand in `on_failure`.") }
    if declaration.effect != .none, let undo = declaration.suggestedUndo {
      switch undo {
      case "none": lines.append("There is nothing to undo, or it cannot be undone.")
      case "irreversible": lines.append("It cannot be undone: say `rollback: irreversible`.")
      default: lines.append("Its undo: `\(undo)`.")
      }
    }
    return lines
  }

  private static func classText(_ effectClass: EffectClass) -> String {
    "class \(effectClass.rawValue), \(effectClass.meaning)"
  }

  /// For each provider what it needs, and how a lost call is found again.
  public var providerRows: [(type: String, text: String)] {
    providers.map { provider in
      var parts = [CapabilityTable.cell(provider.declaration), provider.declaration.operation?.request ?? ""]
      if let needs = CapabilityTable.needsText(provider.declaration) { parts.append("needs a server that is \(needs)") }
      if let recovery = CapabilityTable.recoveryText(provider.declaration) {
        parts.append("after a lost reply: \(recovery)")
      }
      return (provider.type, parts.filter { !$0.isEmpty }.joined(separator: "; "))
    }
  }
}

// MARK: For the pages of docs/reference

extension ActionPage {
  /// Its section, as Markdown.
  public var markdown: [String] {
    var lines = ["## `\(name)`", "", Self.sentence(summary), "", "```yaml"] + example + ["```", ""]
    lines += [behaviour.joined(separator: " "), ""]
    if !fieldRows.isEmpty {
      lines += ["| field | is | meaning |", "|---|---|---|"]
      lines += fieldRows.map { "| `\($0.name)` | \($0.kind) | \(Self.cell($0.help)) |" } + [""]
    }
    for (title, rows) in [
      ("Outputs (`steps.NAME.outputs.…`)", outputRows), ("Result (`result.…`)", resultRows),
      ("State before the call (`self.before.…`)", beforeRows),
    ] where !rows.isEmpty {
      lines += ["\(title): " + rows.map { "`\($0.name)` \($0.type)" }.joined(separator: "; ") + ".", ""]
    }
    if !providerRows.isEmpty {
      lines += ["| provider | how |", "|---|---|"]
      lines += providerRows.map { "| `\($0.type)` | \(Self.cell($0.text)) |" } + [""]
    }
    return lines
  }

  private static func cell(_ text: String) -> String { text.replacing("|", with: "\\|") }

  private static func sentence(_ text: String) -> String {
    text.prefix(1).uppercased() + text.dropFirst() + (text.hasSuffix("?") ? "" : ".")
  }
}

extension EffectClass {
  /// The engine's answer to a lost reply: a sentence without its capital and full stop.
  var meaning: String {
    switch self {
    case .keyed: "after a lost reply the same request is sent again under its key"
    case .findable: "after a lost reply the engine looks for its effect before it repeats it"
    case .convergent: "after a lost reply the state is read, and it is repeated if need be"
    case .opaque: "it is never repeated by itself, and a person is asked when its reply was lost"
    }
  }
}

extension ValueType {
  /// As a reference names it: `text`, `list of text`, `map {id, name}`.
  var reference: String {
    switch self {
    case .any: "anything"
    case .null: "null"
    case .bool: "true or false"
    case .int: "whole number"
    case .double: "number"
    case .string: "text"
    case .duration: "duration"
    case .timestamp: "instant"
    case .list(let item): "list of \(item.reference)"
    case .map(let item): "map of \(item.reference)"
    case .object(let members):
      "map {" + members.keys.sorted().joined(separator: ", ") + "}"
    case .optional(let inner): "\(inner.reference) or null"
    case .secret: "secret"
    }
  }
}
