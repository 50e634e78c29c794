import Glibc
import Posix
import Runbook
import TestSupport

@testable import Steps

/// A real OpenSSH server, and engines that use it. Effects are written into a ledger by the scripts themselves.
struct RemoteWorld: Sendable {
  static let server = try? SSHServer()
  static let whyNot: String? = SSHServer.missing ?? (server == nil ? "sshd did not start" : nil)

  let server: SSHServer
  let folder = TemporaryFolder()
  let key = Harness.newKey()

  struct NoServer: Error {}

  init() throws {
    guard let server = Self.server else { throw NoServer() }
    self.server = server
  }

  var action: SSHRunAction { SSHRunAction(program: SSHProgram(path: "/usr/bin/ssh")) }

  /// Of an engine of its own.
  func call(
    _ with: [String: Value], as account: SSHServer.Account = .plain, through port: UInt16? = nil, epoch: Int64 = 1,
    timeout: Duration = .seconds(3600), key: String? = nil, report: @escaping @Sendable (String) -> Void = { _ in }
  ) -> ActionCall {
    let scripts = Harness.scripts(
      in: folder, named: "engine-\(epoch)", environment: ["PATH": "/usr/bin:/bin", "HOME": folder.path])
    let calls = Calls(scripts: scripts, timeout: timeout, key: key ?? self.key)
    let fields = server.place(account, through: port).merging(with) { _, own in own }
    var call = calls.make(fields, report: report)
    call.epoch = epoch
    call.scriptPlace = "elsewhere"
    return call
  }

  func run(_ script: String, as account: SSHServer.Account = .plain) async throws(StepFailure) -> [String: Value] {
    try await action.perform(call(["script": .string(script)], as: account)).result
  }

  /// How it fails; nil if it does not.
  func failure(_ call: ActionCall) async -> StepFailure? {
    do throws(StepFailure) {
      _ = try await action.perform(call)
      return nil
    } catch { return error }
  }

  /// Shell text that writes a line into the ledger.
  func writes(_ line: String) -> String { "echo \(line) >> \(folder.path)/ledger" }
  /// Shell text that waits until the test writes a file.
  func waits(for name: String) -> String { "while ! test -e \(folder.path)/\(name); do sleep 0.05; done" }
  var ledger: [String] {
    String(decoding: folder.read("ledger"), as: UTF8.self).split(separator: "\n").map(String.init)
  }

  func remote(_ call: ActionCall) throws(StepFailure) -> RemoteScript {
    RemoteScript(try SSHCommand(SSHProgram(path: "/usr/bin/ssh"), call.with), call, grace: .milliseconds(300))
  }

  /// Waits until `holds`, for at most a minute; blocks no thread.
  static func eventually(_ holds: @Sendable () -> Bool) async -> Bool {
    for _ in 0..<3000 {
      if holds() { return true }
      try? await Task.sleep(for: .milliseconds(20))
    }
    return false
  }

  /// Whether a process of this script lives.
  var isAlive: Bool {
    !ProcessEntry.bearing(ScriptFolder.mark(key + ".")).isEmpty
  }

  /// A file of the script's folder on the other side.
  func kept(_ name: String) -> String {
    let path = "\(server.state)/runbook/ssh/\(key)/\(name)"
    return String(decoding: (try? FileReading.all(of: path, limit: 1 << 20)) ?? [], as: UTF8.self)
  }
  func size(of name: String) -> Int {
    var status = stat()
    return unsafe stat("\(server.state)/runbook/ssh/\(key)/\(name)", &status) == 0 ? Int(status.st_size) : 0
  }
  func replace(_ name: String, _ text: String) throws {
    try FileWriting.replace("\(server.state)/runbook/ssh/\(key)/\(name)", content: Array(text.utf8), mode: 0o600)
  }
}
