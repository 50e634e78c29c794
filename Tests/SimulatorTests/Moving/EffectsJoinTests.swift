import Runbook
import Simulator
import Testing

/// A step's effect is the join of all its requests, whatever the last of them was answered.
@Suite struct EffectsJoinTests {
  /// What becomes of the requests of one step, and what follows.
  struct Fates: Sendable, CustomTestStringConvertible {
    var fates: String
    var action = "http.put"
    var extra = ""
    var deeds: [String]
    var exitCode: Int32 = 3
    var testDescription: String { "\(action) \(fates) \(extra)" }
  }

  @Test(arguments: [
    Fates(fates: "502,409", deeds: ["PUT x", "PUT x", "DELETE x"]),
    Fates(fates: "503,404", deeds: ["PUT x", "PUT x", "DELETE x"]),
    Fates(fates: "500,422", deeds: ["PUT x", "PUT x", "DELETE x"]),
    Fates(fates: "lost,409", deeds: ["PUT x", "PUT x", "DELETE x"]),
    Fates(fates: "502,429,409", deeds: ["PUT x", "PUT x", "PUT x", "DELETE x"]),
    Fates(fates: "502,409", action: "http.post", extra: "idempotent: true,", deeds: ["POST x", "POST x", "DELETE x"]),
    Fates(fates: "lost,403", action: "http.post", extra: "idempotent: true,", deeds: ["POST x", "POST x", "DELETE x"]),
    Fates(fates: "502", extra: "retry: {attempts: 2},", deeds: ["PUT x", "PUT x", "DELETE x"]),
    // Certainly nothing happened.
    Fates(fates: "409", deeds: ["PUT x"], exitCode: 1), Fates(fates: "422", deeds: ["PUT x"], exitCode: 1),
  ])
  func aStepOneOfWhoseRequestsMayHaveArrivedIsUndone(_ row: Fates) async throws {
    let world = try MovingWorld(
      """
      runbook: v1
      name: join
      steps:
        - {id: change, action: \(row.action), \(row.extra) with: {url: "http://127.0.0.1:8099/do/\(row.fates)/x"},
           rollback: [{action: http.delete, with: {url: "http://127.0.0.1:8099/x"}}]}
      """)
    let end = try await world.start()
    #expect(world.web.deeds == row.deeds, "\(world.story)")
    #expect(end.exitCode == row.exitCode)
  }

  @Test func aCancelBetweenTwoAttemptsUndoesWhatAnEarlierOneMayHaveDone() async throws {
    let world = try MovingWorld(
      """
      runbook: v1
      name: join
      steps:
        - {id: change, action: http.put, with: {url: "http://127.0.0.1:8099/do/502,429/x"}, retry: {attempts: 9, delay: 10s},
           rollback: [{action: http.delete, with: {url: "http://127.0.0.1:8099/x"}}]}
      """)
    try await world.start(killedAt: "after commit of attempt.ended")
    _ = try await world.resume(life: KillSwitch(where: "after commit of attempt.ended"))
    try world.post("cancel", ["rollback": true])
    let end = try await world.resume()
    #expect(end.exitCode == 5, "\(world.story)")
    #expect(world.web.deeds.last == "DELETE x")
  }

  @Test func nothingIsUndoneWhileAnEarlierRequestMayStillArrive() async throws {
    let world = try MovingWorld(
      """
      runbook: v1
      name: late
      steps:
        - {id: change, action: http.put, with: {url: "http://127.0.0.1:8099/do/late8,200/x"},
           rollback: [{action: http.delete, with: {url: "http://127.0.0.1:8099/x"}}]}
        - {id: stop, fail: no luck}
      """)
    let end = try await world.start()
    #expect(end.exitCode == 3)
    #expect(world.web.deeds == ["PUT x", "PUT x", "DELETE x"], "\(world.web.ledger)")
    #expect(world.messages.contains { $0.contains("may still arrive") }, "nobody was told what the rollback waits for")
  }

  @Test(arguments: [
    ("idempotent: true, ", 3), ("idempotent: true, retry: {attempts: 2}, ", 2), ("retry: {attempts: 2}, ", 1),
  ])
  func anOpaqueRequestIsRepeatedAsOftenAsItsRetryAllowsAndNoMore(_ extra: String, _ count: Int) async throws {
    let world = try MovingWorld(
      """
      runbook: v1
      name: storm
      steps:
        - {id: change, action: http.post, \(extra)with: {url: "http://127.0.0.1:8099/do/503/x"}, rollback: none}
      """)
    _ = try await world.start()
    #expect(world.web.deeds == Array(repeating: "POST x", count: count), "\(world.story)")
  }

  @Test func aBareRequestIsSentThreeTimesUnlessItsAuthorSaysOtherwise() async throws {
    let world = try MovingWorld(
      """
      runbook: v1
      name: storm
      steps:
        - {id: change, action: http.put, with: {url: "http://127.0.0.1:8099/do/503/x"}, timeout: 10m, rollback: none}
      """)
    _ = try await world.start()
    #expect(world.web.deeds == ["PUT x", "PUT x", "PUT x"], "\(world.story)")
    #expect(world.end(of: "change")?.fields["error"]?["message"]?.string?.contains("503") == true)
  }

  @Test func aResendAfterACrashCountsAsAnAttempt() async throws {
    let world = try MovingWorld(
      """
      runbook: v1
      name: crash
      steps:
        - {id: change, action: http.post, idempotent: true, retry: {attempts: 2}, with: {url: "http://127.0.0.1:8099/do/503,503,503,503,200/x"}, rollback: none}
      """)
    try await world.start(killedAt: "before reading the reply to POST")
    _ = try await world.resume()
    #expect(world.web.deeds == ["POST x", "POST x"], "\(world.story)")
  }
}
