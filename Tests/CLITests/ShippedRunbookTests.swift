import Glibc
import TestSupport
import Testing

/// A shipped runbook as the documentation tells to type it, and how it must end.
struct Shipped: Sendable, CustomTestStringConvertible {
  var file: String
  var inputs: [String]
  var mock: String?
  var code: Int32
  /// What stands in the lines, in this order.
  var story: [String]

  var testDescription: String { mock.map { "\(file) with \($0)" } ?? file }

  static let server = ["--input", "server=12345"]
  static let host = ["--input", "host=web01.example.com"]
  static let uuid = ["--input", "server=4e1c5a70b6d24f3c9a8b7c6d5e4f3a2b"]

  static let all = [
    Shipped(
      file: "pre_upgrade.yaml", inputs: server + host, code: 0,
      story: [
        "stop … stopped after", "snapshot … ready after", "update … done", "health … done in", "succeeded after",
      ]),
    Shipped(
      file: "pre_upgrade.yaml", inputs: server + host, mock: "mocks/update_fails.yaml", code: 3,
      story: [
        "update … failed", "undo update … snapshot.restore done", "undo stop … server.start done", "rollback succeeded",
        "notify.webhook", "failed, rolled back after",
      ]),
    Shipped(
      file: "restore_snapshot.yaml", inputs: server + host, code: 0,
      story: ["escape … ready after", "restore … done", "health … done in", "pre-migration-snapshot"]),
    Shipped(
      file: "scheduled_backup.yaml", inputs: server, code: 0,
      story: ["backup … ready after", "prune … done", "succeeded"]),
    Shipped(
      file: "dr_drill.yaml", inputs: uuid, code: 0,
      story: [
        "drill.before.production … done", "newest … done", "copy … done in", "answers … done",
        "drill.after.production … done", "drill: RTO ", "undo copy … server.delete done",
        "succeeded, rolled back after",
        "steady state  regained",
      ]),
    Shipped(
      file: "dr_drill.yaml", inputs: uuid, mock: "mocks/delete_fails.yaml", code: 4,
      story: [
        "drill: RTO ", "undo copy … server.delete failed", "FAILED: a person must look (exit 4)", "RTO ",
        "stands        copy (server drill-r", ", id ",
      ]),
    Shipped(
      file: "dr_standby.yaml",
      inputs: ["--input", "standby=12345", "--input", "host=standby.example.com"]
        + ["--input", "production=www.example.com"], code: 0,
      story: [
        "newest … done", "keep … ready after", "restore … done in", "answers … done", "drill: RTO ",
        "undo restore … snapshot.restore done", "undo keep … snapshot.delete done", "undone        keep, restore",
      ]),
    Shipped(
      file: "look_inside.yaml", inputs: ["--input", "server=5203773"] + host, code: 0,
      story: ["rescue … waiting until rescue, now `rescuing`", "log … done", "back … running after", "succeeded"]),
    Shipped(
      file: "fleet_upgrade.yaml", inputs: ["--inputs", Repository.path("runbooks/mocks/fleet.json")],
      mock: "mocks/fleet_good.yaml", code: 0,
      story: [
        "fleet[0].keep.snapshot … ready after", "fleet[0].upgrade … done", "fleet.gate[1].rate … done",
        "fleet.gate[4].rate … done", "fleet[7].healthy … done", "fleet … 8 of 8 succeeded", "succeeded after",
      ]),
    Shipped(
      file: "fleet_upgrade.yaml", inputs: ["--inputs", Repository.path("runbooks/mocks/fleet.json")],
      mock: "mocks/fleet_bad.yaml", code: 3,
      story: [
        "fleet[0].healthy … done", "fleet[7].upgrade … failed", "undo fleet[7].upgrade … snapshot.restore done",
        "7 of 8 succeeded", "failed, rolled back after", "undone  fleet[7].upgrade",
      ]),
  ]
}

@Suite struct ShippedRunbookTests {
  @Test(arguments: Shipped.all)
  func runsInASimulationAsDocumented(_ shipped: Shipped) async throws {
    let mock = shipped.mock.map { ["--mock", Repository.path("runbooks/\($0)")] } ?? []
    let run = try await Workplace().run(
      ["run", "--simulate", "--speed", "600"] + mock + [Repository.path("runbooks/\(shipped.file)")] + shipped.inputs)
    #expect(run.code == shipped.code, "\(run.stdout)\(run.stderr)")
    var rest = run.stdout[...]
    for part in shipped.story {
      let found = try #require(rest.firstRange(of: part), "`\(part)` is missing in \(run.stdout)")
      rest = rest[found.upperBound...]
    }
  }

  /// The tour of `survive_a_crash.yaml`, word for word: a real run against the served twin, killed while the snapshot
  /// is being taken, and resumed. One snapshot is taken.
  @Test func aKilledRunIsResumedAndTakesOneSnapshot() async throws {
    let place = try Workplace()
    let cloud = try place.start(["simulate", "vps_org", "--speed", "200"])
    try await cloud.waitFor("http://")
    let url = try #require(cloud.stdout.split(separator: " ").last { $0.hasPrefix("http://") })
      .prefix { !$0.isNewline }
    let token = ["VPS_TOKEN": "vps_example"]
    let run = try place.start(
      ["run", Repository.path("runbooks/survive_a_crash.yaml"), "--input", "cloud=\(url)"] + Shipped.server, token)
    try await run.waitFor("snapshot … waiting until ready")
    run.send(SIGKILL)
    #expect(try await run.finish().signal == SIGKILL)
    let id = try #require(try await place.run("list", "-q").lines.first)
    #expect(try await place.run("list").stdout.contains("running, interrupted"))

    let resumed = try await place.run(["resume", id], token)
    #expect(resumed.code == 0, "\(resumed.stdout)\(resumed.stderr)")
    #expect(resumed.stdout.contains("snapshot … ready"))
    try place.write("list.yaml", ShippedRunbookTests.list)
    let listed = try await place.run(["run", "list.yaml", "--input", "cloud=\(url)"], token)
    #expect(listed.stdout.ranges(of: "kept-").count == 1, "\(listed.stdout)\(listed.stderr)")
    cloud.send(SIGINT)
    _ = try await cloud.finish()
  }

  static let list = """
    runbook: v1
    name: list
    inputs: {cloud: {type: url}}
    secrets: {token: {source: env, key: VPS_TOKEN}}
    providers: {cloud: {type: vps_org, token: "${{ secrets.token }}", url: "${{ inputs.cloud }}"}}
    steps:
      - {id: all, action: snapshot.list, with: {server: 12345}}
    outputs: {names: "steps.all.outputs.snapshots.map(s, s.name)"}

    """
}
