package import Runbook

/// The `snapshot.*` and `backup.*` actions as every provider declares them. A provider adds its durations, classes,
/// name rules and further fields.
package struct ItemVocabulary: Sendable {
  /// `snapshot`, `backup`.
  let word: String
  /// What the provider's documents tell of each beyond the vocabulary, under their own names.
  let details: [String: ValueType]
  /// What they tell only in the reply to a creation; null of one that was found instead.
  let replyDetails: [String: ValueType]

  package init(word: String, details: [String: ValueType] = [:], replyDetails: [String: ValueType] = [:]) {
    self.word = word
    self.details = details
    self.replyDetails = replyDetails
  }

  static let common: [String: ValueType] = [
    "id": .string, "name": .string, "state": .string, "native_state": .string, "size_mb": .int,
    "created_at": .timestamp,
    "created_at_error": .duration,
  ]

  /// What is told of one.
  package var facts: [String: ValueType] { ItemVocabulary.common.merging(details) { ours, _ in ours } }

  package func create(name: Field, within timeout: Duration, class effectClass: EffectClass) -> ActionDeclaration {
    ActionDeclaration(
      "\(word).create", "take a \(word) of a server and wait until it is ready",
      fields: [
        ServerVocabulary.server, name, Field("description", .string, help: "free text kept with the \(word)"),
        Field(
          "if_exists", .choice(["fail", "reuse"]), default: "fail",
          help: "if a \(word) of this name exists: `fail` (a `conflict`) or `reuse` it; default `fail`"),
        Field(
          "max_age", .duration,
          help: "with `reuse`: how old it may be; default: made since this run, or the run that it repeats, began"),
      ],
      outputs: facts.merging(replyDetails) { ours, _ in ours }, effect: .change, class: effectClass,
      wait: WaitDefaults(until: "ready", failsOn: "failed, absent", timeout: timeout, fastest: .seconds(3)),
      suggestedUndo: "{action: \(word).delete, with: {\(word): \"${{ self.outputs.id }}\"}}",
      before: ["matching": .list(.string), "taken": .string], serverField: "server"
    ).shared.setting(\.tellsItemState, to: true).changing(.takes(word)).with(rules: [
      FieldRule(
        "if_exists", is: "reuse", without: "max_age", isError: false,
        "with `if_exists: reuse` the run's undo may restore an existing \(word); without `max_age` only one that was "
          + "made since the run, or the run that it repeats, began"),
      FieldRule(
        "max_age", without: "if_exists", isError: true,
        "`max_age` limits the age of a reused \(word), and without `if_exists: reuse` none is reused"),
    ])
  }

  /// - Parameter server: whose; a field that is not required: of the whole account if it is not given.
  package func list(of server: Field = ServerVocabulary.server, further fields: [Field] = []) -> ActionDeclaration {
    ActionDeclaration(
      "\(word).list", "list a server's \(word)s, newest first", fields: [server] + fields,
      outputs: ["\(word)s": .list(.object(facts)), "count": .int], effect: .none, class: .convergent
    ).shared.setting(\.tellsItemState, to: true)
  }

  package func find(further fields: [Field] = []) -> ActionDeclaration {
    ActionDeclaration(
      "\(word).find", "find one ready \(word) of a server; two are a `conflict` unless `newest`",
      fields: [
        ServerVocabulary.server,
        Field("name", .string, help: "the whole name; default: any"),
        Field("newest", .bool, default: false, help: "take the newest of several; default `false`"),
        Field("max_age", .duration, help: "an older one is `not_found`; default: any age"),
      ] + fields,
      outputs: facts, effect: .none, class: .convergent
    ).shared.setting(\.tellsItemState, to: true)
  }

  package func restore(within timeout: Duration, class effectClass: EffectClass) -> ActionDeclaration {
    ActionDeclaration(
      "\(word).restore", "overwrite a server with one of its \(word)s",
      fields: [
        ServerVocabulary.server,
        Field(word, .string, required: true, help: "id of the \(word)"),
        Field(
          "power", .choice(PowerAfterRestore.allCases.map { $0.rawValue }), default: "same",
          help: "the state of the server afterwards: `running`, `stopped`, or the `same` as before; default `same`"),
      ],
      outputs: ["state": .string], effect: .destroy, class: effectClass,
      wait: WaitDefaults(
        until: "restored, power as asked", failsOn: "error, suspended, absent", timeout: timeout, fastest: .seconds(3)),
      suggestedUndo: "irreversible", before: ServerVocabulary.before, serverField: "server"
    ).shared.setting(\.neededItems, to: [word])
  }

  package func prune(within timeout: Duration) -> ActionDeclaration {
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
      before: ["doomed": .list(.string), "kept": .list(.string)], serverField: "server"
    ).shared.setting(\.tellsItemState, to: true).changing(.frees(word)).with(
      oneOf: ["keep", "older_than"],
      rules: [
        FieldRule(
          "older_than", without: "keep", isError: false,
          "`older_than` without `keep` may delete the last \(word)")
      ])
  }

  package func delete(within timeout: Duration) -> ActionDeclaration {
    ActionDeclaration(
      "\(word).delete", "delete a \(word) for good; one that is already gone counts as deleted",
      fields: [
        Field(word, .string, required: true, help: "id of the \(word)"),
        Field("server", .string, help: "id of the server it must belong to; default: any"),
      ],
      effect: .destroy, class: .convergent, wait: WaitDefaults(until: "absent", failsOn: "–", timeout: timeout),
      suggestedUndo: "irreversible", before: ["exists": .bool], serverField: "server"
    ).shared.setting(\.tellsItemState, to: true).changing(.frees(word))
  }
}

extension ActionDeclaration {
  /// The same, as a part of the vocabulary.
  var shared: ActionDeclaration { setting(\.isShared, to: true) }

  /// The same with a field that only one provider has.
  package func adding(_ field: Field) -> ActionDeclaration {
    var declaration = self
    declaration.fields.append(field)
    return declaration
  }
}
