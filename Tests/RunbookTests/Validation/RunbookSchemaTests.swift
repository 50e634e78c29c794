import Testing

@testable import Runbook

@Suite struct RunbookSchemaTests {
  private let schema = RunbookSchema.json(for: Framed.context())

  @Test func everyKeyOfTheTopLevelIsInIt() {
    let keys = schema["properties"]?.map?.keys.sorted()
    #expect(
      keys == [
        "always", "defaults", "description", "drill", "inputs", "labels", "limits", "locks", "name", "on_failure",
        "on_rollback_failure", "on_waiting", "outputs", "providers", "rollback_policy", "runbook", "secrets", "steps",
        "timeout", "vars",
      ])
  }

  @Test func everyActionsFieldsAreInIt() throws {
    let cases = try #require(schema["$defs"]?["step"]?["allOf"]?.list)
    let action = try #require(cases.first { $0["if"]?["properties"]?["action"]?["const"] == "snapshot.restore" })
    #expect(action["then"]?["properties"]?["with"]?["$ref"] == "#/$defs/with.snapshot.restore")
    let fields = schema["$defs"]?["with.snapshot.restore"]?["properties"]?.map
    #expect(fields?.keys.contains("snapshot") == true)
    #expect(schema["$defs"]?["step"]?["properties"]?["sleep"] != nil)
  }

  @Test func everyKeyOfADrillIsInIt() {
    let drill = schema["$defs"]?["drill"]?["properties"]
    #expect(drill?.map?.keys.sorted() == ["measure", "objectives", "steady_state", "stop_if"])
    #expect(drill?["objectives"]?["properties"]?.map?.keys.sorted() == ["rpo", "rto"])
    #expect(drill?["measure"]?["properties"]?.map?.keys.sorted() == ["data_as_of", "outage_at", "restored_at"])
  }

  @Test func everyKeyOfAStepThatHoldsOthersIsInIt() throws {
    let step = try #require(schema["$defs"]?["step"])
    for key in Validation.stepKeys + Validation.holderKeys { #expect(step["properties"]?[key] != nil, "\(key)") }
    let words = step["oneOf"]?.list?.compactMap { $0["required"]?.list?.first?.string } ?? []
    #expect(words.suffix(3) == ["block", "parallel", "call"])
    #expect(step["dependentRequired"] == ["rescue": ["block"]])
    let loop = try #require(schema["$defs"]?["forEach"]?["anyOf"]?.list?.last)
    #expect(
      loop["properties"]?.map?.keys.sorted() == ["as", "batches", "gate", "in", "max_failures", "max_parallel"])
  }

  @Test func onlyStepsHoldOthersInIt() {
    for section in ["always", "on_failure", "on_rollback_failure", "on_waiting"] {
      #expect(schema["properties"]?[section]?["items"] == ["$ref": "#/$defs/plainStep"])
    }
    #expect(schema["properties"]?["steps"]?["items"] == ["$ref": "#/$defs/step"])
    for name in ["plainStep", "undoStep"] {
      for key in Validation.holderKeys where !(name == "undoStep" && key == "for_each") {
        #expect(schema["$defs"]?[name]?["properties"]?[key] == nil, "\(name) \(key)")
      }
    }
  }

  /// What may stand beside the keyword is what the validator takes.
  @Test(arguments: ["block", "parallel", "call"])
  func theKeysBesideAKeywordAreThoseThatAreTaken(_ word: String) throws {
    let rules = try #require(schema["$defs"]?["step"]?["allOf"]?.list)
    let rule = try #require(rules.first { $0["if"]?["required"] == [.string(word)] })
    let keys = try #require(rule["then"]?["propertyNames"]?["enum"]?.list).compactMap(\.string)
    for key in Validation.stepKeys + ["rescue"] {
      let text = "- {\(word): [{sleep: 1s}], \(key): x}".replacing("call: [{sleep: 1s}]", with: "call: update.sh")
      let place = Framed.top.split(separator: "\n").count + 2
      let isMisplaced = Refused.mistakes(Framed.runbook(text)).contains {
        $0.kind == .context && $0.range.start.line == place && $0.range.start.column > 10
      }
      #expect(keys.contains(key) != isMisplaced, "\(key)")
    }
  }

  @Test func aProviderMayBeAFile() throws {
    let kinds = try #require(schema["properties"]?["providers"]?["additionalProperties"]?["oneOf"]?.list)
    let pattern = try #require(kinds.last?["properties"]?["type"]?["pattern"]?.string)
    #expect(try Pattern(pattern).matches("./my_cloud.yaml"))
    #expect(try !Pattern(pattern).matches("vps_org"))
  }

  @Test func everyReferenceHasItsDefinition() throws {
    let defined = Set(try #require(schema["$defs"]?.map).keys.map { "#/$defs/\($0)" })
    #expect(references(in: schema).subtracting(defined) == [])
  }

  private func references(in value: Value) -> Set<String> {
    switch value {
    case .list(let items): Set(items.flatMap { references(in: $0) })
    case .map(let entries):
      Set(entries.flatMap { key, value in key == "$ref" ? [value.string ?? ""] : Array(references(in: value)) })
    default: []
    }
  }
}
