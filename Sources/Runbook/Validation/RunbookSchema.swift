/// The language as a JSON Schema (draft 2020-12), made from the tables that the validator reads, for editors that
/// complete and underline. Looser than `validate`: references, types of expressions and secrets are not its business.
public enum RunbookSchema {
  public static func json(for context: ValidationContext) -> Value {
    let actions = actions(context)
    return object(
      [
        "runbook": ["const": "v1", "description": "version of the language"],
        "name": text("one word for lists and reports"), "description": text("what it is for"),
        "labels": ["type": "object", "additionalProperties": ["$ref": "#/$defs/scalar"]],
        "inputs": names(ref("input"), "the inputs of a run"),
        "vars": names([:], "values computed once, in order; each may read those before it"),
        "secrets": names(ref("secret"), "where secrets come from; never the secrets themselves"),
        "providers": names(provider(context), "the clouds that actions reach"),
        "defaults": [
          "type": "object", "description": "globs of actions to keys of steps; the longest glob wins",
          "additionalProperties": only(stepProperties(context), Validation.defaultKeys),
        ],
        "locks": [
          "type": "array", "items": ["type": "string"], "description": "more locks than the servers it changes",
        ],
        "timeout": described(ref("duration"), "of the run without its rollback; default `24h`"),
        "limits": limits, "rollback_policy": ref("rollbackPolicy"), "drill": ref("drill"),
        "steps": list(ref("step"), "top to bottom", atLeast: 1),
        "on_waiting": list(ref("plainStep"), "messages to people, when the run waits for one"),
        "on_failure": list(ref("plainStep"), "diagnostics, before the rollback"),
        "on_rollback_failure": list(ref("plainStep"), "when an undo step has failed"),
        "always": list(ref("plainStep"), "steps that run once at the end, in every case"),
        "outputs": names(ref("expression"), "the run's results"),
      ], required: ["runbook", "name", "steps"]
    ).merging([
      "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Runbook v1",
      "$defs": definitions(context, actions),
    ])
  }

  /// By name, each once: an action means the same on every provider, and has the fields of all of them.
  private static func actions(_ context: ValidationContext) -> [ActionDeclaration] {
    let builtIn = context.actions + context.steps.flatMap { $0.actions.map { $0.declaration } }
    var actions: [String: ActionDeclaration] = [:]
    for action in builtIn where actions[action.name] == nil { actions[action.name] = action }
    for row in CapabilityTable(context.providers).rows where actions[row.action] == nil {
      actions[row.action] = merged(row, of: context.providers)
    }
    return actions.values.sorted { $0.name < $1.name }
  }

  /// Which clouds have it, and what they need, is told with the summary; which have a field, with the field.
  private static func merged(_ row: CapabilityTable.Row, of providers: [any ProviderKind]) -> ActionDeclaration? {
    let able = providers.compactMap { kind in row.cells[kind.type].map { (type: kind.type, action: $0) } }
    guard var action = able.first?.action else { return nil }
    var fields: [Field] = []
    for (_, other) in able {
      for field in other.fields where !field.isPlanned && !fields.contains(where: { $0.name == field.name }) {
        let owners = able.filter { $0.action.fields.contains { $0.name == field.name } }.map { $0.type }
        var field = field
        if owners.count < able.count { field.help += " (\(owners.joined(separator: ", ")))" }
        fields.append(field)
      }
    }
    action.fields = fields
    let clouds = able.map { type, action in
      type + (CapabilityTable.needsText(action).map { " (of a server that is \($0))" } ?? "")
    }
    action.summary += "; on " + clouds.joined(separator: ", ")
    return action
  }

  // MARK: Definitions

  private static func definitions(_ context: ValidationContext, _ actions: [ActionDeclaration]) -> Value {
    let definitions: Value = [
      "duration": [
        "type": "string", "pattern": "^([0-9]+(d|h|m|s|ms))+$|\\$\\{\\{", "examples": ["30s", "5m", "1h30m"],
      ],
      "expression": ["type": ["string", "boolean", "integer"], "description": "an expression, without `${{ }}`"],
      "template": ["type": "string", "pattern": "\\$\\{\\{"],
      "scalar": ["type": ["string", "number", "boolean"]],
      "input": object(
        [
          "type": ["enum": .list(InputDeclaration.Kind.allCases.map { .string($0.rawValue) })], "default": [:],
          "enum": ["type": "array", "minItems": 1], "pattern": ["type": "string"], "min": [:], "max": [:],
          "min_items": ["type": "integer", "minimum": 0],
          "items": ["enum": .list(InputDeclaration.Kind.allCases.map { .string($0.rawValue) })],
          "description": ["type": "string"],
        ], required: ["type"]),
      "secret": object(
        [
          "source": ["enum": .list(SecretSource.allCases.map { .string($0.rawValue) })],
          "key": text("of `env`: the variable's name; of `credential`: the name in `LoadCredential=`"),
          "path": text("of `file`"),
          "argv": described(
            ["type": "array", "minItems": 1, "items": ["type": "string"]],
            "of `command`: the program and its arguments; no shell reads them"),
        ], required: ["source"]),
      "rollbackPolicy": object([
        "after": list(["enum": ["failure", "cancel", "success"]], "default: failure, cancel"),
        "timeout": described(ref("duration"), "of the whole rollback; default `4h`"),
        "destroy": ["enum": ["proceed", "ask"]],
      ]),
      "drill": drill,
      "retry": object([
        "attempts": ["type": "integer", "minimum": 1, "maximum": .int(Limits.attempts.upperBound)],
        "delay": ref("duration"),
        "backoff": ["type": "number", "minimum": 1, "maximum": 10], "max_delay": ref("duration"),
        "jitter": ["type": "number", "minimum": 0, "maximum": 1], "attempt_timeout": ref("duration"),
        "connect_timeout": ref("duration"), "if": ref("expression"),
      ]),
      "wait": [
        "anyOf": [
          ["const": false],
          object([
            "until": ref("expression"), "fail_if": ref("expression"), "every": ref("duration"),
            "timeout": ref("duration"),
            "stable": ["type": "integer", "minimum": 1, "maximum": .int(Limits.stable.upperBound)],
            "settle": ref("duration"),
          ]),
        ]
      ],
      "rollback": [
        "anyOf": [
          ["enum": ["none", "irreversible"]], list(ref("undoStep"), "in this order"),
          object(
            ["undo": ["enum": ["started", "succeeded"]], "steps": list(ref("undoStep"), "in this order")],
            required: ["steps"]),
        ]
      ],
      "step": holding(step(context, actions)), "plainStep": step(context, actions),
      "undoStep": step(context, actions, isUndo: true), "forEach": forEach, "share": share,
    ]
    let fields = actions.filter { $0.isWritable }.map { action in
      (withName(action), described(self.fields(action.fields), action.summary))
    }
    return definitions.merging(.map(Dictionary(fields, uniquingKeysWith: { first, _ in first })))
  }

  private static var drill: Value {
    let moments = Dictionary(
      uniqueKeysWithValues: DrillMoment.allCases.map { ($0.rawValue, described(ref("expression"), $0.help)) })
    return described(
      object([
        "objectives": object([
          "rto": described(ref("duration"), "how long the service may be away: `restored_at` − `outage_at`"),
          "rpo": described(ref("duration"), "how old the restored data may be: `outage_at` − `data_as_of`"),
        ]),
        "measure": object(moments),
        "steady_state": list(
          ref("plainStep"), "steps that only look, before the first step and again after the last one", atLeast: 1),
        "stop_if": list(
          ref("plainStep"), "`wait_for` steps that are asked beside the steps; the first that holds stops the drill",
          atLeast: 1),
      ]),
      "objectives of a rehearsal; an objective that is missed ends the run with exit "
        + "\(ExitCode.objectiveMissed.rawValue)")
  }

  private static func step(
    _ context: ValidationContext, _ actions: [ActionDeclaration], isUndo: Bool = false
  ) -> Value {
    let actions = isUndo ? actions.filter { !$0.isCommit && !$0.alwaysFails } : actions
    let kinds = context.steps.filter { kind in
      kind.shape.action.map { name in actions.contains { $0.name == name } } ?? true
    }
    var properties = stepProperties(context).map ?? [:]
    for kind in kinds { properties[kind.keyword] = keyword(kind, actions) }
    if isUndo {
      for key in ["id", "rollback", "continue_on_error"] { properties[key] = nil }
      properties["on_error"] = ["const": "continue"]
      properties["for_each"] = described(
        ["oneOf": [ref("expression"), object(["in": ref("expression"), "as": ["type": "string"]])]],
        "a list: the step is carried out once for each of its items, one after the other")
    }
    return object(properties).merging([
      "oneOf": .list(kinds.map { ["required": [.string($0.keyword)]] }),
      "allOf": .list(kinds.flatMap { with($0, actions) }),
    ])
  }

  private static func stepProperties(_ context: ValidationContext) -> Value {
    [
      "id": described(["type": "string", "pattern": "^[a-z][a-z0-9_]{0,63}$"], "unique in the file"),
      "name": text("a name for people"), "if": described(ref("expression"), "run the step only when this is true"),
      "with": ["type": "object"], "env": ["type": "object", "additionalProperties": ref("scalar")],
      "outputs": names(ref("expression"), "more outputs, from `result`"),
      "expect": described(ref("expression"), "a condition that must hold after the call"), "retry": ref("retry"),
      "wait": ref("wait"),
      "timeout": described(ref("duration"), "of the whole step: attempts, delays, wait"), "rollback": ref("rollback"),
      "idempotent": described(["type": "boolean"], "may be repeated after a lost outcome"), "effect": ["const": "none"],
      "on_crash": ["enum": ["ask", "fail"]], "continue_on_error": ["type": "boolean"],
      "provider": text("which block of `providers`"),
    ]
  }

  private static func keyword(_ kind: any StepKind.Type, _ actions: [ActionDeclaration]) -> Value {
    switch kind.shape {
    case .namedAction(let mode):
      let names = actions.filter { $0.isWritable && (mode == .call || $0.effect == .none) }.map {
        Value.string($0.name)
      }
      return described(["enum": .list(names)], kind.summary)
    case .scalar(_, let field): return described(schema(of: field), kind.summary)
    case .scalarOrFields(let name, _):
      let fields = actions.first { $0.name == name }?.fields ?? []
      return described(["anyOf": [["type": "string"], self.fields(fields)]], kind.summary)
    }
  }

  /// What may stand under `with` of each action.
  private static func with(_ kind: any StepKind.Type, _ actions: [ActionDeclaration]) -> [Value] {
    guard case .namedAction = kind.shape else { return [] }
    return actions.filter { $0.isWritable }.map { action in
      [
        "if": ["properties": [kind.keyword: ["const": .string(action.name)]], "required": [.string(kind.keyword)]],
        "then": ["properties": ["with": ref(withName(action))]],
      ]
    }
  }

  /// The definition of the fields of an action.
  private static func withName(_ action: ActionDeclaration) -> String { "with.\(action.name)" }

  private static func provider(_ context: ValidationContext) -> Value {
    let file: Value = [
      "type": "object", "required": ["type"],
      "properties": [
        "type": described(
          ["type": "string", "pattern": "/|\\.ya?ml$"], "a file of the runbook's folder that declares the provider")
      ],
    ]
    return [
      "oneOf": .list(
        context.providers.map { kind in
          let base = fields(kind.allFields).map ?? [:]
          var properties = base["properties"]?.map ?? [:]
          properties["type"] = ["const": .string(kind.type), "description": .string(kind.summary)]
          return object(properties, required: ["type"])
        } + [file])
    ]
  }

  // MARK: Fields

  private static func fields(_ fields: [Field]) -> Value {
    let known = fields.filter { !$0.isPlanned }
    return object(
      Dictionary(known.map { ($0.name, described(schema(of: $0), $0.help)) }, uniquingKeysWith: { first, _ in first }))
  }

  private static func schema(of field: Field) -> Value {
    let plain: Value =
      switch field.kind {
      case .string: ref("scalar")
      case .int: ["type": "integer"]
      case .number: ["type": "number"]
      case .bool: ["type": "boolean"]
      case .duration: ref("duration")
      case .list: ["type": "array"]
      case .map where !field.members.isEmpty: fields(field.members)
      case .map, .stringMap: ["type": "object"]
      case .any: [:]
      case .url: ["type": "string"]
      case .choice(let words): ["enum": .list(words.map { .string($0) })]
      case .expression: ref("expression")
      }
    switch field.kind {
    case .int, .number, .bool, .list, .map, .stringMap, .choice:
      return field.allowsInterpolation ? ["anyOf": [plain, ref("template")]] : plain
    default: return plain
    }
  }

  // MARK: Building

  static func object(_ properties: [String: Value], required: [String] = []) -> Value {
    var schema: [String: Value] = ["type": "object", "properties": .map(properties), "additionalProperties": false]
    if !required.isEmpty { schema["required"] = .list(required.map { .string($0) }) }
    return .map(schema)
  }

  private static func object(_ properties: Value, required: [String] = []) -> Value {
    object(properties.map ?? [:], required: required)
  }

  private static func only(_ properties: Value, _ keys: [String]) -> Value {
    object((properties.map ?? [:]).filter { keys.contains($0.key) })
  }

  private static func names(_ value: Value, _ help: String) -> Value {
    [
      "type": "object", "description": .string(help), "additionalProperties": value,
      "propertyNames": ["pattern": "^[a-z][a-z0-9_]{0,63}$"],
    ]
  }

  static func list(_ items: Value, _ help: String, atLeast least: Int64 = 0) -> Value {
    ["type": "array", "items": items, "description": .string(help), "minItems": .int(least)]
  }

  static func ref(_ name: String) -> Value { ["$ref": .string("#/$defs/\(name)")] }
  static func text(_ help: String) -> Value { described(["type": "string"], help) }
  static func described(_ schema: Value, _ help: String) -> Value {
    schema.merging(["description": .string(help)])
  }
}

extension Value {
  /// A map with more entries.
  func merging(_ other: Value) -> Value {
    .map((map ?? [:]).merging(other.map ?? [:]) { _, new in new })
  }
}
