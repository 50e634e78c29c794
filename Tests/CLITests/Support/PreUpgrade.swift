import Glibc
import Posix
import Synchronization
import TestSupport
import Testing

/// The shipped runbook with the places of a test in it: a served simulation as its cloud, an OpenSSH server behind a
/// proxy as its host, a local web server as its health page and its chat.
final class PreUpgrade: Sendable {
  let place: Workplace
  private let cloud: Running
  private let cloudURL: String
  /// Between the run and the cloud, to see what is asked of it.
  private let cloudProxy: FaultProxy
  private let asked: Asked
  private let web = DelayedLedger()
  private let line: Mutex<FaultProxy>
  private let server: SSHServer

  private final class Asked: Sendable {
    private let bytes = Mutex<[UInt8]>([])
    func add(_ more: [UInt8]) { bytes.withLock { $0 += more } }
    /// The paths of all requests that are no look.
    var posts: [String] {
      let text = String(decoding: bytes.withLock { $0 }, as: UTF8.self)
      return text.ranges(of: "POST /").map { "/" + text[$0.upperBound...].prefix { $0 != " " } }
    }
  }

  struct NotReplaced: Error { var text: String }

  /// What the script writes, in two halves: before the test lets it go on, and after.
  static let output = (1...6000).map { "package \($0)\n" }.joined()

  /// - Parameter grace: of the step `update`; nil: as in the file, the default.
  init(grace: String? = nil) async throws {
    guard let server = RemoteRun.server else { throw RemoteRun.NoServer() }
    self.server = server
    place = try Workplace()
    line = Mutex(FaultProxy(to: server.port))
    cloud = try place.start(["simulate", "vps_org", "--speed", "2000"])
    try await cloud.waitFor("http://")
    let url = try #require(cloud.stdout.split(separator: " ").last { $0.hasPrefix("http://") })
      .prefix { !$0.isNewline }
    cloudURL = String(url)
    let asked = Asked()
    self.asked = asked
    let port = try #require(url.split(separator: ":").last.flatMap { UInt16($0.prefix(while: \.isNumber)) })
    cloudProxy = FaultProxy(to: port) { asked.add($0) }
    try place.write("pre_upgrade.yaml", try runbook(grace: grace))
    try place.write(
      "update.sh",
      """
      echo start >> \(place.path("ledger"))
      for i in $(seq 1 3000); do echo "package $i"; done
      while ! test -e \(place.path("go")); do sleep 0.05; done
      for i in $(seq 3001 6000); do echo "package $i"; done
      echo end >> \(place.path("ledger"))

      """)
  }

  deinit {
    cloud.send(SIGKILL)
    Children.reap(cloud.pid)
    cloudProxy.stop()
    web.stop()
    line.withLock { $0.stop() }
  }

  private func runbook(grace: String?) throws -> String {
    let shipped = try FileReading.all(of: Repository.path("runbooks/pre_upgrade.yaml"), limit: 1 << 20)
    var text = String(decoding: shipped, as: UTF8.self)
    let user = "user: \(server.user)" + (grace.map { ", grace: \($0)" } ?? "")
    let way =
      "host: \"${{ inputs.host }}\", port: \(line.withLock { $0.port }), key: \(server.key(.plain)), "
      + "known_hosts: \(server.knownHosts)"
    let token = "token: \"${{ secrets.vps_token }}\""
    for (old, new) in [
      (token, "\(token), url: \"http://127.0.0.1:\(cloudProxy.port)\""),
      ("https://${{ inputs.host }}", web.url),
      ("host: \"${{ inputs.host }}\"", way),
      ("user: deploy", user),
      // An hour of the cloud passes in two seconds: more looks.
      ("defaults:\n", "defaults:\n  \"server.*\": {wait: {every: 200ms}}\n  \"snapshot.*\": {wait: {every: 200ms}}\n"),
      ("every: 6s", "every: 200ms"),
    ] {
      guard text.contains(old) else { throw NotReplaced(text: old) }
      text = text.replacing(old, with: new)
    }
    return text
  }

  var secrets: [String: String] { ["VPS_TOKEN": "vps_example", "CHAT_HOOK": "\(web.url)/hook"] }

  func start() throws -> Running {
    try place.start(
      ["run", "pre_upgrade.yaml", "--input", "server=12345", "--input", "host=127.0.0.1"], secrets)
  }

  /// Written by the script itself.
  var ledger: [String] { place.read("ledger").split(separator: "\n").map(String.init) }
  /// The paths of all that was asked of the cloud but to look.
  var posts: [String] { asked.posts }
  /// How often the chat was told.
  var hooks: Int { web.requests.count { $0 == "POST /hook" } }

  /// The names of the snapshots that this runbook makes, as the cloud has them.
  func snapshots() async throws -> [String] {
    try place.write("list.yaml", ShippedRunbookTests.list)
    let listed = try await place.run(
      ["run", "list.yaml", "--input", "cloud=\(cloudURL)", "--format", "json"], secrets)
    let names = listed.stdout.split(separator: "\"").map(String.init).filter { $0.hasPrefix("pre-r") }
    return Set(names).sorted()
  }
}

// MARK: Faults

extension PreUpgrade {
  /// OpenSSH clients of this test: `keepsConnection` is the one over which the others run.
  private func clients(keepingConnection: Bool) -> [Int32] {
    ProcessEntry.bearing("HOME=\(place.folder)").map { $0.pid }.filter { pid in
      let words = ((try? FileReading.all(of: "/proc/\(pid)/cmdline", limit: 1 << 16)) ?? []).split(separator: 0)
        .map { String(decoding: $0, as: UTF8.self) }
      return words.first == "ssh" && words.contains("ControlMaster=yes") == keepingConnection
    }
  }

  func disturb(_ fault: RemotePreUpgradeTests.Fault) throws {
    switch fault {
    case .engineKilled: break
    case .clientKilled, .connectionKilled:
      let clients = clients(keepingConnection: fault == .connectionKilled)
      #expect(clients.count == 1, "\(fault): \(clients)")
      for pid in clients { #expect(kill(pid, SIGKILL) == 0) }
    case .lineCut:
      let proxy = line.withLock { $0 }
      #expect(proxy.lines > 0)
      proxy.cut()
    case .proxyRestarted: line.withLock { $0.stop() }
    }
  }

  func waitForLoss(_ running: Running) async throws {
    for _ in 0..<3000 {
      if (running.stdout + running.stderr).contains("is looked for again") { return }
      try await Task.sleep(for: .milliseconds(10))
    }
    Issue.record("the fault was not noticed: \(running.stdout)\(running.stderr)")
  }

  func mend(_ fault: RemotePreUpgradeTests.Fault) {
    guard fault == .proxyRestarted else { return }
    line.withLock { $0 = FaultProxy(to: server.port, on: $0.port) }
  }
}
