import Glibc
import Posix
import Runbook
import TestSupport
import Testing

@testable import Steps

/// `host_key: rescue`, over a real OpenSSH server whose host key nobody knows.
@Suite(.enabled(if: RemoteWorld.whyNot == nil, "there is no OpenSSH server to try it with"))
struct RescuePinTests {
  let server: SSHServer
  let folder = TemporaryFolder()

  init() throws {
    guard let server = RemoteWorld.server else { throw RemoteWorld.NoServer() }
    self.server = server
  }

  /// How `ssh.ping` fails; nil if it does not.
  private func failure(_ own: [String: Value], rescued: [String: Int64] = ["s1": 7]) async -> StepFailure? {
    var with = server.place().merging(["host_key": "rescue", "server": "s1"]) { $1 }
    with["known_hosts"] = nil
    with[EngineField.rescued] = .map(rescued.mapValues { .timestamp(Timestamp(seconds: $0)) })
    with[EngineField.run] = "r0000000000000000000"
    let scripts = Harness.scripts(in: folder, environment: ["PATH": "/usr/bin:/bin", "HOME": folder.path])
    let action = SSHPingAction(program: SSHProgram(path: "/usr/bin/ssh", pins: folder.path("pins")))
    do throws(StepFailure) {
      _ = try await action.perform(Calls(scripts: scripts, timeout: .seconds(60)).make(with.merging(own) { $1 }))
      return nil
    } catch { return error }
  }

  /// The folders in which something is pinned.
  private var pinned: [String] {
    FileReading.names(in: folder.path("pins")).filter { $0.hasPrefix("r0000000000000000000-hosts_") }
  }

  @Test("after this run's rescue.enter an unknown host key is trusted, pinned for the run, and kept nowhere else")
  func anUnknownKeyIsTrustedAndPinned() async throws {
    let home = unsafe getpwuid(getuid()).map { unsafe String(cString: $0.pointee.pw_dir) } ?? ""
    let known = home + "/.ssh/known_hosts"
    let before = try? FileReading.all(of: known, limit: 1 << 20)
    #expect(await failure([:]) == nil)
    #expect((try? FileReading.all(of: known, limit: 1 << 20)) == before)
    #expect(pinned.count == 1)
    let file = "pins/\(try #require(pinned.first))/known_hosts"
    let line = String(decoding: folder.read(file), as: UTF8.self)
    #expect(line.contains("ssh-ed25519"), "\(line)")
    #expect(await failure([:]) == nil)
    // Another key than the pinned one.
    let words = line.split(separator: " ")
    let other = "AAAAC3NzaC1lZDI1NTE5AAAAIBc3qqzPEmUuvyyMGrYmrdOIbvtfVIUu6qyEYsnd9bMq"
    folder.write(file, Array("\(words[0]) ssh-ed25519 \(other)\n".utf8))
    let refused = try #require(await failure([:]))
    #expect(refused.kind == .auth && refused.message.contains("is not the known one"), "\(refused)")
    // The next rescue system has a key of its own.
    #expect(await failure([:], rescued: ["s1": 8]) == nil)
    #expect(pinned.count == 2)
  }

  @Test("of a server that this run has not put into rescue no other host key is trusted")
  func withoutRescueNoOtherKeyIsTrusted() async throws {
    for rescued: [String: Int64] in [[:], ["s2": 7]] {
      let failure = try #require(await failure([:], rescued: rescued))
      #expect(failure.kind == .auth && failure.effect == .none, "\(failure)")
      #expect(failure.message.hasPrefix("this run has not put `s1` into rescue"), "\(failure)")
    }
    #expect(FileReading.names(in: folder.path("pins")) == [])
    #expect(await failure(["server": .null])?.message == "`host_key: rescue` needs `server`, as in `rescue.enter`")
    #expect(await failure(["known_hosts": "/etc/none"])?.kind == .input)
  }

  @Test("what a run has pinned goes when the run is over, and not before")
  func whatARunHasPinnedGoesWithTheRun() async throws {
    let scripts = Harness.scripts(in: folder, named: "pins", environment: ["PATH": "/usr/bin:/bin"])
    #expect(await failure([:]) == nil)
    await scripts.sweep { _ in false }
    #expect(pinned.count == 1)
    await scripts.sweep { $0 == "r0000000000000000000" }
    #expect(pinned == [])
  }
}
