import Glibc
import Posix
import Runbook
import TestSupport
import Testing

@testable import Steps

/// Files and folders over a real OpenSSH server, there and back.
@Suite(.enabled(if: RemoteWorld.whyNot == nil, "there is no OpenSSH server to try it with"))
struct SSHCopyActionTests {
  let room: CopyRoom
  init() throws { room = try CopyRoom() }

  static let shells: [SSHServer.Account] = [.plain, .fish, .bash, .dash, .busybox, .noisy]

  @Test("a file arrives with its bytes and its mode, and a second copy sends nothing", arguments: shells)
  func aFileArrivesWithItsBytesAndItsMode(as account: SSHServer.Account) async throws {
    let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) } + [0, 10, 13, 10]
    room.here.write("a b's", bytes, mode: 0o755)
    _ = unsafe chmod(room.here.path("a b's"), 0o755)
    let with: [String: Value] = ["upload": .string(room.here.path("a b's")), "to": .string(room.there.path("it's $x"))]
    let first = try await room.copy(with, as: account)
    #expect(first.result.outputs["changed"] == true)
    #expect(first.before["exists"] == false)
    #expect(room.there.read("it's $x") == bytes)
    #expect(room.there.mode("it's $x") == 0o755)
    let again = try await room.copy(with, as: account)
    #expect(again.result.outputs["changed"] == false)
    #expect(again.before["hash"] == first.result.outputs["hash"])
  }

  @Test("a file comes from there", arguments: [SSHServer.Account.plain, .fish, .busybox])
  func aFileComesFromThere(as account: SSHServer.Account) async throws {
    let bytes = Array("\n\nfirst\0\u{e9}\r\n".utf8) + [0xff, 0xfe]
    room.there.write("log", bytes, mode: 0o640)
    _ = unsafe chmod(room.there.path("log"), 0o640)
    let with: [String: Value] = ["download": .string(room.there.path("log")), "to": .string(room.here.path("log"))]
    let first = try await room.copy(with, as: account)
    #expect(first.result.outputs["changed"] == true)
    #expect(room.here.read("log") == bytes)
    #expect(room.here.mode("log") == 0o640)
    #expect(try await room.copy(with, as: account).result.outputs["changed"] == false)
  }

  @Test("what lay there keeps its mode, and is put back with its content and mode, once",
    arguments: [SSHServer.Account.plain, .fish, .busybox])
  func whatLayThereIsPutBack(as account: SSHServer.Account) async throws {
    room.there.write("conf", Array("old\n".utf8))
    // Only root can give a file away.
    let owner: UInt32 = getuid() == 0 ? 12 : getuid()
    let given = unsafe chown(room.there.path("conf"), owner, getuid() == 0 ? 34 : getgid())
    #expect(given == 0)
    _ = unsafe chmod(room.there.path("conf"), 0o604)
    let copied = try await room.copy(["content": "new\n", "to": .string(room.there.path("conf"))], as: account)
    #expect(room.there.read("conf") == Array("new\n".utf8))
    #expect(room.there.mode("conf") == 0o604)
    #expect(copied.before["mode"] == "0604" && copied.before["kind"] == "file")
    #expect(room.owner(of: "conf") == owner)
    _ = try await room.copy(
      ["content": "newer\n", "to": .string(room.there.path("conf")), "mode": "0640"], as: account, key: "r2-other")
    #expect(room.there.mode("conf") == 0o640)
    for _ in 1...2 {
      try await room.putBack(copied.before, as: account)
      #expect(room.there.read("conf") == Array("old\n".utf8))
      #expect(room.there.mode("conf") == 0o604)
      #expect(room.owner(of: "conf") == owner)
    }
  }

  @Test("where nothing lay the copy is removed, and nothing of it is left")
  func whereNothingLayTheCopyIsRemoved() async throws {
    let copied = try await room.copy(["content": "", "to": .string(room.there.path("new"))])
    #expect(room.there.mode("new") == 0o600)
    try await room.putBack(copied.before)
    #expect(room.there.names == [])
    try await room.putBack(copied.before)
    // What somebody else has put there since is not removed.
    room.there.write("new", [1])
    let failure = await room.failure { () async throws(StepFailure) in try await room.putBack(copied.before) }
    #expect(failure?.kind == .conflict, "\(String(describing: failure))")
    #expect(room.there.read("new") == [1])
  }

  @Test("a folder is replaced as a whole and put back as a whole", arguments: [true, false])
  func aFolderIsReplacedAsAWhole(isUpload: Bool) async throws {
    let (from, to) = isUpload ? (room.here, room.there) : (room.there, room.here)
    try room.makeTree(in: from.path("site"))
    _ = unsafe mkdir(to.path("site"), 0o750)
    _ = unsafe chmod(to.path("site"), 0o750)
    to.write("site/old", [7])
    let with: [String: Value] = [
      isUpload ? "upload" : "download": .string(from.path("site")), "to": .string(to.path("site")),
    ]
    let copied = try await room.copy(with)
    #expect(copied.before["kind"] == "folder" && copied.before["mode"] == "0750")
    #expect(to.read("site/sub/run") == Array("#!/bin/sh\n".utf8))
    #expect(to.mode("site/sub/run") == 0o755)
    #expect(to.mode("site/empty") == 0o700)
    #expect(to.mode("site/old") == nil)
    #expect(to.mode("site") == 0o750)
    #expect(room.target(of: to.path("site/link")) == "sub/run")
    #expect(try await room.copy(with, key: "r2-same").result.outputs["changed"] == false)
    _ = unsafe chmod(from.path("site/sub/run"), 0o644)
    #expect(try await room.copy(with, key: "r2-more").result.outputs["changed"] == true)
    try await room.putBack(copied.before)
    #expect(to.read("site/old") == [7] && to.mode("site/sub/run") == nil)
    #expect(to.mode("site") == 0o750)
  }

  @Test("a copy that is cut at any message leaves the old content or the new, and ends when it is sent again")
  func aCopyThatIsCutAtAnyMessageLeavesTheOldOrTheNew() async throws {
    let bytes = [UInt8](repeating: 65, count: 400_000)
    room.here.write("big", bytes)
    room.there.write("big", [1])
    let with: [String: Value] = ["upload": .string(room.here.path("big")), "to": .string(room.there.path("big"))]
    var fired = 0
    for number in Campaign.part(of: 1...40, every: 7) {
      room.there.write("big", [1])
      let key = "r1-cut\(number)"
      let before = try await room.action.capture(room.call(with, key: key))
      let proxy = FaultProxy(to: room.server.port, fault: .init(line: 1, number: number))
      let failure = await room.failure { () async throws(StepFailure) in
        _ = try await room.action.perform(room.call(with, before: before, key: key, through: proxy.port))
      }
      fired += proxy.hasFired ? 1 : 0
      let left = room.there.read("big")
      #expect(left == [1] || left == bytes, "cut at \(number): \(left.count) bytes")
      if left == [1] { #expect(failure != nil) }
      if failure?.effect == StepFailure.Effect.none { #expect(left == [1], "cut at \(number)") }
      _ = try await room.action.perform(room.call(with, before: before, key: key))
      #expect(room.there.read("big") == bytes)
      guard case .applied = try await room.action.probe(room.call(with, before: before, key: key)) else {
        Issue.record("the probe does not see it")
        return
      }
      try await room.putBack(before)
      #expect(room.there.read("big") == [1])
    }
    #expect(fired > 1)
  }

  @Test("the content of a secret is in no answer, and neither is its hash")
  func aSecretLeavesNoHash() async throws {
    let secret = Value.secret(Secret("hunter2hunter2", named: ["pw"]))
    room.there.write("pw", [1])
    let copied = try await room.copy(["content": secret, "to": .string(room.there.path("pw"))])
    #expect(room.there.read("pw") == Array("hunter2hunter2".utf8))
    #expect(copied.before["hash"] == "" && copied.result.outputs["hash"] == "")
    try await room.putBack(copied.before)
    #expect(room.there.read("pw") == [1])
  }

  @Test(
    "what cannot be copied is refused, and nothing is changed",
    arguments: [
      (["content": "x", "to": "THERE/none/x"], "the folder THERE/none does not exist"),
      (["content": "x", "to": "THERE/link"], "THERE/link is a symbolic link: name the place that it leads to"),
      (["content": "x", "to": "THERE/folder"], "THERE/folder is a folder, and a file is sent"),
      (["content": "x", "to": "THERE/fifo"], "THERE/fifo is neither a file nor a folder"),
      (["upload": "HERE/none", "to": "THERE/x"], "`HERE/none` does not exist on this machine"),
      (["download": "THERE/none", "to": "HERE/x"], "`THERE/none` does not exist on 127.0.0.1"),
      (["content": "x", "to": "x"], "`to` must be an absolute path"),
      (["content": "x", "to": "THERE/"], "`to` must end with the name that the copy is to have"),
      (["to": "THERE/x"], "exactly one of `upload`, `content` and `download` must be given"),
      (["upload": "HERE/odd", "to": "THERE/x"], "HERE/odd holds a name with a line break or a backslash"),
    ] as [([String: String], String)])
  func whatCannotBeCopiedIsRefused(_ with: [String: String], _ message: String) async throws {
    _ = unsafe symlink("nowhere", room.there.path("link"))
    _ = unsafe mkdir(room.there.path("folder"), 0o700)
    _ = unsafe mkfifo(room.there.path("fifo"), 0o600)
    _ = unsafe mkdir(room.here.path("odd"), 0o700)
    room.here.write("odd/a\\b", [])
    func placed(_ text: String) -> String {
      text.replacing("HERE/", with: room.here.path + "/").replacing("T" + room.here.path, with: room.there.path)
    }
    let names = room.there.names
    let fields = with.mapValues { Value.string(placed($0)) }
    let failed = await room.failure { () async throws(StepFailure) in _ = try await room.copy(fields) }
    let failure = try #require(failed)
    #expect(failure.effect == .none && failure.message.contains(placed(message)), "\(failure)")
    #expect(room.there.names == names)
  }

  @Test("a login that runs something else receives nothing", arguments: [SSHServer.Account.forced, .nologin])
  func aForcedCommandReceivesNothing(as account: SSHServer.Account) async throws {
    let failure = await room.failure { () async throws(StepFailure) in
      _ = try await room.copy(["content": "x", "to": .string(room.there.path("x"))], as: account)
    }
    #expect(failure?.kind == .rejected && failure?.effect == StepFailure.Effect.none)
    #expect(room.there.names == [])
  }
}

/// Two folders, one on each machine.
struct CopyRoom: Sendable {
  let server: SSHServer
  let here = TemporaryFolder()
  let there = TemporaryFolder()
  private let state = TemporaryFolder()
  let action = SSHCopyAction(program: SSHProgram(path: "/usr/bin/ssh"))

  init() throws {
    guard let server = RemoteWorld.server else { throw RemoteWorld.NoServer() }
    self.server = server
  }

  func call(
    _ with: [String: Value], as account: SSHServer.Account = .plain, before: [String: Value] = [:],
    key: String = "r1-copy", through port: UInt16? = nil
  ) -> ActionCall {
    let clock = RealClock()
    let scripts = Harness.scripts(in: state, environment: ["PATH": "/usr/bin:/bin", "HOME": here.path])
    return ActionCall(
      with: Arguments(server.place(account, through: port).merging(with) { $1 }), key: key, runID: "r1", clock: clock,
      transport: Calls(scripts: scripts).make([:]).transport, scripts: scripts, files: LocalFiles(),
      deadline: clock.now + .seconds(60), before: before)
  }

  func copy(
    _ with: [String: Value], as account: SSHServer.Account = .plain, key: String = "r1-copy"
  ) async throws(StepFailure) -> (before: [String: Value], result: ActionResult) {
    let before = try await action.capture(call(with, as: account, key: key))
    return (before, try await action.perform(call(with, as: account, before: before, key: key)))
  }

  func putBack(_ before: [String: Value], as account: SSHServer.Account = .plain) async throws(StepFailure) {
    let undo = SSHPutBackAction(program: SSHProgram(path: "/usr/bin/ssh"))
    _ = try await undo.perform(call(["before": .map(before)], as: account, key: "r1-undo"))
  }

  func failure(_ work: () async throws(StepFailure) -> Void) async -> StepFailure? {
    do throws(StepFailure) {
      try await work()
      return nil
    } catch { return error }
  }

  func makeTree(in path: String) throws {
    _ = unsafe mkdir(path, 0o755)
    _ = unsafe mkdir(path + "/sub", 0o755)
    _ = unsafe mkdir(path + "/empty", 0o700)
    try FileWriting.replace(path + "/sub/run", content: Array("#!/bin/sh\n".utf8), mode: 0o755)
    try FileWriting.replace(path + "/a b", content: [0, 1, 2], mode: 0o640)
    _ = unsafe symlink("sub/run", path + "/link")
  }

  func owner(of name: String) -> UInt32? {
    var status = stat()
    return unsafe stat(there.path(name), &status) == 0 ? status.st_uid : nil
  }

  func target(of link: String) -> String {
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = unsafe readlink(link, &buffer, buffer.count)
    return String(decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
