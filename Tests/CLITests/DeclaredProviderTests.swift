import Glibc
import Posix
import Runbook
import TestSupport
import Testing

/// A cloud that a file declares, as its user meets it: the example of the documentation, through the command.
@Suite struct DeclaredProviderTests {
  private func place() throws -> Workplace {
    let place = try Workplace()
    let page = try Repository.text("docs/declaring-a-provider.md")
    let start = try #require(page.firstRange(of: "```yaml\nprovider: v1\n"))
    let end = try #require(page[start.upperBound...].firstRange(of: "```"))
    try place.write("acme.yaml", "provider: v1\n" + String(page[start.upperBound..<end.lowerBound]))
    try place.write("a.yaml", Self.runbook)
    return place
  }

  private static let runbook = """
    runbook: v1
    name: snap
    inputs: {cloud: {type: url, default: "https://api.acme.example/v1"}}
    secrets: {token: {source: env, key: ACME_TOKEN}}
    providers: {cloud: {type: ./acme.yaml, token: "${{ secrets.token }}", url: "${{ inputs.cloud }}"}}
    steps:
      - {id: snap, action: snapshot.create, with: {server: m-1, name: "pre-1"}, rollback: none}
    outputs: {id: steps.snap.outputs.id}

    """

  @Test func itIsValidatedShownAndSimulated() async throws {
    let place = try place()
    let valid = try await place.run("validate", "acme.yaml", "a.yaml")
    #expect(valid.code == 0)
    #expect(valid.stdout == "acme.yaml: valid\na.yaml: valid\n")
    let shown = try await place.run("providers", "./acme.yaml")
    #expect(shown.code == 0, "\(shown.stderr)")
    #expect(shown.stdout.contains("snapshot.create"))
    #expect(shown.stdout.contains("Twenty snapshots a machine."))
    let simulated = try await place.run(["run", "--simulate", "--speed", "2000", "a.yaml"])
    #expect(simulated.code == 0, "\(simulated.stdout)\(simulated.stderr)")
  }

  @Test("a fault is given by the type that the file declares; a type that nobody knows is a mistake")
  func faultsAreGivenByType() async throws {
    let place = try place()
    let simulate = ["run", "--simulate", "--speed", "2000", "--mock", "m.yaml", "a.yaml"]
    for type in ["acme", "./acme.yaml"] {
      try place.write("m.yaml", "mock: v1\nfaults: {\(type): [fails:snapshot.create]}\n")
      let failed = try await place.run(simulate)
      #expect(failed.code == 1, "\(type): \(failed.stdout)\(failed.stderr)")
      #expect(failed.stdout.contains("Acme Cloud did not finish it"))
    }
    try place.write("m.yaml", "mock: v1\nfaults: {acmee: [fails:snapshot.create]}\n")
    let unknown = try await place.run(simulate)
    #expect(unknown.code == 2)
    #expect(unknown.stderr.hasPrefix("m.yaml:2:10: error E-MOCK: there is no provider type `acmee`\n"), "\(unknown)")
    #expect(unknown.stderr.contains("did you mean `acme`?"))
  }

  @Test("what it cannot do is told with the reason and those that can")
  func whatItCannotDoIsTold() async throws {
    let place = try place()
    try place.write("a.yaml", place.read("a.yaml").replacing("snapshot.create", with: "backup.create"))
    let refused = try await place.run("validate", "a.yaml")
    #expect(refused.code == 2)
    let told = "no declared provider can do `backup.create`: ./acme.yaml has no `backup.*` at all\n"
    #expect(refused.stderr.contains(told), "\(refused.stderr)")
    let hint = "vps_org, zomro, zstack and hetzner can; the nearest that ./acme.yaml has is `snapshot.create`"
    #expect(refused.stderr.contains(hint), "\(refused.stderr)")
  }

  @Test func aMistakeInItIsToldWhereItIs() async throws {
    let place = try place()
    try place.write("acme.yaml", place.read("acme.yaml").replacing("found_by: mark", with: "found_by: luck"))
    let file = try await place.run("validate", "acme.yaml")
    #expect(file.code == 2)
    let told = file.stderr.firstMatch(of: /^acme.yaml:\d+:\d+: error E-CHOICE: `snapshot.create.found_by` must be/)
    #expect(told != nil, "\(file.stderr)")
    let runbook = try await place.run("validate", "a.yaml")
    #expect(runbook.code == 2)
    #expect(runbook.stderr.hasPrefix("a.yaml:5:27: error E-PROVIDER: `./acme.yaml` has a mistake: line "))
    #expect(runbook.stderr.contains("`runbook validate ./acme.yaml`, in the runbook's folder, lists all of them"))
    #expect(try await place.run("providers", "./acme.yaml").code == 2)
    #expect(try await place.run("simulate", "./acme.yaml").code == 2)
    let missing = try await place.run("simulate", "./other.yaml")
    #expect(missing.code == 2)
    #expect(missing.stderr.hasPrefix("error: the provider `./other.yaml` does not exist\n"))
  }

  @Test(arguments: ["../acme.yaml", "/etc/acme.yaml", "./other.yaml", "./link.yaml"])
  func itIsReadFromTheFolderOfTheRunbookOnly(_ path: String) async throws {
    let place = try place()
    try place.write("a.yaml", Self.runbook.replacing("./acme.yaml", with: path))
    _ = try await place.shell("ln -s /etc/passwd link.yaml")
    let ended = try await place.run("validate", "a.yaml")
    #expect(ended.code == 2)
    #expect(ended.stderr.contains("a.yaml:5:27: error E-FILE: "), "\(ended.stderr)")
    #expect(!ended.stderr.contains("root:"))
  }

  /// The file is gone when the run is taken over; it is carried on with what it was started with.
  @Test func aResumedRunUsesTheFileItStartedWith() async throws {
    let place = try place()
    let cloud = try place.start(["simulate", "./acme.yaml", "--speed", "100"])
    try await cloud.waitFor("http://")
    let url = try #require(cloud.stdout.split(separator: " ").last { $0.hasPrefix("http://") })
      .prefix { !$0.isNewline }
    let token = ["ACME_TOKEN": "acme_example"]
    let run = try place.start(["run", "a.yaml", "--input", "cloud=\(url)"], token)
    try await run.waitFor("waiting until ready")
    run.send(SIGKILL)
    _ = try await run.finish()
    let id = try #require(try await place.run("list", "-q").lines.first)
    try place.write("acme.yaml", "provider: v2\n")
    let resumed = try await place.run(["resume", id], token)
    #expect(resumed.code == 0, "\(resumed.stdout)\(resumed.stderr)")
    #expect(!resumed.stdout.contains("acme_example"))
    cloud.send(SIGINT)
    _ = try await cloud.finish()
  }
}
