import VPSOrgCloud
import Runbook
import Testing

/// A run does not destroy what its own undo steps put back.
@Suite struct WayBackTests {
  @Test func aRunDoesNotDeleteTheSnapshotThatItsUndoNeeds() async throws {
    let snapshot = #"with: {server: "12345", snapshot: "${{ steps.shot.outputs.id }}"}"#
    let world = try MovingWorld(
      """
      runbook: v1
      name: way back
      secrets: {token: {source: env, key: T}}
      providers: {cloud: {type: vps_org, token: "${{ secrets.token }}"}}
      steps:
        - {id: shot, action: snapshot.create, with: {server: "12345", name: mine}, rollback: none}
        - {id: change, run: echo change, rollback: [{action: snapshot.restore, \(snapshot)}]}
        - {id: away, action: snapshot.delete, \(snapshot), rollback: none}
      """, secrets: ["token": "vps_token-1"])
    // The deletion is refused, so what was changed is put back.
    #expect(try await world.start().exitCode == 3, "\(world.story)")
    let effects = world.twin.ledger.map(\.effect)
    #expect(!effects.contains("snapshot.delete"), "\(effects)")
    #expect(effects.contains("snapshot.restore"), "\(effects)")
    #expect(world.end(of: "away")?.fields["error"]?["kind"] == "conflict", "\(world.story)")
  }
}
