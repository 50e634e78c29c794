import Runbook
import Simulator
import TestSupport
import Testing
import VPSOrgCloud

/// Inside a run the lock of a server is one branch's at a time.
@Suite struct BranchLockTests {
  /// The server of the second branch is known only during the run, so nobody can tell before.
  private static let text = """
    runbook: v1
    name: locks
    inputs: {server: {type: string}}
    secrets: {token: {source: env, key: T}}
    providers: {cloud: {type: vps_org, token: "${{ secrets.token }}"}}
    steps:
      - {id: same, action: server.status, with: {server: "${{ inputs.server }}"}}
      - id: both
        parallel:
          - {id: one, action: server.stop, with: {server: "${{ inputs.server }}"}, rollback: [{action: server.start, with: {server: "${{ inputs.server }}"}}]}
          - id: two
            block:
              - {sleep: 1s}
              - {id: late, action: server.reboot, with: {server: "${{ steps.same.outputs.id }}"}, rollback: none}
    """

  @Test func twoBranchesDoNotChangeOneServerAtATime() async throws {
    let world = try MovingWorld(Self.text, inputs: ["server": "12345"], secrets: ["token": "vps_token-1"])
    let end = try await world.start()
    let late = try #require(world.end(of: "both.two.late"), "\(world.story)")
    #expect(late.fields["error"]?["kind"] == "lock", "\(world.story)")
    #expect(late.fields["error"]?["message"]?.string?.contains("both.one") == true)
    #expect(end.exitCode == 3, "\(world.story)")
    #expect(!world.twin.ledger.contains { $0.effect == "server.reboot" })
  }

  /// When the first branch has come to its end, the next may have the server.
  @Test func aServerIsFreeForTheNextBranchWhenTheFirstHasEnded() async throws {
    let text = Self.text.replacing("{sleep: 1s}", with: "{sleep: 20m}").replacing(
      #"rollback: [{action: server.start, with: {server: "${{ inputs.server }}"}}]"#, with: "rollback: none"
    )
    .replacing("server.reboot", with: "server.start")
    let world = try MovingWorld(text, inputs: ["server": "12345"], secrets: ["token": "vps_token-1"])
    let end = try await world.start()
    #expect(end.exitCode == 0, "\(world.story)")
  }
}
