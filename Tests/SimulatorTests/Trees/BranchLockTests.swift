import Runbook
import Simulator
import TestSupport
import Testing
import VPSOrgCloud

/// Inside a run the lock of a server is one branch's at a time.
@Suite struct BranchLockTests {
  /// The server of the second branch is known only during the run, so nobody can tell before.
  private static func text(_ steps: String, limit: Int) -> String {
    """
    runbook: v1
    name: locks
    limits: {parallel: \(limit)}
    inputs: {server: {type: string}}
    secrets: {token: {source: env, key: T}}
    providers: {cloud: {type: vps_org, token: "${{ secrets.token }}"}}
    defaults: {"*": {with: {server: "${{ inputs.server }}"}}}
    steps:
      - {id: same, action: server.status}
      - id: both
        parallel:
    \(steps)
    """
  }

  private static let late =
    #"{id: late, action: server.start, with: {server: "${{ steps.same.outputs.id }}"}, rollback: none}"#

  /// The first branch has stopped the server, and is not at its end.
  @Test func twoBranchesDoNotChangeOneServerAtATime() async throws {
    let steps = """
          - id: one
            block:
              - {id: stop, action: server.stop, rollback: [{action: server.start}]}
              - {id: hold, approve: {prompt: Go on?, timeout: 30d}}
          - id: two
            block:
              - {wait_for: server.status, wait: {until: result.state == 'stopped', timeout: 1h}}
              - \(Self.late)
      """
    let world = try MovingWorld(
      Self.text(steps, limit: 50), inputs: ["server": "12345"], secrets: ["token": "vps_token-1"])
    let end = try await world.start()
    let late = try #require(world.end(of: "both.two.late"), "\(world.story)")
    #expect(late.fields["error"]?["kind"] == "lock", "\(world.story)")
    #expect(late.fields["error"]?["message"]?.string?.contains("both.one") == true)
    #expect(end.exitCode == 3, "\(world.story)")
  }

  /// One after the other: the second branch begins when the first has ended.
  @Test func aServerIsFreeForTheNextBranchWhenTheFirstHasEnded() async throws {
    let steps = """
          - {id: one, action: server.stop, rollback: none}
          - \(Self.late)
      """
    let world = try MovingWorld(
      Self.text(steps, limit: 1), inputs: ["server": "12345"], secrets: ["token": "vps_token-1"])
    let end = try await world.start()
    #expect(end.exitCode == 0, "\(world.story)")
  }
}
