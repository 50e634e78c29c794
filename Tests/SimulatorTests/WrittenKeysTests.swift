import Runbook
import Simulator
import Steps
import TestSupport
import Testing

/// A key that is written has its effect.
@Suite struct WrittenKeysTests {
  private typealias Rule = SimulatedScripts.Rule

  @Test(arguments: [
    ("{id: a, run: work, retry: {attempts: 3, delay: 1s}, rollback: none}", 3),
    ("{id: a, action: ssh.run, with: {host: db, script: work}, retry: {attempts: 3}, rollback: none}", 3),
    ("{id: a, run: work, retry: {delay: 1s}, rollback: none}", 1), ("{id: a, run: work, rollback: none}", 1),
    ("{id: a, run: work, retry: {attempts: 3, if: \"error.kind == 'timeout'\"}, rollback: none}", 1),
  ])
  func attemptsThatAreWrittenRepeatADefiniteFailure(_ step: String, _ tries: Int) async throws {
    let world = ScriptedWorld(scripts: [Rule(matching: "work", exitCode: 3, times: 2)])
    #expect(try await world.run("steps: [\(step)]").exitCode == (tries == 3 ? 0 : 1), "\(world.story)")
    #expect(world.scripts.ledger.count == tries)
  }

  /// What it did in all its tries is undone once.
  @Test func aStepThatWasRepeatedIsUndoneOnce() async throws {
    let world = ScriptedWorld(scripts: [Rule(matching: "work", exitCode: 3)])
    let step = "{id: a, run: work, retry: {attempts: 3, delay: 1s}, rollback: [{run: undo}]}"
    #expect(try await world.run("steps: [\(step)]").exitCode == 3, "\(world.story)")
    #expect(world.started.filter { $0.contains("/bin/sh") }.count == 4)
  }

  @Test(arguments: [404, 409, 500, 503])
  func attemptsRepeatAReadThatWasRefused(_ status: Int) async throws {
    let world = ScriptedWorld(ScriptedSystem(status, "{}"))
    let step = "{id: a, action: http.get, with: {url: 'https://web.example.com/'}, retry: {attempts: 4, delay: 1s}}"
    #expect(try await world.run("steps: [\(step)]").exitCode == 1)
    #expect(world.system.seen.count == 4)
  }

  @Test(arguments: [400, 401, 403, 422])
  func attemptsDoNotRepeatWhatIsWrongWithTheCallItself(_ status: Int) async throws {
    let world = ScriptedWorld(ScriptedSystem(status, "{}"))
    let step = "{id: a, action: http.get, with: {url: 'https://web.example.com/'}, retry: {attempts: 4, delay: 1s}}"
    #expect(try await world.run("steps: [\(step)]").exitCode == 1)
    #expect(world.system.seen.count == 1)
  }

  @Test(
    arguments: [
      ("run: work", "result.exit_code in [0, 2]", 2, 0), ("run: work", "result.exit_code in [0, 2]", 3, 1),
      ("run: work", "result['exit_code'] == 2", 2, 0), ("run: work", "result.stdout != 'exit_code'", 2, 1),
      ("action: ssh.run, with: {host: db, script: work}", "result.exit_code == 2", 2, 0),
    ] as [(String, String, Int32, Int32)])
  func whoeverReadsTheExitCodeDecidesAboutIt(
    _ kind: String, _ expect: String, _ code: Int32, _ exit: Int32
  ) async throws {
    let world = ScriptedWorld(scripts: [Rule(matching: "work", exitCode: code)])
    let end = try await world.run("steps: [{id: a, \(kind), expect: \"\(expect)\", rollback: none}]")
    #expect(end.exitCode == exit, "\(world.story)")
  }

  @Test(
    arguments: [
      ("result.status == 500", 0), ("result['status'] == 500", 0), ("result.body != 'status'", 1),
      ("result.json.?status.orValue('') == ''", 1),
    ] as [(String, Int32)])
  func onlyWhoReadsTheStatusDecidesAboutIt(_ expect: String, _ exit: Int32) async throws {
    let world = ScriptedWorld(ScriptedSystem(500, "{}"))
    let step = "{id: a, action: http.get, with: {url: 'https://web.example.com/'}, expect: \"\(expect)\", RETRY}"
      .replacing("RETRY", with: "retry: {attempts: 1}")
    #expect(try await world.run("steps: [\(step)]").exitCode == exit, "\(world.story)")
  }

  /// The first write is undone from what was there; the second would have been found out by the rollback only.
  @Test func aFileThatWasWrittenIsPutBack() async throws {
    let world = ScriptedWorld()
    try await world.files.write("/etc/motd", content: Array("old".utf8), mode: 0o640)
    let undo = "{action: file.write, if: self.before.exists, with: {path: /etc/motd, content: \"C\", mode: \"M\"}}"
      .replacing("C", with: "${{ self.before.content }}").replacing("M", with: "${{ self.before.mode }}")
    let write = "{id: a, action: file.write, with: {path: /etc/motd, content: new, mode: '0600'}, rollback: [\(undo)]}"
    #expect(try await world.run("steps: [\(write), {fail: no}]").exitCode == 3, "\(world.story)")
    let file = try #require(world.files.files["/etc/motd"])
    #expect(file.content == Array("old".utf8) && file.mode == 0o640)
  }

  /// While it runs and at any later time.
  @Test func aLineForTheLogStandsInTheLog() async throws {
    let world = ScriptedWorld()
    let text =
      "steps:\n  - {id: a, action: log.info, with: {message: hello people}}\n"
      + "  - {id: b, action: log.warn, with: {message: mind the gap}}\n"
    #expect(try await world.run(text).exitCode == 0)
    var words = EventText(actions: KnownActions(builtIn: standardActions.map { $0.declaration }))
    let lines = world.observer.events.compactMap { words.line(for: $0) }
    #expect(lines.contains { $0.hasSuffix("a … hello people") }, "\(lines)")
    #expect(lines.contains { $0.hasSuffix("b … warning: mind the gap") }, "\(lines)")
  }

  @Test func aFailureThatIsBorneInAlwaysChangesNoExitCode() async throws {
    let world = ScriptedWorld(scripts: [Rule(matching: "work", exitCode: 3)])
    let end = try await world.run(
      "steps: [{id: a, sleep: 1s}]\nalways: [{id: b, run: work, continue_on_error: true}]")
    #expect(end.exitCode == 0, "\(world.story)")
  }
}
