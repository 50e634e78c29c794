import Glibc
import Posix
import Runbook
import Synchronization
import TestSupport

@testable import Steps

/// A run whose steps share connections to a server of its own.
struct ConnectedWorld: Sendable {
  let server: SSHServer
  let folder = TemporaryFolder()
  let scripts: DetachedScripts
  let program: SSHProgram

  /// - Parameter configuration: of the client, made from the server; nil: the user's.
  init(settings: String = "", password: String? = nil, configuration: ((SSHServer, TemporaryFolder) -> String)? = nil)
    throws
  {
    server = try SSHServer(settings: settings + "\nLogLevel VERBOSE", password: password)
    scripts = Harness.scripts(in: folder, environment: ["PATH": "/usr/bin:/bin", "HOME": folder.path])
    var path = "/usr/bin/ssh"
    if let configuration {
      let file = folder.file("config", configuration(server, folder))
      path = folder.file("client", "#!/bin/sh\nexec /usr/bin/ssh -F \(file) \"$@\"\n", mode: 0o755)
    }
    program = SSHProgram(path: path, connections: SSHConnections())
  }

  var action: SSHRunAction { SSHRunAction(program: program) }
  var logins: Int { server.logins }
  /// How many were opened, on whatever connection.
  var sessions: Int { server.logged("Starting session: command for ") }

  func call(
    _ with: [String: Value], as account: SSHServer.Account = .plain, through port: UInt16? = nil,
    key: String = Harness.newKey()
  ) -> ActionCall {
    let calls = Calls(scripts: scripts, timeout: .seconds(300), key: key)
    var call = calls.make(server.place(account, through: port).merging(with) { _, own in own })
    call.epoch = 1
    call.scriptPlace = "elsewhere"
    return call
  }

  func run(_ script: String, through port: UInt16? = nil) async throws(StepFailure) -> Value? {
    try await action.perform(call(["script": .string(script)], through: port)).result["stdout"]
  }

  func failure(_ call: ActionCall) async -> StepFailure? {
    do throws(StepFailure) {
      _ = try await action.perform(call)
      return nil
    } catch { return error }
  }

  /// Pids of the clients that keep a connection of this world.
  var keepers: [Int32] {
    ProcessEntry.all().map { $0.pid }.filter { pid in
      let words = ((try? FileReading.all(of: "/proc/\(pid)/cmdline", limit: 1 << 16)) ?? []).split(separator: 0)
        .map { String(decoding: $0, as: UTF8.self) }
      return words.contains("ControlMaster=yes") && words.contains { $0.contains(server.knownHosts) }
    }
  }
}
