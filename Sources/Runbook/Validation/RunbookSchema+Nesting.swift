/// The steps that hold others.
extension RunbookSchema {
  static let limits = described(
    object([
      "parallel": described(
        ["type": "integer", "minimum": .int(Limits.parallel.lowerBound), "maximum": .int(Limits.parallel.upperBound)],
        "how many steps may go on at once; default 50")
    ]), "bounds of the whole run")

  /// A step of `steps`: what a plain step may be, and what holds others.
  static func holding(_ plain: Value) -> Value {
    var properties = plain["properties"]?.map ?? [:]
    properties["block"] = list(ref("step"), "steps that are carried out one after the other", atLeast: 1)
    properties["rescue"] = list(ref("step"), "carried out when a step of the `block` has failed", atLeast: 1)
    properties["parallel"] = list(ref("step"), "steps that are carried out at the same time", atLeast: 1)
    properties["call"] = text("a file below the folder of this one, whose steps are carried out: `./snapshot.yaml`")
    properties["for_each"] = described(ref("forEach"), "a list: the step is carried out once for each of its items")
    let words = (plain["oneOf"]?.list ?? []) + HolderWord.words.map { ["required": [.string($0)]] }
    let rules = (plain["allOf"]?.list ?? []) + HolderWord.allCases.map { beside($0) }
    return plain.merging([
      "properties": .map(properties), "oneOf": .list(words), "allOf": .list(rules),
      "dependentRequired": ["rescue": ["block"]],
    ])
  }

  /// The keys that may stand beside the keyword.
  private static func beside(_ word: HolderWord) -> Value {
    let common = ["id", "name", "if", "timeout", "continue_on_error", "for_each", word.rawValue]
    let own =
      switch word {
      case .block: ["rescue", "outputs"]
      case .parallel: ["outputs"]
      case .call: ["with", "rollback"]
      }
    var then: Value = ["propertyNames": ["enum": .list((common + own).map { .string($0) })]]
    if word == .call {
      let undo = list(ref("undoStep"), "undoes all of it, in place of what its steps have to undo", atLeast: 1)
      then = then.merging(["properties": ["rollback": undo]])
    }
    return ["if": ["required": [.string(word.rawValue)]], "then": then]
  }

  static let forEach: Value = [
    "anyOf": [
      described(["type": "string"], "an expression that gives a list"), ["type": "array", "minItems": 1],
      object(
        [
          "in": described(["type": ["string", "array"]], "an expression that gives a list, or a list"),
          "as": described(
            ["type": "string", "pattern": "^[a-z][a-z0-9_]{0,63}$"], "the item's name in expressions; default `item`"),
          "batches": described(
            ["anyOf": [ref("share"), ["type": "array", "items": ref("share"), "minItems": 1]]],
            "how many items go before the next `gate`; the last repeats"),
          "max_parallel": described(ref("share"), "how many items go on at once; default 1"),
          "max_failures": described(ref("share"), "how many items may fail before the step does; default 0"),
          "gate": list(ref("step"), "carried out between two batches", atLeast: 1),
        ], required: ["in"]),
    ]
  ]

  static let share: Value = [
    "anyOf": [
      ["type": "integer", "minimum": 0],
      ["type": "string", "pattern": "^[0-9]{1,3}%$|\\.", "examples": ["25%"]],
    ]
  ]
}
