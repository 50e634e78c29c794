import Glibc
import Posix
import Runbook
import TestSupport
import Testing

@testable import Steps

/// How scripts on another machine end, and who may say so.
@Suite(.enabled(if: RemoteWorld.whyNot == nil, "there is no OpenSSH server to try it with"))
struct RemoteEndTests {
  @Test("an engine that was overtaken is refused, and its order that arrives late starts nothing")
  func anEngineThatWasOvertakenIsRefusedAndItsLateOrderStartsNothing() async throws {
    let world = try RemoteWorld()
    let script: [String: Value] = ["script": .string(world.writes("ran"))]
    guard case .unsure = try await world.action.probe(world.call(script, epoch: 2)) else {
      Issue.record("nothing was there")
      return
    }
    let failure = try #require(await world.failure(world.call(script, epoch: 1)))
    #expect(failure.kind == .conflict && failure.effect == .unknown, "\(failure)")
    #expect(world.ledger.isEmpty)
    _ = try await world.action.perform(world.call(script, epoch: 2))
    #expect(world.ledger == ["ran"])
  }

  @Test(
    "orders of one key that come at once start its script once, in every sh",
    arguments: [SSHServer.Account.plain, .shIsBash, .shIsBusybox])
  func ordersThatComeAtOnceStartTheScriptOnce(as account: SSHServer.Account) async throws {
    let world = try RemoteWorld()
    let script: [String: Value] = ["script": .string(world.writes("ran"))]
    let failures = await withTaskGroup(of: StepFailure?.self) { group in
      for epoch in 1...5 { group.addTask { await world.failure(world.call(script, as: account, epoch: Int64(epoch))) } }
      return await group.reduce(into: []) { $0.append($1) }
    }
    #expect(world.ledger == ["ran"])
    #expect(failures.contains { $0 == nil })
    for case let failure? in failures { #expect(failure.kind == .conflict, "\(failure)") }
  }

  @Test("an end that was written in part, by a disk that was full, is not taken for a whole one")
  func anEndThatWasWrittenInPartIsNone() async throws {
    let world = try RemoteWorld()
    let with: [String: Value] = ["script": "exit 4"]
    _ = await world.failure(world.call(with))
    for part in ["", "4", "4 exited", "4 exited "] {
      try world.replace("rc", part)
      guard case .unsure = try await world.action.probe(world.call(with)) else {
        Issue.record("`\(part)` was taken for an end")
        return
      }
    }
  }

  @Test("what is kept goes when its outcome is known, and a late order still starts nothing")
  func whatIsKeptGoesWhenItsOutcomeIsKnown() async throws {
    let world = try RemoteWorld()
    let with: [String: Value] = ["script": .string("echo output; \(world.writes("ran"))")]
    _ = try await world.action.perform(world.call(with))
    #expect(world.server.kept(world.key).contains("stdout"))
    await world.action.forget(world.call(with), keys: [world.key])
    #expect(!world.server.kept(world.key).contains { ["stdout", "stderr", "script"].contains($0) })
    _ = await world.failure(world.call(with, epoch: 9))
    #expect(world.ledger == ["ran"])
  }

  @Test("a boot of the machine in the middle is told, and an end that was written before it counts")
  func aBootInTheMiddleIsTold() async throws {
    let world = try RemoteWorld()
    let with: [String: Value] = ["script": "echo before; exit 4"]
    _ = await world.failure(world.call(with))
    let keeper = world.kept("keeper").split(separator: " ").map(String.init)
    try world.replace("keeper", "\(keeper[0]) \(keeper[1]) another-boot\n")
    guard case .failed(let ended) = try await world.action.probe(world.call(with)) else {
      Issue.record("the end was not read")
      return
    }
    #expect(ended.detail["exit_code"] == 4)
    _ = unsafe unlink("\(world.server.state)/runbook/ssh/\(world.key)/rc")
    guard case .failed(let booted) = try await world.action.probe(world.call(with)) else {
      Issue.record("the boot was not told")
      return
    }
    #expect(booted.kind == .crashed && booted.effect == .applied && booted.message.contains("was booted"))
  }

  @Test("a script whose keeper is gone is still found, ended by a cancel, and its exit code is unknown")
  func aScriptWhoseKeeperIsGoneIsStillFoundAndEnded() async throws {
    let world = try RemoteWorld()
    let with: [String: Value] = ["script": "echo started; sleep 600", "grace": .duration(.milliseconds(200))]
    async let failure = world.failure(world.call(with))
    #expect(await RemoteWorld.eventually { world.kept("stdout").contains("started") })
    let keeper = try #require(world.kept("keeper").split(separator: " ").first.flatMap { Int32($0) })
    _ = kill(-keeper, SIGKILL)
    await #expect(throws: StepFailure.self) { try await world.action.probe(world.call(with, timeout: .seconds(2))) }
    #expect(world.isAlive)
    try await world.action.cancel(world.call(with))
    #expect(!world.isAlive)
    _ = await failure
  }

  @Test("no folder will do: each is named, with the reason")
  func noFolderWillDo() async throws {
    let folder = TemporaryFolder()
    _ = unsafe mkdir(folder.path("open"), 0o777)
    _ = unsafe chmod(folder.path("open"), 0o777)
    folder.write("file", [])
    let order = RemoteOrder(
      key: "r1-nofolder", rank: 1, verb: .follow, share: .seconds(1), offsets: (0, 0))
    let places =
      "rb_candidates() { rb_uid=$(id -u); rb_1=; rb_2='\(folder.path)/none/x'; rb_3='\(folder.path)/open/x'; "
      + "rb_4='\(folder.path)/file'; }; "
    let text = order.text(.own).replacing("eval \"$rb_lib\"; ", with: "eval \"$rb_lib\"; \(places)")
    let scripts = Harness.scripts(in: folder)
    let end = try await scripts.run(
      ScriptRequest(key: "k", command: ["/bin/sh", "-s"]), stdin: Secret(text, named: []), timeout: .seconds(30))
    var reply = RemoteReply(mark: order.mark)
    reply.take(end.stdout) { _, _, _ in }
    guard case .refused(let reasons)? = reply.answer else {
      Issue.record("it was not refused: \(String(decoding: end.stdout, as: UTF8.self))")
      return
    }
    #expect(reasons.contains("the state folder: neither XDG_STATE_HOME nor HOME names one"), "\(reasons)")
    #expect(reasons.contains("/none/x: it cannot be made"))
    #expect(
      reasons.contains("/open/x: the folder that it lies in belongs to another user, or everybody may write to it"))
    #expect(reasons.contains("/file: it cannot be made"))
  }
}
