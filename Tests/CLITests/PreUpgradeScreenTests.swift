import TestSupport
import Testing

/// What the last screen says when the shipped `pre_upgrade.yaml` fails: why, and in what state the server is.
@Suite struct PreUpgradeScreenTests {
  struct Day: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var mock: String
    var code: Int32
    /// Parts of the last screen.
    var says: [String]
  }

  private static let failing = "  update: {after: 40s, result: {exit_code: 100, stderr: \"E: held broken packages\"}}"

  @Test(arguments: [
    Day(
      testDescription: "the update fails, and is undone", mock: "steps:\n\(failing)", code: 3,
      says: [
        "failed at `update`", "the script ended with exit code 100\n          | E: held broken packages",
        "undone  stop, update", "server  12345 is running, as `stop.undo[0]` left it",
      ]),
    Day(
      testDescription: "the update fails, and its undo",
      mock: "steps:\n\(failing)\nfaults:\n  vps_org: [\"fails:snapshot.restore:99\"]", code: 4,
      says: [
        "its rollback FAILED: a person must look", "not undone  update.undo[0] snapshot.restore: ",
        "not undone  stop.undo[0] server.start: not begun", "server      12345 ",
        ", after `update.undo[0]` did not succeed",
      ]),
    Day(
      testDescription: "the host cannot be reached",
      mock: "steps:\n  update: {fail: {kind: unreachable, message: web01 cannot be reached by ssh}}", code: 3,
      says: [
        "failed  update: unreachable: web01 cannot be reached by ssh", "undone  stop", "server  12345 is running",
      ]),
    Day(
      testDescription: "the snapshot is refused", mock: "faults:\n  vps_org: [\"409:snapshot.create:99\"]", code: 3,
      says: [
        "failed  snapshot: conflict: VPS.org refused POST /snapshots/", "undone  stop", "server  12345 is running",
      ]),
    Day(
      testDescription: "the cloud answers nonsense", mock: "faults:\n  vps_org: [\"html_200:server.stop:99\"]", code: 1,
      says: ["failed  stop: ", "but not as it should: it is an HTML page"]),
  ])
  func theLastScreenSaysWhyAndInWhatStateTheServerIs(_ day: Day) async throws {
    let place = try Workplace()
    try place.write("mock.yaml", "mock: v1\n\(day.mock)\n")
    let run = try await place.run(
      "run", "--simulate", "--speed", "3000", "--mock", "mock.yaml", Repository.path("runbooks/pre_upgrade.yaml"),
      "--input", "server=12345", "--input", "host=web01.example.com")
    #expect(run.code == day.code, "\(run)")
    let screen = run.stdout[(run.stdout.lastIndex(of: "✗") ?? run.stdout.endIndex)...]
    for part in day.says { #expect(screen.contains(part), "`\(part)`: \(screen)") }
  }
}
