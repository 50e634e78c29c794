import Runbook
import Simulator
import TestSupport
import Testing

/// An output that is one whole stream lies in the store, and the journal refers to it.
@Suite struct StreamValueTests {
  private static let secret = SecretShreds.text
  private static let stream = (0..<5000).map { "line \($0) \($0 % 10 == 0 ? secret : "")\n" }.joined()
  private static let book = """
    runbook: v1
    name: streams
    secrets: {token: {source: env, key: TOKEN}}
    steps:
      - id: find
        run: find
        env: {T: "${{ secrets.token }}"}
        rollback: none
        expect: "size(result.stdout) == \(stream.utf8.count - 1)"
        outputs: {log: result.stdout}
      - {id: rest, sleep: 10s}
      - id: use
        action: http.post
        with: {url: "http://127.0.0.1:8099/use", json: {size: "${{ size(steps.find.outputs.log) }}", line: "${{ steps.find.outputs.log.split('\\\\n')[4990] }}"}}
        rollback: none
    """
  private static let sent = #"{"line":"line 4990 \#(secret)","size":\#(stream.utf8.count - 1)}"#

  private func world() throws -> MovingWorld {
    try MovingWorld(
      Self.book, secrets: ["token": Self.secret], scripts: [.init(matching: "find", stdout: Self.stream)])
  }

  @Test func aWholeStreamIsUsedAsTextAndNoFactCarriesIt() async throws {
    let world = try world()
    #expect(try await world.start().exitCode == 0, "\(world.story.suffix(2000))")
    #expect(world.web.ledger.map(\.detail) == [Self.sent])
    #expect(world.journal.utf8.count < 20_000 && SecretShreds.found(in: world.journal) == nil)
    #expect(world.end(of: "find")?.fields["outputs"]?["log"]?.string?.hasPrefix("line 0 ***\nline 1 \n") == true)
  }

  /// It has only the journal and the store.
  @Test func anotherProcessHasTheWholeStreamToo() async throws {
    let world = try world()
    try await world.start(killedAt: "after commit of step.ended+step.started")
    // Whatever the host still had of it is gone.
    for key in world.scripts.kept { await world.scripts.forget(key) }
    #expect(try await world.resume().exitCode == 0, "\(world.story.suffix(2000))")
    #expect(world.web.ledger.map(\.detail) == [Self.sent])
  }

  /// Whoever carries the run on is asked for the secret, though no field names it any more.
  @Test func aSecretInAStreamThatIsStillReadIsNeeded() async throws {
    let world = try world()
    try await world.start(killedAt: "after commit of step.ended+step.started")
    let outlook = try await RunOutlook(of: MovingWorld.runID, world.runbook, in: world.store)
    #expect(outlook.neededSecrets(heeding: []) == ["token"])
  }

  @Test func aStreamThatHoldsASecretThatHasChangedIsLostAndNeverRebuilt() async throws {
    let world = try world()
    try await world.start(killedAt: "after commit of step.ended+step.started")
    world.rotate("token", to: "another secret")
    #expect(try await world.resume().exitCode == 1, "\(world.story.suffix(2000))")
    #expect(world.web.ledger.isEmpty)
    let message = world.end(of: "use")?.fields["error"]?["message"]?.string ?? ""
    #expect(message.contains("`token`"), "\(message)")
  }
}
