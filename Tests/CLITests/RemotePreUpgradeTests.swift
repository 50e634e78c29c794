import Glibc
import Posix
import TestSupport
import Testing

/// `runbooks/pre_upgrade.yaml` against a real OpenSSH server and a simulated cloud: what happens in the middle of
/// `update`.
@Suite(.enabled(if: RemoteRun.whyNot == nil, "there is no OpenSSH server to try it with"))
struct RemotePreUpgradeTests {
  /// What happens while the script runs on the server.
  enum Fault: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case engineKilled, clientKilled, connectionKilled, lineCut, proxyRestarted
    var testDescription: String { rawValue }
  }

  @Test("a fault in the middle of the update changes nothing: the script runs once, and the upgrade succeeds")
  func aFaultInTheMiddleOfTheUpdateChangesNothing() async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for fault in Fault.allCases { group.addTask { try await Self.check(fault) } }
      try await group.waitForAll()
    }
  }

  private static func check(_ fault: Fault) async throws {
    let upgrade = try await PreUpgrade()
    let running = try upgrade.start()
    try await upgrade.place.waitFor("start", in: "ledger")
    let ended: Finished
    if fault == .engineKilled {
      running.send(SIGKILL)
      let killed = try await running.finish()
      #expect(killed.signal == SIGKILL, "\(fault): \(killed)")
      #expect(upgrade.ledger == ["start"], "\(fault): it was not in the middle of the script")
      try upgrade.place.write("go", "")
      let id = try #require(killed.runID)
      ended = try await upgrade.place.run(["resume", id], upgrade.secrets)
    } else {
      try upgrade.disturb(fault)
      // Only now the script may go on: the fault came before its end, and was noticed.
      try await upgrade.waitForLoss(running)
      #expect(upgrade.ledger == ["start"], "\(fault): it was not in the middle of the script")
      upgrade.mend(fault)
      try upgrade.place.write("go", "")
      ended = try await running.finish()
    }
    #expect(ended.code == 0, "\(fault): \(ended.stdout)\(ended.stderr)")
    #expect(upgrade.ledger == ["start", "end"], "\(fault)")
    #expect(upgrade.posts.count { $0 == "/snapshots/" } == 1, "\(fault): \(upgrade.posts)")
    #expect(upgrade.posts.count { $0.hasSuffix("/restore/") } == 0, "\(fault): \(upgrade.posts)")
    #expect(upgrade.hooks == 1, "\(fault)")
    let id = try #require(Finished(stdout: running.stdout, stderr: "").runID)
    #expect(try await upgrade.snapshots() == ["pre-\(id)"], "\(fault)")
    let output = try await upgrade.place.run("logs", id, "--output", "update", "--stream", "stdout")
    #expect(output.stdout == PreUpgrade.output, "\(fault): \(output.stdout.count) bytes, \(output.stderr)")
  }

  @Test("Ctrl-C in the middle of the update ends its whole tree there, and puts the snapshot back")
  func controlCEndsTheRemoteTreeAndPutsTheSnapshotBack() async throws {
    let upgrade = try await PreUpgrade(grace: "1s")
    let tree = upgrade.place.path("tree")
    try upgrade.place.write(
      "update.sh",
      """
      export UPDATE_TREE=\(tree)
      sh -c 'trap "" TERM; echo stubborn >> \(upgrade.place.path("ledger")); while :; do sleep 1; done' &
      setsid sh -c 'echo left >> \(upgrade.place.path("ledger")); sleep 700; exit 0' &
      sleep 701
      echo late >> \(upgrade.place.path("ledger"))

      """)
    let running = try upgrade.start()
    try await upgrade.place.waitFor("stubborn", in: "ledger")
    try await upgrade.place.waitFor("left", in: "ledger")
    #expect(ProcessEntry.bearing("UPDATE_TREE=\(tree)").count >= 4)
    running.send(SIGINT)
    // Nothing is put back while something of it runs.
    try await running.waitFor("snapshot.restore")
    #expect(ProcessEntry.bearing("UPDATE_TREE=\(tree)").isEmpty)
    let ended = try await running.finish()
    #expect(ended.code == 5, "\(ended.stdout)\(ended.stderr)")
    #expect(upgrade.ledger.sorted() == ["left", "stubborn"])
    #expect(upgrade.posts.count { $0 == "/snapshots/" } == 1, "\(upgrade.posts)")
    #expect(upgrade.posts.count { $0.hasSuffix("/restore/") } == 1, "\(upgrade.posts)")
    #expect(ended.stdout.contains("undo stop … server.start done"), "\(ended.stdout)")
    #expect(upgrade.hooks == 1)
    #expect(ProcessEntry.bearing("UPDATE_TREE=\(tree)").isEmpty)
    withExtendedLifetime(upgrade) {}
  }
}
