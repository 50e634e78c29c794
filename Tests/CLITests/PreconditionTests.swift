import Glibc
import Posix
import Testing

/// What a cloud would refuse is told before anything is changed, by every command that can know it.
@Suite struct PreconditionTests {
  private static let top = """
    runbook: v1
    name: precondition
    inputs: {cloud: {type: url}}
    secrets: {token: {source: env, key: VPS_TOKEN}}
    providers: {cloud: {type: vps_org, token: "${{ secrets.token }}", url: "${{ inputs.cloud }}"}}
    defaults: {"server.*": {rollback: none, with: {server: 12345}}}
    steps:

    """
  private static let stop = "  - {id: stop, action: server.stop, with: {mode: hard}}\n"
  private static let reboot = "  - {id: again, action: server.reboot}\n"

  @Test("a reboot behind a stop is refused by `validate` and by `run`, and no cloud is asked")
  func whatCannotWorkIsRefusedByValidateAndRun() async throws {
    let place = try Workplace()
    try place.write("a.yaml", Self.top + Self.stop + Self.reboot)
    for command in [["validate", "a.yaml"], ["run", "a.yaml", "--input", "cloud=http://127.0.0.1:1"]] {
      let refused = try await place.run(command, ["VPS_TOKEN": "vps_example"])
      #expect(refused.code == 2)
      #expect(refused.stderr.contains("a.yaml:9:25: error E-STATE: "), "\(refused.stderr)")
      #expect(refused.stderr.contains("but `stop` (line 8) leaves it stopped"))
    }
  }

  @Test("a server in the wrong state is told by `plan --live`, and ends a run with 1")
  func aServerInTheWrongStateIsToldBeforeTheFirstChange() async throws {
    let place = try Workplace()
    let cloud = try place.start(["simulate", "vps_org", "--speed", "500"])
    try await cloud.waitFor("http://")
    let url = try #require(cloud.stdout.split(separator: " ").last { $0.hasPrefix("http://") })
      .prefix { !$0.isNewline }
    let token = ["VPS_TOKEN": "vps_example"]
    try place.write("stop.yaml", Self.top + Self.stop)
    try place.write("reboot.yaml", Self.top + Self.reboot)
    let input = ["--input", "cloud=\(url)"]

    let good = try await place.run(["plan", "--live", "reboot.yaml"] + input, token)
    #expect(good.code == 0, "\(good.stdout)\(good.stderr)")
    #expect(good.stdout.contains("needs a server that is running; leaves it running"))
    #expect(try await place.run(["run", "stop.yaml"] + input, token).code == 0)
    let problem = "step `again`: server 12345 is stopped, and `server.reboot` needs it running"
    for command in ["plan", "run"] {
      let told = try await place.run([command, "reboot.yaml"] + (command == "plan" ? ["--live"] : []) + input, token)
      #expect(told.code == 1)
      #expect(told.stdout.contains(problem), "\(told.stdout)\(told.stderr)")
    }
    cloud.send(SIGINT)
    _ = try await cloud.finish()
  }

  @Test(
    "a lack of room is told by `plan --live` and ends a run before its first change; what was not asked is told, too")
  func aLackOfRoomIsToldBeforeTheFirstChange() async throws {
    let place = try Workplace()
    let cloud = try place.start(["simulate", "vps_org", "--speed", "500"])
    try await cloud.waitFor("http://")
    let url = try #require(cloud.stdout.split(separator: " ").last { $0.hasPrefix("http://") })
      .prefix { !$0.isNewline }
    let token = ["VPS_TOKEN": "vps_example"]
    let creates = ["a", "b", "c", "d"].map { name in
      "  - {id: \(name), action: snapshot.create, rollback: none, with: {server: 12345, name: \(name)}}\n"
    }
    try place.write("full.yaml", Self.top + Self.stop + creates.joined())
    let room = "  - {id: room, action: snapshot.prune, rollback: none, with: {server: 12345, keep: 1}}\n"
    try place.write("room.yaml", Self.top + room + creates.joined())
    let input = ["--input", "cloud=\(url)"]
    let problem = "step `d`: server 12345 has 2 of 5 snapshots: "
    for command in [["plan", "--live"], ["run"]] {
      let told = try await place.run(command + ["full.yaml"] + input, token)
      #expect(told.code == 1)
      #expect(told.stdout.contains(problem), "\(told.stdout)\(told.stderr)")
      #expect(told.stdout.contains("; 3 more are made by the steps before: delete one, or put `snapshot.prune` before"))
    }
    let may = try await place.run(["plan", "--live", "room.yaml"] + input, token)
    #expect(may.code == 0)
    #expect(may.stdout.contains("live checks: the checks that could be made found no problem\n"), "\(may.stdout)")
    #expect(may.stdout.contains("live check, note: \(problem)"), "\(may.stdout)")
    let json = try await place.run(["plan", "--live", "room.yaml", "--format", "json"] + input, token)
    #expect(json.stdout.contains(#""problems":[]"#) && json.stdout.contains(#""notes":["step `d`: "#), "\(json.stdout)")
    cloud.send(SIGINT)
    _ = try await cloud.finish()
  }
}
