import VPSOrgCloud
import Runbook
import Simulator
import Stores
import Testing

/// Nothing is undone while it may still happen, and what could not be asked does not count as at rest.
@Suite struct RestBeforeUndoTests {
  private static let scripted = """
    runbook: v1
    name: scripted
    secrets: {token: {source: env, key: T}}
    steps:
      - {id: change, run: echo change, env: {T: "${{ secrets.token }}"}, timeout: 10m, rollback: [{run: echo undo}]}
      - {id: stop, fail: no luck}
    """

  @Test func aStepIsNotUndoneWhileItsScriptRunsThoughItsSecretHasChanged() async throws {
    let world = try MovingWorld(
      Self.scripted, secrets: ["token": "first-secret"],
      scripts: [.init(matching: "change", duration: .seconds(60))])
    try await world.start(killedAt: "after starting a script")
    world.rotate("token", to: "other-secret")
    let began = world.clock.monotonic
    let end = try await world.resume()
    #expect(end.exitCode == 3, "\(world.story)")
    #expect(world.started.count == 2)
    let undo = try #require(world.scripts.ledger.last)
    #expect(undo.at - world.scripts.ledger[0].at >= .seconds(60), "undone after \(world.clock.monotonic - began)")
  }

  @Test func aScriptThatEndedIsReadThoughItsSecretHasChanged() async throws {
    let world = try MovingWorld(
      Self.scripted, secrets: ["token": "first-secret"],
      scripts: [.init(matching: "change", stdout: "using first-secret")])
    try await world.start(killedAt: "after starting a script")
    world.rotate("token", to: "other-secret")
    let end = try await world.resume()
    #expect(end.exitCode == 3)
    #expect(world.end(of: "change")?.fields["status"] == "succeeded", "\(world.story)")
    // Nobody can mask a secret that is not known any more: what the script wrote is lost.
    #expect(!world.journal.contains("first-secret"))
    #expect(!world.story.contains("first-secret"))
  }

  @Test(arguments: ["always", "undo"])
  func cleanUpOfUnknownOutcomeIsNotCalledDone(_ place: String) async throws {
    let hook =
      #"{action: http.post, with: {url: "http://127.0.0.1:8099/do/200/hook", headers: {T: "${{ secrets.token }}"}}}"#
    let text =
      place == "undo"
      ? """
      runbook: v1
      name: cleanup
      locks: [rack-1]
      secrets: {token: {source: env, key: T}}
      steps:
        - {id: change, run: echo change, rollback: [\(hook)]}
        - {id: stop, fail: no luck}
      """
      : """
      runbook: v1
      name: cleanup
      secrets: {token: {source: env, key: T}}
      steps: [{id: change, run: echo change, rollback: none}]
      always: [\(hook)]
      """
    let world = try MovingWorld(text, secrets: ["token": "first-secret"])
    try await world.start(killedAt: "before reading the reply to POST")
    world.rotate("token", to: "other-secret")
    let end = try await world.resume()
    #expect(world.web.deeds.allSatisfy { $0 == "POST hook" })
    #expect(end.exitCode == (place == "undo" ? 4 : 1), "\(world.story)")
    #expect(world.locks == (place == "undo" ? ["rack-1"] : []))
    let failed = world.end(of: place == "undo" ? "change.undo[0]" : "always[0]")
    #expect(failed?.fields["status"] != "succeeded")
    #expect(failed?.fields["error"]?["message"]?.string?.contains("`token`") == true, "\(world.story)")
  }

  /// The process of a clean-up script is gone and left no exit code: it is begun again, under another key, and counted.
  @Test(arguments: [("undo", 4), ("always", 3)])
  func aCleanUpScriptWithoutAnExitCodeIsBegunAgainAndNotForEver(_ place: String, _ code: Int32) async throws {
    let world = try MovingWorld(
      """
      runbook: v1
      name: lost
      steps:
        - {id: change, run: echo change, rollback: [{run: echo \(place == "undo" ? "clean" : "undo")}]}
        - {id: stop, fail: no luck}
      always: [{run: echo \(place == "always" ? "clean" : "bell")}]
      """, scripts: [.init(matching: "clean", isLost: true)])
    let end = try await world.start()
    let keys = world.scripts.ledger.filter { $0.effect == "script.start" }.map(\.subject)
    #expect(Set(keys).count == keys.count, "a key was used twice")
    #expect(end.exitCode == code, "\(world.story)")
    #expect(keys.count == (place == "undo" ? 5 : 5), "\(world.scripts.ledger)")
    #expect(world.events("run.ended").count == 1)
  }

  @Test func anUndoScriptThatIsLostOnceIsBegunAgainAndUndoesItsStep() async throws {
    let world = try MovingWorld(
      """
      runbook: v1
      name: lost
      steps:
        - {id: change, run: echo change, rollback: [{run: echo clean}]}
        - {id: stop, fail: no luck}
      """, scripts: [.init(matching: "clean", isLost: true, times: 1)])
    let end = try await world.start()
    #expect(end.exitCode == 3, "\(world.story)")
    #expect(world.started.count == 3)
  }

  /// Its life is the step's deadline: no constant is long enough for a script.
  @Test func aRemoteScriptIsAwaitedToItsDeadlineBeforeItIsUndone() async throws {
    let world = try MovingWorld(
      """
      runbook: v1
      name: remote
      steps:
        - id: update
          action: ssh.run
          with: {host: db-1, script: sleep 1200, detached: false}
          timeout: 40m
          rollback: [{run: echo undo}]
      """, scripts: [.init(matching: "db-1", duration: .seconds(1), isLost: true)])
    let end = try await world.start()
    #expect(end.exitCode == 3, "\(world.story)")
    let (first, last) = (try #require(world.scripts.ledger.first), try #require(world.scripts.ledger.last))
    #expect(last.at - first.at >= .seconds(2400 - 5), "undone after \((last.at - first.at).text)")
    #expect(world.messages.contains { $0.contains("not undone yet") })
  }

  @Test(
    "a script on another machine whose end nobody saw is neither undone nor begun again: a person is asked",
    arguments: ["false", "true"])
  func aRemoteScriptWhoseEndNobodySawIsNeitherUndoneNorBegunAgain(isIdempotent: String) async throws {
    let world = try MovingWorld(
      """
      runbook: v1
      name: remote
      steps:
        - id: update
          action: ssh.run
          with: {host: db-1, script: sleep 1200}
          idempotent: \(isIdempotent)
          timeout: 40m
          rollback: [{run: echo undo}]
      """, scripts: [.init(matching: "db-1", isLost: true)])
    let end = try await world.start()
    #expect(end.exitCode == 6, "\(world.story)")
    #expect(world.started.isEmpty)
    // One key: no second copy was begun under another one.
    #expect(Set(world.events("attempt.ended").map { $0.fields["attempt"]?.int }).count <= 1, "\(world.story)")
  }

  @Test("an undo that puts the machine back from outside does not wait for a machine that is gone")
  func anUndoFromOutsideDoesNotWaitForAMachineThatIsGone() async throws {
    let snapshot = #"with: {server: "12345", snapshot: "${{ steps.shot.outputs.id }}"}"#
    let world = try MovingWorld(
      """
      runbook: v1
      name: remote
      secrets: {token: {source: env, key: T}}
      providers: {cloud: {type: vps_org, token: "${{ secrets.token }}"}}
      steps:
        - {id: shot, action: snapshot.create, with: {server: "12345", name: mine}, rollback: none}
        - id: update
          action: ssh.run
          with: {host: db-1, script: sleep 1200}
          timeout: 40m
          rollback: [{action: snapshot.restore, \(snapshot)}]
      """, secrets: ["token": "vps_token-1"], scripts: [.init(matching: "db-1", isLost: true)])
    let begun = world.clock.now
    #expect(try await world.start().exitCode == 3, "\(world.story)")
    #expect(world.twin.ledger.map(\.effect).contains("snapshot.restore"))
    let restored = try #require(world.twin.ledger.last { $0.effect == "snapshot.restore" })
    #expect(restored.at - begun >= .seconds(2400), "undone before its time was over")
    #expect(restored.at - begun < .seconds(3600))
  }

  /// Nobody ever answers: clean-up is repeated, and not for ever.
  @Test(arguments: [("undo", 4), ("always", 1)])
  func cleanUpThatIsNeverAnsweredEnds(_ place: String, _ code: Int32) async throws {
    let hook = #"{action: http.post, with: {url: "http://127.0.0.1:8099/do/lost/hook"}}"#
    let world = try MovingWorld(
      place == "undo"
        ? """
        runbook: v1
        name: cleanup
        steps:
          - {id: change, run: echo change, rollback: [\(hook)]}
          - {id: stop, fail: no luck}
        """
        : """
        runbook: v1
        name: cleanup
        steps: [{id: change, run: echo change, rollback: none}]
        always: [\(hook)]
        """)
    #expect(try await world.start().exitCode == code, "\(world.story)")
    #expect(world.web.deeds.count > 2)
  }

  /// The script had ended, and its folder was swept, in the life that was put back.
  @Test func aScriptIsNotBegunAgainInARestoredStoreBecauseItsFolderIsGone() async throws {
    let world = try MovingWorld(Self.scripted, secrets: ["token": "first-secret"])
    try await world.start(killedAt: "after starting a script")
    await world.scripts.forget(try #require(world.scripts.ledger.first).subject)
    let copy = MemoryStore(clock: world.clock)
    var summary = try world.store.summary(of: MovingWorld.runID)
    summary.isRestored = true
    try copy.restore(
      summary, entries: try world.store.entries(of: MovingWorld.runID, after: 0), requests: [], locks: [], epoch: 1)
    world.store = copy
    guard case .restored = try await world.resume() else {
      Issue.record("nobody was asked: \(world.story)")
      return
    }
    world.acceptsRestored = "ops"
    _ = try await world.resume()
    let begun = world.events("step.started").filter { $0.fields["step"] == "change" }
    #expect(begun.count == 1)
    #expect(
      world.scripts.ledger.filter { $0.subject == world.scripts.ledger.first?.subject }.count == 1, "\(world.story)")
    #expect(world.end(of: "change")?.fields["status"] == "unknown", "\(world.story)")
  }
}
