import Glibc
import Posix
import Runbook
import TestSupport
import Testing

/// What `runbook init` writes can be used as it stands.
@Suite struct InitTests {
  static let clouds = ["vps_org", "zomro", "zstack", "hetzner", "digitalocean"]

  @Test(arguments: ["pre-upgrade", "backup", "drill"], clouds)
  func whatIsWrittenIsValidAndCanBeSimulated(_ name: String, _ cloud: String) async throws {
    let place = try Workplace()
    let written = try await place.run("init", name, "a.yaml", "--cloud", cloud)
    #expect(written.code == 0, "\(written)")
    #expect(written.stdout.hasPrefix("wrote a.yaml for \(cloud): "))
    let valid = try await place.run("validate", "--strict", "a.yaml")
    #expect(valid.code == 0, "\(valid.stderr)\n\(place.read("a.yaml"))")
    let command = try #require(written.stderr.split(separator: "`").first { $0.hasPrefix("runbook run --simulate") })
    let run = try await place.shell("$R \(command.dropFirst("runbook ".count)) --speed 300")
    #expect(place.read("a.yaml").contains("\n#   \(command)\n"), "\(place.read("a.yaml"))")
    #expect(run.code == 0, "\(run.stdout)\(run.stderr)")
  }

  @Test func aDeploymentNeedsNoCloud() async throws {
    let place = try Workplace()
    let written = try await place.run("init", "deploy")
    #expect(written.code == 0 && written.stdout.hasPrefix("wrote deploy.yaml: "), "\(written)")
    #expect(try await place.run("validate", "--strict", "deploy.yaml").code == 0)
    let run = try await place.run(
      "run", "--simulate", "--speed", "300", "deploy.yaml", "--input", "host=web01.example.com")
    #expect(run.code == 0, "\(run.stdout)\(run.stderr)")
    let refused = try await place.run("init", "deploy", "b.yaml", "--cloud", "zomro")
    #expect(refused.code == 2 && refused.stderr.hasPrefix("error: `deploy` needs no cloud, so it takes no `--cloud`\n"))
  }

  @Test func noFileIsReplaced() async throws {
    let place = try Workplace()
    try place.write("backup.yaml", "mine\n")
    let ended = try await place.run("init", "backup")
    #expect(ended.code == 2)
    #expect(ended.stderr == "error: `backup.yaml` exists already, and is not replaced\n  name another file\n")
    _ = try await place.shell("ln -s nowhere link.yaml")
    #expect(try await place.run("init", "backup", "link.yaml").code == 2)
    #expect(place.read("backup.yaml") == "mine\n" && !place.exists("nowhere"))
    let folder = try await place.run("init", "backup", "none/a.yaml")
    #expect(folder.stderr.hasPrefix("error: `none/a.yaml` cannot be written: No such file or directory\n"))
  }

  @Test func withoutATerminalTheNameIsNeeded() async throws {
    let ended = try await Workplace().run("init")
    #expect(ended.code == 2)
    #expect(
      ended.stderr == "error: `NAME` is missing: the purpose of the runbook\n"
        + "  write one of pre-upgrade, backup, drill, deploy\n")
    let slip = try await Workplace().run("init", "back-up")
    #expect(slip.code == 2 && slip.stderr.hasSuffix("  did you mean `backup`?\n"), "\(slip)")
  }

  @Test func onATerminalThreeQuestionsAreAsked() async throws {
    let place = try Workplace()
    let terminal = try PseudoTerminal()
    let pid = try terminal.start(["init"], in: place)
    try terminal.type("bakcup\nbackup\nhetzner\nnightly.yaml\n")
    let (text, end) = try await terminal.readToEnd(of: pid)
    #expect(end == .exited(0), "\(text)")
    #expect(text.contains("`bakcup` is none of them; did you mean `backup`?"), "\(text)")
    #expect(text.contains("wrote nightly.yaml for hetzner: "))
    #expect(try await place.run("validate", "--strict", "nightly.yaml").code == 0)
  }

  @Test func anEmptyAnswerIsTheFirstChoice() async throws {
    let place = try Workplace()
    let terminal = try PseudoTerminal()
    let pid = try terminal.start(["init"], in: place)
    try terminal.type("\n\n\n")
    let (text, end) = try await terminal.readToEnd(of: pid)
    #expect(end == .exited(0), "\(text)")
    #expect(text.contains("wrote pre_upgrade.yaml for vps_org: "), "\(text)")
  }
}
