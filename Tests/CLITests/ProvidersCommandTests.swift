import Glibc
import Runbook
import TestSupport
import Testing

/// `runbook providers`, as an operator types it.
@Suite struct ProvidersCommandTests {
  @Test func theTableHasALineForEveryActionAndAColumnForEveryCloud() async throws {
    let table = try await Workplace().run("providers")
    #expect(table.code == 0)
    let lines = table.stdout.split(separator: "\n")
    let head = try #require(lines.first)
    for type in ["zomro", "vps_org", "zstack"] { #expect(head.contains(type)) }
    for action in ["server.stop", "snapshot.create", "backup.restore_as", "rescue.enter"] {
      let line = try #require(lines.first { $0.hasPrefix(action + " ") }, "no line for \(action)")
      #expect(line.contains("E") && (action == "server.stop" || action == "snapshot.create") != line.contains("–"))
    }
  }

  @Test func oneCloudIsToldInFull() async throws {
    let told = try await Workplace().run("providers", "vps_org")
    #expect(told.code == 0)
    for part in ["POST /snapshots/", "after a lost reply", "limits:", "Five snapshots", "not documented, and assumed:"]
    {
      #expect(told.stdout.contains(part), "\(part) is missing")
    }
    let json = try await Workplace().run("providers", "--format", "json")
    #expect(json.code == 0)
    #expect(json.stdout.contains(#""v":1"#))
  }

  @Test(
    arguments: [
      (["providers", "vps_orgg"], 2, "did you mean `vps_org`"), (["providers", "check"], 2, "`NAME` is missing"),
      (["providers", "check", "vps_org"], 2, "VPS_ORG_TOKEN"), (["providers", "check", "zomro"], 2, "ZOMRO_PASSWORD"),
      (["providers", "check", "zstack"], 2, "ZSTACK_URL"), (["providers", "vps_org", "again"], 2, "one word too many"),
      (["providers", "check", "nobody"], 2, "no provider type `nobody`"),
      (["providers", "--in", "x.yaml"], 2, "goes with `check`"),
      (["providers", "vps_org", "--record", "x.json"], 2, "`--record` goes with `check`"),
    ] as [([String], Int32, String)])
  func aMistakeIsToldWithWhatToDo(arguments: [String], code: Int32, words: String) async throws {
    let refused = try await Workplace().run(arguments)
    #expect(refused.code == code)
    #expect(refused.stderr.contains(words), "\(refused.stderr)")
  }

  @Test func anAccountIsCheckedWithoutChangingIt() async throws {
    let place = try Workplace()
    let cloud = try place.start(["simulate", "vps_org"])
    try await cloud.waitFor("http://")
    let url = try #require(cloud.stdout.split(separator: " ").last { $0.hasPrefix("http://") })
    let address = String(url.filter { $0 != "\n" })
    let good = try await place.run(
      ["providers", "check", "vps_org"], ["VPS_ORG_URL": address, "VPS_ORG_TOKEN": "vps_good"])
    #expect(good.code == 0, "\(good.stderr)")
    for part in ["account   ops@example.com", "may       read, write", "clock     agrees", "2 of 5", "all well"] {
      #expect(good.stdout.contains(part), "\(part) is missing in \(good.stdout)")
    }
    let bad = try await place.run(
      ["providers", "check", "vps_org"], ["VPS_ORG_URL": address, "VPS_ORG_TOKEN": "canary_bad"])
    #expect(bad.code == 1)
    #expect(bad.stdout.contains("VPS.org does not accept the token"))
    #expect(!(bad.stdout + bad.stderr).contains("canary"))
    let block = try await place.run(
      [
        "providers", "check", "cloud", "--in", Repository.path("runbooks/survive_a_crash.yaml"), "--input",
        "server=12345", "--input", "cloud=\(address)",
      ], ["VPS_TOKEN": "vps_good"])
    #expect(block.code == 0, "\(block.stderr)")
    cloud.send(2)
    _ = try await cloud.finish()
    let gone = try await place.run(
      ["providers", "check", "vps_org"], ["VPS_ORG_URL": address, "VPS_ORG_TOKEN": "vps_good"])
    #expect(gone.code == 1)
    #expect(gone.stdout.contains("no answer from VPS.org"))
  }

  @Test func theAnswersOfAnAccountAreComparedAndRecordedWithoutItsSecrets() async throws {
    let place = try Workplace()
    let cloud = try place.start(["simulate", "vps_org"])
    try await cloud.waitFor("http://")
    let url = try #require(cloud.stdout.split(separator: " ").last { $0.hasPrefix("http://") })
    let environment = ["VPS_ORG_URL": String(url.filter { $0 != "\n" }), "VPS_ORG_TOKEN": "vps_canary"]
    let good = try await place.run(["providers", "check", "vps_org", "--record", "answers.json"], environment)
    #expect(good.code == 0, "\(good)")
    #expect(good.stdout.hasSuffix("requests to answers.json; no difference from the documents\n"), "\(good.stdout)")
    let text = place.read("answers.json")
    #expect(text.contains(#""target":"/servers/""#) && !text.contains("canary") && !text.contains("ops@example.com"))
    var status = stat()
    #expect(unsafe stat(place.path("answers.json"), &status) == 0 && status.st_mode & 0o777 == 0o600)
    let again = try await place.run(["providers", "check", "vps_org", "--record", "answers.json"], environment)
    #expect(again.code == 2)
    #expect(again.stderr == "error: `answers.json` exists already, and is not replaced\n  name another file\n")
    let block = try await place.run(
      [
        "providers", "check", "cloud", "--in", Repository.path("runbooks/survive_a_crash.yaml"), "--input",
        "server=12345", "--input", "cloud=\(url.filter { $0 != "\n" })", "--record", "c.json",
      ], ["VPS_TOKEN": "vps_canary"])
    #expect(block.code == 0 && !place.read("c.json").contains("canary"), "\(block)")
    let json = try await place.run(
      ["providers", "check", "vps_org", "--record", "b.json", "--format", "json"], environment)
    #expect(try JSONReader.read(json.stdout)["findings"] == .list([]))
    cloud.send(2)
    _ = try await cloud.finish()
  }

  /// What the command says of a runbook with this block and these steps.
  private func told(_ command: String, cloud: String, _ steps: [String]) async throws -> Finished {
    let place = try Workplace()
    let block = "providers: {cloud: {\(cloud)}}"
    let lines = ["runbook: v1", "name: a", block, "steps:"] + steps.map { "  - \($0)" }
    try place.write("a.yaml", lines.joined(separator: "\n") + "\n")
    return try await place.run(command, "a.yaml")
  }

  @Test("a block that cannot be connected is refused with what is wrong with it, and not with the store")
  func aBlockThatCannotBeConnectedIsRefused() async throws {
    let cloud = "type: zstack, url: \"https://zstack.example.com\", account: ops, password: p, session: s"
    let refused = try await told("run", cloud: cloud, ["{action: server.list}"])
    #expect(refused.code == 2)
    #expect(refused.stderr.contains("error: provider `cloud`: ZStack needs one of "), "\(refused.stderr)")
    #expect(refused.stderr.contains("\n  nothing was done; fix the runbook"))
    #expect(!refused.stderr.contains("store"))
  }

  @Test("what has no undo steps is not given a list of undo steps")
  func whatHasNoUndoStepsIsSaid() async throws {
    let told = try await told(
      "validate", cloud: "type: hetzner, token: t",
      [
        "{action: server.reboot, with: {server: \"42\"}}",
        "{action: snapshot.restore, with: {server: \"42\", snapshot: \"7\"}}",
      ])
    #expect(told.stderr.contains("there is nothing to undo: add `rollback: none`"), "\(told.stderr)")
    #expect(told.stderr.contains("nothing can undo it: add `rollback: irreversible`"), "\(told.stderr)")
  }
}
