import Glibc
import Posix
import TestSupport
import Testing

/// What runs leave on another machine, seen and removed from here.
@Suite(.enabled(if: RemoteRun.whyNot == nil, "there is no OpenSSH server to try it with"))
struct RemoteScriptsTests {
  /// What leads there, as words of the command.
  private static func way(_ server: SSHServer) -> [String] {
    ["\(server.user)@127.0.0.1", "--port", "\(server.port)", "--key", server.key(.plain)]
      + ["--known-hosts", server.knownHosts]
  }

  private static func folder(_ server: SSHServer, of run: String) -> String? {
    FileReading.names(in: server.state + "/runbook/ssh").first { $0.hasPrefix(run) }
      .map { "\(server.state)/runbook/ssh/\($0)" }
  }

  /// A run that is over, the words that lead to its machine, and what it has left there.
  private static func leftover() async throws -> (run: RemoteRun, way: [String], id: String, folder: String) {
    let server = try #require(RemoteRun.server)
    let run = try RemoteRun()
    #expect(try await run.place.run("run", "a.yaml").code == 3)
    let id = try #require(try await run.place.run("list", "-q").lines.first)
    let folder = try #require(Self.folder(server, of: id))
    try Self.leave(in: folder)
    return (run, way(server), id, folder)
  }

  /// As an engine leaves it that could not say that the outcome is known.
  private static func leave(in folder: String) throws {
    for (name, text) in [("keep.1", ""), ("script", "echo x\n"), ("stdout", "secret words\n"), ("stderr", "")] {
      try FileWriting.replace("\(folder)/\(name)", content: Array(text.utf8), mode: 0o600)
    }
  }

  @Test("a script that runs without its engine is listed, and nothing is when its outcome is known")
  func aScriptWithoutItsEngineIsListed() async throws {
    let run = try RemoteRun(script: "while ! test -e go; do sleep 0.05; done")
    let server = try #require(RemoteRun.server)
    try run.place.write(
      "a.yaml", run.place.read("a.yaml").replacing("-e go", with: "-e '\(run.place.path("go"))'"))
    let engine = try run.place.start(["run", "a.yaml"])
    try await run.waitForStart()
    engine.send(SIGKILL)
    _ = try await engine.finish()
    let id = try #require(try await run.place.run("list", "-q").lines.first)
    let running = try await run.place.run(["scripts"] + Self.way(server))
    #expect(running.code == 0, "\(running.stderr)")
    let line = try #require(running.lines.first { $0.hasPrefix(id) })
    #expect(line.contains("running") && line.hasSuffix("remote, running"), "\(line)")
    try run.place.write("go", "")
    try await run.place.waitFor("end", in: "ledger")
    #expect(try await run.place.run("resume", id).code == 3)
    let after = try await run.place.run(["scripts"] + Self.way(server))
    #expect(after.code == 0 && !after.stdout.contains(id), "\(after.stdout)")
  }

  @Test("what a run that is over has left goes with the next script there, and what an unknown run has left stays")
  func whatARunThatIsOverHasLeftGoesWithTheNextScript() async throws {
    let server = try #require(RemoteRun.server)
    let (run, way, id, folder) = try await Self.leftover()
    let foreign = "\(server.state)/runbook/ssh/r0000000000000000000-0123456789abcdef"
    #expect(try Folder.makeNew(foreign))
    defer { _ = Folder.removeTree(foreign) }
    try Self.leave(in: foreign)
    try FileWriting.replace(foreign + "/live", content: [], mode: 0o600)
    try FileWriting.replace(foreign + "/rc", content: Array("7 exited .\n".utf8), mode: 0o600)

    // A name that is no key is neither read nor run.
    let odd = "\(server.state)/runbook/ssh/r1 x;echo odd-a"
    #expect(try Folder.makeNew(odd))
    defer { _ = Folder.removeTree(odd) }
    try Self.leave(in: odd)

    let listed = try await run.place.run(["scripts"] + way)
    #expect(listed.code == 0 && !listed.stdout.contains("odd"), "\(listed)")
    #expect(listed.stdout.contains("\n\(id) ") && listed.stdout.contains("  \(folder)\n"), "\(listed.stdout)")
    #expect(listed.stdout.contains("ended, exit 7       13 bytes    not in this store"), "\(listed.stdout)")
    #expect(listed.stderr.contains("1 script of a run that has ended: --remove removes"), "\(listed.stderr)")

    #expect(try await run.place.run("run", "a.yaml").code == 3)
    #expect(FileReading.names(in: folder).allSatisfy { $0.hasPrefix("gen.") || $0 == "rc" || $0 == "live" })
    #expect(FileReading.names(in: foreign).contains("stdout"))
  }

  @Test("`--remove` removes what runs that are over have left, and nothing else")
  func removeRemovesWhatRunsThatAreOverHaveLeft() async throws {
    let (run, way, _, folder) = try await Self.leftover()
    let other = try Workplace()
    let stranger = try await other.run(["scripts"] + way + ["--remove"])
    #expect(stranger.code == 0 && FileReading.names(in: folder).contains("stdout"), "\(stranger)")
    let removed = try await run.place.run(["scripts"] + way + ["--remove", "--format", "json"])
    #expect(removed.stdout.contains("\"removed\":1"), "\(removed)")
    #expect(!FileReading.names(in: folder).contains("stdout"))
  }

  @Test("a machine that cannot be reached, and words that lead nowhere, are told")
  func whatCannotBeReachedIsTold() async throws {
    let place = try Workplace()
    let closed = try await place.run("scripts", "127.0.0.1", "--port", "1")
    #expect(closed.code == 1 && closed.stderr.hasPrefix("error: "), "\(closed.stderr)")
    #expect(closed.stderr.contains("refused"), "\(closed.stderr)")
    let odd = try await place.run("scripts", "a b")
    #expect(odd.code == 2 && odd.stderr.hasPrefix("error: `host` is not a host name or an address"), "\(odd.stderr)")
    #expect(try await place.run("scripts", "h", "--port", "0").code == 2)
  }
}
