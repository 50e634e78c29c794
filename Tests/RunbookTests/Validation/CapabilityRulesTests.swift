import Runbook
import Testing

/// What a cloud cannot do is told with the reason and what is near it; all of it is read from the tables.
@Suite struct CapabilityRulesTests {
  private static let both = "metal: {type: iron}, sheet: {type: paper}"

  @Test(
    "what the chosen cloud cannot do",
    arguments: [
      (
        "rescue.enter",
        "5 E-PROVIDER: `sheet` cannot do `rescue.enter`: paper has no `rescue.*` at all; iron can"
      ),
      (
        "backup.create",
        "5 E-PROVIDER: `sheet` cannot do `backup.create`: paper has no such action; iron can; the nearest that paper "
          + "has is `snapshot.create`"
      ),
      (
        "backup.restore_as",
        "5 E-PROVIDER: `sheet` cannot do `backup.restore_as`: paper has no such action; iron can; the nearest that "
          + "paper has is `backup.restore`"
      ),
      (
        "iron.request",
        "5 E-PROVIDER: `sheet` cannot do `iron.request`: it belongs to iron alone; the nearest that paper has is "
          + "`paper.request`"
      ),
    ])
  func whatTheChosenCloudCannotDoIsTold(_ action: String, _ text: String) {
    let found = CloudRunbook.mistakes("- {action: \(action), provider: sheet, with: {server: a}}\n", clouds: Self.both)
    #expect(found == [text])
  }

  @Test("what no declared cloud can do names those that can")
  func whatNoDeclaredCloudCanDoIsTold() {
    #expect(
      CloudRunbook.mistakes("- {action: backup.create, with: {server: a}}\n", clouds: "sheet: {type: paper}") == [
        "5 E-PROVIDER: no declared provider can do `backup.create`: paper has no such action; iron can; the nearest "
          + "that paper has is `snapshot.create`"
      ])
  }

  @Test("a field that only another cloud takes says whose it is")
  func aFieldOfAnotherCloudSaysWhoseItIs() {
    let text = Framed.runbook("- {action: backup.create, rollback: none, with: {server: a, name: b, full: true}}")
    let found = Refused.mistakes(text).map { $0.hint }
    #expect(found == ["it is a field of zstack only"])
  }

  // MARK: server.delete

  @Test(
    "a server that this run has not created is not deleted",
    arguments: [
      ("a", "E-DELETE"), ("${{ run.name }}", "E-DELETE"), ("${{ steps.look.outputs.state }}", "W-DELETE"),
      ("${{ steps.new.outputs.id }}", ""),
    ])
  func onlyOwnServersAreDeleted(_ server: String, _ code: String) {
    let steps = """
      - {id: look, action: server.status, with: {server: a}}
      - {id: new, action: backup.restore_as}
      - {action: server.delete, with: {server: "\(server)"}}
      """
    let found = CloudRunbook.mistakes(steps)
    #expect(found.count == (code.isEmpty ? 0 : 1))
    if let first = found.first {
      #expect(first.hasPrefix("7 \(code): `server.delete` deletes only servers that this run has created"))
      #expect(first.hasSuffix("give it the output `id` of a step that creates a server (`backup.restore_as`)"))
    }
  }

  @Test("an undo step may delete what its step has created, and nothing else")
  func anUndoDeletesWhatItsStepHasCreated() {
    func undone(_ action: String) -> [String] {
      CloudRunbook.mistakes(
        """
        - action: \(action)
          with: {server: a}
          rollback: [{action: server.delete, with: {server: "${{ self.outputs.id }}"}}]
        """.replacing("self.outputs.id", with: action == "server.stop" ? "self.outputs.state" : "self.outputs.id"))
    }
    #expect(undone("backup.restore_as") == [])
    #expect(undone("server.stop").map { $0.prefix(11) } == ["7 W-DELETE:"])
  }

  // MARK: Schema

  @Test("the schema says where an action can be done, and what it needs there")
  func theSchemaSaysWhereAnActionCanBeDone() throws {
    let schema = RunbookSchema.json(for: CloudRunbook.context())
    func with(_ action: String) throws -> Value {
      try #require(schema["$defs"]?["with.\(action)"])
    }
    #expect(try with("backup.create")["description"] == "for tests; on iron (of a server that is running or paused)")
    #expect(
      try with("snapshot.restore")["description"]
        == "for tests; on iron (of a server that is running or stopped), paper")
  }

  @Test("the schema has the fields of every cloud, with whose they are")
  func theSchemaHasTheFieldsOfEveryCloud() throws {
    let schema = RunbookSchema.json(for: Framed.context())
    let fields = try #require(schema["$defs"]?["with.backup.create"]?["properties"])
    #expect(fields["full"]?["description"]?.string?.hasSuffix("(zstack)") == true)
    #expect(fields["server"]?["description"]?.string?.hasSuffix(")") == false)
  }

  // MARK: Real clouds

  @Test(
    "a block that no credential can come of names those that would do",
    arguments: [
      ("zomro", "give `session`, or `username` with `password`"),
      ("zomro, username: ops", "give `session`, or `username` with `password`"),
      (
        "zstack, url: \"https://zstack.example.com\", account: ops, access_key_id: k",
        "give `session`, or `account` with `password`, or `access_key_id` with `access_key_secret`"
      ),
    ])
  func aBlockNeedsACredential(_ block: String, _ hint: String) {
    let text = """
      runbook: v1
      name: nightly
      providers: {cloud: {type: \(block)}}
      steps:
        - {action: server.list}
      """
    let found = Refused.mistakes(text)
    #expect(found.map { $0.message } == ["`providers.cloud` has no credential"])
    #expect(found.first?.hint == hint)
    #expect(found.first?.range.start.line == 3)
  }

  @Test("a backup at ZStack after `server.stop` names both lines")
  func aZStackBackupOfAStoppedServerIsRefused() {
    let text = """
      runbook: v1
      name: nightly
      inputs: {server: {type: string}}
      secrets: {session: {source: env, key: SESSION}}
      providers: {cloud: {type: zstack, url: "https://zstack.example.com", session: "${{ secrets.session }}"}}
      steps:
        - {id: stop, action: server.stop, with: {server: "${{ inputs.server }}"}, rollback: none}
        - {id: copy, action: backup.create, with: {server: "${{ inputs.server }}", name: a}, rollback: none}
      """
    let found = Refused.mistakes(text)
    #expect(found.map { $0.code } == ["E-STATE"])
    #expect(
      found.first?.message == "`backup.create` on zstack needs a server that is running or paused, but `stop` (line 7) "
        + "leaves it stopped")
    #expect(found.first?.range.start.line == 8)
    #expect(found.first?.hint == "put `action: server.start` before it, or move the step before `stop`")
  }
}
