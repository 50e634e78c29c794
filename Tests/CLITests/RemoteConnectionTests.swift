import Posix
import TestSupport
import Testing

/// The connection that a run keeps, seen from the command.
@Suite(.enabled(if: SSHServer.missing == nil, "there is no OpenSSH server to try it with"))
struct RemoteConnectionTests {
  private static func way(_ server: SSHServer) -> String {
    "host: 127.0.0.1, port: \(server.port), user: \(server.user), key: \(server.key(.plain)), "
      + "known_hosts: \(server.knownHosts)"
  }

  @Test("a run with several scripts and a copy on one machine logs in once")
  func aRunLogsInOnce() async throws {
    let server = try SSHServer(settings: "LogLevel VERBOSE")
    let place = try Workplace()
    let way = Self.way(server)
    let steps = (1...5).map { "  - {id: s\($0), action: ssh.run, with: {\(way), script: echo \($0)}, rollback: none}" }
    try place.write("conf", "x\n")
    try place.write(
      "a.yaml",
      """
      runbook: v1
      name: once
      steps:
      \(steps.joined(separator: "\n"))
        - {id: send, action: ssh.copy, with: {\(way), upload: ./conf, to: \(place.path("copied"))}, rollback: none}

      """)
    let run = try await place.run("run", "a.yaml")
    #expect(run.code == 0, "\(run.stdout)\(run.stderr)")
    #expect(place.read("copied") == "x\n")
    #expect(server.logins == 1)
  }

  @Test("what a script wrote is emptied while the next one runs, and its files and those of the last one go at the end")
  func whatAScriptWroteIsEmptiedWhileTheNextOneRuns() async throws {
    let server = try SSHServer(settings: "LogLevel VERBOSE")
    let place = try Workplace()
    let way = Self.way(server)
    let look = "cat \(server.state)/runbook/ssh/*/stdout > \(place.path("seen")); echo looked"
    try place.write(
      "a.yaml",
      """
      runbook: v1
      name: twice
      steps:
        - {id: first, action: ssh.run, with: {\(way), script: echo unmasked}, rollback: none}
        - {id: second, action: ssh.run, with: {\(way), script: "sleep 1; \(look)"}, rollback: none}

      """)
    let run = try await place.run("run", "a.yaml")
    #expect(run.code == 0, "\(run.stdout)\(run.stderr)")
    #expect(place.read("seen") == "")
    let folders = FileReading.names(in: server.state + "/runbook/ssh").filter { !$0.hasPrefix(".") }
    #expect(folders.count == 2)
    for folder in folders { #expect(!server.kept(folder).contains("stdout"), "\(server.kept(folder))") }
  }
}
