import Glibc
import TestSupport
import Testing

/// The script of `docs/ci.md`, run as it stands there.
@Suite struct CIScriptTests {
  /// - Parameter head: its first line, which tells it from other scripts of the page.
  private func script(_ place: Workplace, _ head: String = "#!/bin/sh\n", runbook: String) throws {
    let page = try Repository.text("docs/ci.md")
    let start = try #require(page.firstRange(of: "```sh\n\(head)"))
    let end = try #require(page[start.upperBound...].firstRange(of: "```\n"))
    try place.write("deploy.sh", head + page[start.upperBound..<end.lowerBound])
    try place.write("bin/runbook", "#!/bin/sh\n" + runbook, mode: 0o755)
  }

  private func place() async throws -> Workplace {
    let place = try Workplace()
    _ = try await place.shell("mkdir bin")
    return place
  }

  @Test(arguments: [
    (0, 1, nil), (1, 1, "it failed with exit code 1"), (3, 1, "everything was put back"),
    (4, 1, "a person must look now"), (5, 1, "it failed with exit code 5"), (6, 1, "a person must answer"),
    (7, 1, "another run holds a lock"), (9, 3, "start the same job again"),
  ])
  func eachExitCodeIsHandedOnWithWhatToDo(_ code: Int32, _ runs: Int, _ words: String?) async throws {
    let place = try await place()
    try script(place, runbook: "echo \"$1 $2 $3 $4\" >> calls; test \"$1\" = list || exit \(code)\n")
    let ended = try await place.shell("PATH=$PWD/bin:$PATH exec sh deploy.sh k1 a.yaml")
    #expect(ended.code == code)
    #expect(words.map { ended.stderr.contains("deploy: \($0)") || ended.stderr.contains($0) } ?? ended.stderr.isEmpty)
    let calls = place.read("calls").split(separator: "\n")
    #expect(calls.filter { $0 == "run a.yaml --key k1" }.count == runs)
    #expect(calls.contains("list --needs-me  ") == (code != 0))
  }

  @Test func aRunThatWasLeftIsCarriedOn() async throws {
    let place = try await place()
    try script(place, runbook: "echo x >> calls; test $(wc -l < calls) -gt 1 || exit 9\n")
    #expect(try await place.shell("PATH=$PWD/bin:$PATH exec sh deploy.sh k1 a.yaml").code == 0)
    #expect(place.read("calls") == "x\nx\n")
  }

  /// The script of runners that are erased; `ssh` is this machine, and the runbook another one.
  @Test func aRunOnAMachineThatStaysIsWatchedToItsExitCode() async throws {
    let place = try await place()
    try script(
      place, "#!/bin/sh -eu\n",
      runbook: "test \"$1\" = run || exec \"$R\" \"$@\"\nexec \"$R\" run a.yaml --key k1 --detach\n")
    try place.write("bin/ssh", "#!/bin/sh\nshift\nexec \"$@\"\n", mode: 0o755)
    try place.write("a.yaml", Sample.fails)
    for _ in 0..<2 {
      let ended = try await place.shell("PATH=$PWD/bin:$PATH CI_PIPELINE_ID=1 exec sh -eu deploy.sh")
      #expect(ended.code == 3 && ended.stdout.contains("failed, rolled back"), "\(ended)")
    }
    #expect(place.read("trace") == "one\ntwo\nundo-one\nalways\n")
  }

  /// With the real command: the signal reaches the run through the shell, and the run is undone.
  @Test(arguments: [SIGINT, SIGTERM])
  func aSignalToTheScriptUndoesTheRun(_ signal: Int32) async throws {
    let place = try await place()
    try script(place, runbook: "exec \"$R\" \"$@\"\n")
    try place.write("a.yaml", Sample.waits)
    let running = try place.start(
      program: "/bin/sh", ["sh", "deploy.sh", "k1", "a.yaml"],
      ["R": Workplace.binary, "PATH": "\(place.path("bin")):/usr/bin:/bin"])
    do { try await place.waitFor("two", in: "trace") } catch {
      Issue.record("the run did not begin: \(running.stdout)\(running.stderr)")
      throw error
    }
    running.send(signal)
    let ended = try await running.finish()
    #expect(ended.code == 5, "\(ended)")
    #expect(place.read("trace") == "one\ntwo\nundo-two\nundo-one\n")
    #expect(ended.stderr.hasSuffix("deploy: it failed with exit code 5\n"), "\(ended.stderr)")
  }
}
