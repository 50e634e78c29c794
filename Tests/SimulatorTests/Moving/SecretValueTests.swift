import Runbook
import Simulator
import TestSupport
import Testing

/// Masking is for what is shown. What is computed and sent has its true bytes; what is kept has none of a secret's.
@Suite struct SecretValueTests {
  private static let volume = """
    runbook: v1
    name: volumes
    secrets: {user: {source: env, key: DB_USER}}
    steps:
      - {id: find, run: find, env: {PGUSER: "${{ secrets.user }}"}, rollback: none, outputs: {volume: result.stdout}}
      - {id: wait, sleep: 10s}
      - {id: use, action: http.post, with: {url: "http://127.0.0.1:8099/detach", json: {volume: "${{ steps.find.outputs.volume }}"}}, rollback: none}
    """

  private func world() throws -> MovingWorld {
    try MovingWorld(
      Self.volume, secrets: ["user": "postgres"], scripts: [.init(matching: "find", stdout: "postgres-7\n")])
  }

  @Test func aValueThatHoldsASecretIsSentWithItsTrueBytesAndKeptWithoutThem() async throws {
    let world = try world()
    #expect(try await world.start().exitCode == 0, "\(world.story)")
    #expect(world.web.ledger.map(\.detail) == [#"{"volume":"postgres-7"}"#])
    #expect(!world.journal.contains("postgres"), "\(world.journal)")
    #expect(world.end(of: "find")?.fields["outputs"]?["volume"] == "***-7")
  }

  @Test func anotherProcessHasTheTrueValueToo() async throws {
    let world = try world()
    try await world.start(killedAt: "after commit of step.ended+step.started")
    #expect(try await world.resume().exitCode == 0, "\(world.story)")
    #expect(world.web.ledger.map(\.detail) == [#"{"volume":"postgres-7"}"#])
  }

  @Test func aSecretInWhatIsReadLaterIsNeededUntilNothingReadsIt() async throws {
    let world = try world()
    try await world.start(killedAt: "after commit of step.ended+step.started")
    let outlook = try await RunOutlook(of: MovingWorld.runID, world.runbook, in: world.store)
    #expect(outlook.neededSecrets(heeding: []) == ["user"])
    #expect(outlook.neededSecrets(heeding: [.cancel(by: "ops", rollback: true, request: 1)]) == [])
  }

  @Test func onlyWhatIsLeftToDoNeedsItsSecrets() async throws {
    let world = try MovingWorld(
      """
      runbook: v1
      name: needs
      secrets:
        done: {source: env, key: A}
        undo: {source: env, key: B}
        later: {source: env, key: C}
        always: {source: env, key: D}
        cloud: {source: env, key: E}
        idle: {source: env, key: F}
      providers:
        used: {type: vps_org, token: "${{ secrets.cloud }}"}
        unused: {type: vps_org, token: "${{ secrets.idle }}"}
      steps:
        - id: one
          run: echo one
          env: {T: "${{ secrets.done }}"}
          rollback: [{run: echo undo, env: {T: "${{ secrets.undo }}"}}]
        - {id: publish, action: http.post, with: {url: "http://127.0.0.1:8099/do/503/x"}, rollback: none}
        - {id: three, run: echo three, env: {T: "${{ secrets.later }}"}, rollback: none}
        - {id: look, action: server.status, provider: used, with: {server: "12345"}}
      always:
        - {run: echo always, env: {T: "${{ secrets.always }}"}}
      """,
      secrets: [
        "done": "aaaaaaaa", "undo": "bbbbbbbb", "later": "cccccccc", "always": "dddddddd", "cloud": "vps_eeee",
        "idle": "vps_ffff",
      ])
    guard case .parked = try await world.start() else {
      Issue.record("\(world.story)")
      return
    }
    let outlook = try await RunOutlook(of: MovingWorld.runID, world.runbook, in: world.store)
    #expect(outlook.neededSecrets(heeding: []) == ["undo", "later", "always", "cloud"])
    #expect(outlook.neededSecrets(heeding: [.cancel(by: "ops", rollback: true, request: 1)]) == ["undo", "always"])
  }

  @Test func aValueMadeOfASecretThatHasChangedIsLostAndNeverRebuilt() async throws {
    let world = try world()
    try await world.start(killedAt: "after commit of step.ended+step.started")
    world.rotate("user", to: "maintainer")
    #expect(try await world.resume().exitCode == 1, "\(world.story)")
    #expect(world.web.ledger.isEmpty)
    let message = world.end(of: "use")?.fields["error"]?["message"]?.string ?? ""
    #expect(message.contains("`user`"), "\(message)")
  }

  @Test func anExpectationIsJudgedOnTheTrueText() async throws {
    let world = try MovingWorld(
      """
      runbook: v1
      name: short
      secrets: {a: {source: env, key: A}}
      steps:
        - {id: look, run: look, env: {A: "${{ secrets.a }}"}, expect: "result.stdout == 'healthy'", rollback: none}
      """, secrets: ["a": "healthy"], scripts: [.init(matching: "look", stdout: "healthy")])
    #expect(try await world.start().exitCode == 0, "\(world.story)")
  }

  /// The value is shortened for the message; a secret that is cut in two would not be found afterwards.
  @Test func aMessageThatShortensAValueHoldsNoPartOfASecret() async throws {
    let secret = "canary-0123456789-0123456789-abcdef"
    for padding in stride(from: 40, through: 90, by: 3) {
      let world = try MovingWorld(
        """
        runbook: v1
        name: long
        secrets: {a: {source: env, key: A}}
        steps:
          - {id: look, run: look, env: {A: "${{ secrets.a }}"}, expect: "result.stdout == 'healthy'", rollback: none}
        """, secrets: ["a": secret],
        scripts: [.init(matching: "look", stdout: String(repeating: "x", count: padding) + secret)])
      #expect(try await world.start().exitCode == 1)
      #expect(!world.story.contains("canary"), "\(padding): \(world.story)")
      #expect(!world.journal.contains("canary"))
    }
  }

  /// The arguments of a step are evaluated once: a secret in them is journaled by reference, in whatever it was put.
  @Test func aRequestIsSentAgainWithTheSameBytesByAnotherProcess() async throws {
    let world = try MovingWorld(
      """
      runbook: v1
      name: again
      secrets: {pw: {source: env, key: PW}}
      steps:
        - id: put
          action: http.put
          with:
            url: "http://127.0.0.1:8099/do/lost,200/x"
            json: {login: "${{ 'user:' + secrets.pw }}", basic: "${{ base64('user:' + secrets.pw) }}", at: "${{ now() }}"}
          rollback: none
      """, secrets: ["pw": "correct horse"])
    try await world.start(killedAt: "before reading the reply to PUT")
    #expect(!world.journal.contains("correct horse"))
    world.clock.advance(by: .seconds(30))
    #expect(try await world.resume().exitCode == 0, "\(world.story)")
    let bodies = world.web.ledger.map(\.detail)
    #expect(bodies.count == 3)
    #expect(Set(bodies).count == 1, "\(bodies)")
    #expect(bodies.first?.contains("user:correct horse") == true)
  }

  @Test func aRunGoesOnWithoutASecretThatItsLastStepsDoNotNeed() async throws {
    let world = try MovingWorld(
      """
      runbook: v1
      name: without
      secrets: {a: {source: env, key: A}}
      steps:
        - {id: one, run: one, env: {A: "${{ secrets.a }}"}, rollback: [{run: undo, env: {A: "${{ secrets.a }}"}}]}
        - {id: two, run: two, rollback: none}
      """, secrets: ["a": "some-secret"])
    try await world.start(killedAt: "after starting a script")
    world.lose("a")
    world.without = ["a"]
    #expect(try await world.resume().exitCode == 0, "\(world.story)")
  }

  @Test func anUndoThatNeedsAMissingSecretFailsByItsName() async throws {
    let world = try MovingWorld(
      """
      runbook: v1
      name: without
      secrets: {a: {source: env, key: A}}
      steps:
        - {id: one, run: one, rollback: [{run: undo, env: {A: "${{ secrets.a }}"}}]}
        - {id: two, fail: no luck}
      """, secrets: ["a": "some-secret"])
    try await world.start(killedAt: "after starting a script")
    world.lose("a")
    world.without = ["a"]
    #expect(try await world.resume().exitCode == 4)
    #expect(
      world.end(of: "one.undo[0]")?.fields["error"]?["message"]?.string?.contains("`a`") == true, "\(world.story)")
  }
}
