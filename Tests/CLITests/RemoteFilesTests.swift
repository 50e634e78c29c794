import Glibc
import Posix
import Runbook
import TestSupport
import Testing

/// The command with copies and reboots of another machine, over a real OpenSSH server.
@Suite(.enabled(if: RemoteRun.whyNot == nil, "there is no OpenSSH server to try it with"))
struct RemoteFilesTests {
  private static func place(_ server: SSHServer, _ account: SSHServer.Account = .plain) -> String {
    "host: 127.0.0.1, port: \(server.port), user: \(server.user), key: \(server.key(account)), "
      + "known_hosts: \(server.knownHosts)"
  }

  @Test("a deploy that fails later is put back, content and mode, and what was not there is removed")
  func aDeployThatFailsLaterIsPutBack() async throws {
    let server = try #require(RemoteRun.server)
    let place = try Workplace()
    let there = TemporaryFolder()
    let address = Self.place(server)
    try place.write("site.conf", "new\n")
    there.write("site.conf", Array("old\n".utf8))
    _ = unsafe chmod(there.path("site.conf"), 0o640)
    func step(_ id: String, _ source: String, _ name: String) -> String {
      """
        - id: \(id)
          action: ssh.copy
          with: {\(address), \(source), to: \(there.path(name))}
          rollback: [{action: ssh.put_back, with: {\(address), before: "${{ self.before }}"}}]

      """
    }
    let (conf, token) = (there.path("site.conf"), there.path("token"))
    let check = "test \"$(cat \(conf) \(token))\" = \"$(printf 'new\\ncanary-7-word')\""
    try place.write(
      "a.yaml",
      "runbook: v1\nname: deploy\nsecrets: {token: {source: env, key: TOKEN}}\nsteps:\n"
        + step("site", "upload: ./site.conf", "site.conf")
        + step("token", "content: \"${{ secrets.token }}\"", "token")
        + "  - {id: check, run: '\(check.replacing("'", with: "''"))', effect: none}\n"
        + "  - {id: stop, fail: no luck}\n")
    let end = try await place.run(["run", "a.yaml"], ["TOKEN": "canary-7-word"])
    #expect(end.code == 3, "\(end)")
    #expect(end.said("no luck"), "\(end)")
    #expect(there.names == ["site.conf"], "\(end)")
    #expect(there.read("site.conf") == Array("old\n".utf8))
    #expect(there.mode("site.conf") == 0o640)
  }

  @Test("an engine that is killed while the machine reboots goes on, and the machine is rebooted once")
  func anEngineThatIsKilledDuringARebootGoesOn() async throws {
    let server = try SSHServer()
    let place = try Workplace()
    let words = server.rebooting().compactMap { $0.string }
    try place.write("reboot", "#!/bin/sh\n\(words[2])\n", mode: 0o755)
    try place.write(
      "a.yaml",
      """
      runbook: v1
      name: reboot
      steps:
        - id: boot
          action: ssh.reboot
          with: {\(Self.place(server, .bootable)), command: [\(place.path("reboot"))]}
          rollback: none

      """)
    let running = try place.start(["run", "a.yaml"])
    for _ in 0..<3000 where server.boots == 0 { try await Task.sleep(for: .milliseconds(10)) }
    running.send(SIGKILL)
    let first = try await running.finish()
    #expect(first.signal == SIGKILL && server.boots == 1, "\(first)")
    let id = try #require(first.runID)
    let end = try await place.run("resume", id)
    #expect(end.code == 0, "\(end)")
    #expect(server.boots == 1)
  }
}
