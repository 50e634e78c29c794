import Runbook

/// The `snapshot.*` and `backup.*` actions as every provider declares them. A provider adds its durations, classes,
/// name rules and further fields.
struct ItemVocabulary: Sendable {
  /// `snapshot`, `backup`.
  let word: String

  static let snapshots = ItemVocabulary(word: "snapshot")
  static let backups = ItemVocabulary(word: "backup")

  static let facts: [String: ValueType] = [
    "id": .string, "name": .string, "state": .string, "native_state": .string, "size_mb": .int,
    "created_at": .timestamp,
    "created_at_error": .duration,
  ]

  func create(name: Field, within timeout: Duration, class effectClass: EffectClass) -> ActionDeclaration {
    ActionDeclaration(
      "\(word).create", "take a \(word) of a server and wait until it is ready",
      fields: [
        ServerVocabulary.server, name, Field("description", .string, help: "free text kept with the \(word)"),
        Field(
          "if_exists", .choice(["fail", "reuse"]), default: "fail",
          help: "what a \(word) of this name, taken before, means: `fail` (a `conflict`) or `reuse`; default `fail`"),
      ],
      outputs: ItemVocabulary.facts, effect: .change, class: effectClass,
      wait: WaitDefaults(until: "ready", failsOn: "failed, absent", timeout: timeout, fastest: .seconds(3)),
      suggestedUndo: "{action: \(word).delete, with: {\(word): \"${{ self.outputs.id }}\"}}",
      before: ["matching": .list(.string), "taken": .string], serverField: "server")
  }

  func list(further fields: [Field] = []) -> ActionDeclaration {
    ActionDeclaration(
      "\(word).list", "list a server's \(word)s, newest first", fields: [ServerVocabulary.server] + fields,
      outputs: ["\(word)s": .list(.object(ItemVocabulary.facts))], effect: .none, class: .convergent)
  }

  func find(further fields: [Field] = []) -> ActionDeclaration {
    ActionDeclaration(
      "\(word).find", "find one ready \(word) of a server; two are a `conflict` unless `newest`",
      fields: [
        ServerVocabulary.server,
        Field("name", .string, help: "the whole name; default: any"),
        Field("newest", .bool, default: false, help: "take the newest of several; default `false`"),
        Field("max_age", .duration, help: "an older one is `not_found`; default: any age"),
      ] + fields,
      outputs: ItemVocabulary.facts, effect: .none, class: .convergent)
  }

  func restore(within timeout: Duration, class effectClass: EffectClass) -> ActionDeclaration {
    ActionDeclaration(
      "\(word).restore", "overwrite a server with one of its \(word)s",
      fields: [
        ServerVocabulary.server,
        Field(word, .string, required: true, help: "id of the \(word)"),
        Field(
          "power", .choice(PowerAfterRestore.allCases.map { $0.rawValue }), default: "same",
          help: "what the server is afterwards: `running`, `stopped`, or the `same` as before; default `same`"),
      ],
      outputs: ["state": .string], effect: .destroy, class: effectClass,
      wait: WaitDefaults(
        until: "restored, power as asked", failsOn: "error, suspended, absent", timeout: timeout, fastest: .seconds(3)),
      suggestedUndo: "irreversible", before: ServerVocabulary.before, serverField: "server")
  }

  func prune(within timeout: Duration) -> ActionDeclaration {
    ActionDeclaration(
      "\(word).prune", "delete a server's old \(word)s: only ready ones that a person or a run made",
      fields: [
        ServerVocabulary.server,
        Field(
          "keep", .int, bounds: .int(0 ... .max),
          help: "how many of the newest stay, 0 or more; equally new ones stay together"),
        Field("prefix", .string, help: "only those whose name begins with this; default: all"),
        Field("older_than", .duration, help: "only those at least this old; `keep`, `older_than` or both"),
      ],
      outputs: ["deleted": .list(.string), "kept": .list(.string)], effect: .destroy, class: .convergent,
      wait: WaitDefaults(until: "absent", failsOn: "–", timeout: timeout), suggestedUndo: "none",
      before: ["doomed": .list(.string), "kept": .list(.string)], serverField: "server")
  }

  func delete(within timeout: Duration) -> ActionDeclaration {
    ActionDeclaration(
      "\(word).delete", "delete a \(word) for good; one that is already gone counts as deleted",
      fields: [
        Field(word, .string, required: true, help: "id of the \(word)"),
        Field("server", .string, help: "id of the server it must belong to; default: any"),
      ],
      effect: .destroy, class: .convergent, wait: WaitDefaults(until: "absent", failsOn: "–", timeout: timeout),
      suggestedUndo: "irreversible", before: ["exists": .bool], serverField: "server")
  }
}
