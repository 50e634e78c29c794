import Runbook
import Testing

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
    #expect(drill?.map?.keys.sorted() == ["measure", "objectives", "steady_state"])
    #expect(drill?["objectives"]?["properties"]?.map?.keys.sorted() == ["rpo", "rto"])
    #expect(drill?["measure"]?["properties"]?.map?.keys.sorted() == ["data_as_of", "outage_at", "restored_at"])
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
