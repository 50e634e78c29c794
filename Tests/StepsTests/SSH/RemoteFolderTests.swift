import Glibc
import Posix
import Runbook
import TestSupport
import Testing

@testable import Steps

/// What a machine is asked once an hour, and not by every step.
@Suite(.enabled(if: RemoteWorld.whyNot == nil, "there is no OpenSSH server to try it with"))
struct RemoteFolderTests {
  @Test("a folder is tried once, and again after an hour, a boot, or with another PATH")
  func aFolderIsTriedOnceAndAgainAfterAnHourABootOrWithAnotherPath() async throws {
    let world = try ConnectedWorld()
    let folder = "\(world.server.state)/runbook/ssh"
    func checked() throws -> String {
      String(decoding: try FileReading.all(of: folder + "/.checked", limit: 1 << 16), as: UTF8.self)
    }
    func replace(_ text: String) throws {
      try FileWriting.replace(folder + "/.checked", content: Array(text.utf8), mode: 0o600)
    }
    _ = try await world.run("true")
    let first = try checked()
    let words = first.split(separator: " ", maxSplits: 2).map(String.init)
    let since = try #require(Int(words[1]))
    _ = try await world.run("true")
    #expect(try checked() == first)
    let fresh = "\(words[0]) \(since - 300_000) \(words[2])"
    try replace(fresh)
    _ = try await world.run("true")
    #expect(try checked() == fresh)
    let stale = [
      "\(words[0]) \(since - 360_000) \(words[2])", "\(words[0]) \(since + 360_000) \(words[2])",
      "another-boot \(since) \(words[2])", first.dropLast() + ":/other\n", String(first.dropLast()),
      "\(words[0]) x \(words[2])", "", "\(words[0])\n",
    ]
    for text in stale {
      try replace(text)
      // What is a week old goes then.
      let old = folder + "/r0000000000000000000-0123456789abcdef"
      #expect(try Folder.makeNew(old))
      let times = [timespec(tv_sec: 1_000_000_000, tv_nsec: 0), timespec(tv_sec: 1_000_000_000, tv_nsec: 0)]
      #expect(unsafe utimensat(AT_FDCWD, old, times, 0) == 0)
      #expect(try await world.run("echo out") == "out", "after `\(text)`")
      #expect(try checked() != text, "`\(text)` was believed")
      #expect(!Folder.exists(old), "after `\(text)`")
    }
  }

  @Test("a step starts few programs there: each takes longer than a script that does nothing")
  func aStepStartsFewProgramsThere() async throws {
    let world = try ConnectedWorld()
    func run() async throws {
      world.server.forgetStarted()
      _ = try await world.action.perform(world.call(["script": "true"], as: .counted))
    }
    try await run()
    #expect(world.server.started.contains("find"))
    try await run()
    #expect(world.server.started == ["cp", "setsid", "setsid", "tee", "tee"])
  }

  @Test("what a script wrote is emptied by the next order and gone after the last; at once if something still writes")
  func whatAScriptWroteGoesWithTheNextOrder() async throws {
    let world = try ConnectedWorld()
    func size(_ key: String, _ name: String) -> Int? {
      var status = stat()
      let path = "\(world.server.state)/runbook/ssh/\(key)/\(name)"
      return unsafe lstat(path, &status) == 0 ? Int(status.st_size) : nil
    }
    let scripts = ["echo out; echo error >&2", "echo first; sleep 600 & sleep 0", "true"]
    let calls = scripts.map { world.call(["script": .string($0)], key: Harness.newKey()) }
    var done: [String] = []
    for var call in calls {
      call.finished = [FinishedCalls(with: call.with, keys: done)]
      _ = try await world.action.perform(call)
      done = [call.key]
    }
    for name in ["stdout", "stderr", "script"] { #expect(size(calls[0].key, name) == 0, "\(name)") }
    for name in ["stdout", "stderr", "script"] { #expect(size(calls[1].key, name) == nil, "\(name)") }
    ProcessFamily(root: ProcessIdentity.own, mark: ScriptFolder.mark(calls[1].key + ".")).endMarked()
    await world.action.forget(calls[2], keys: done)
    for call in calls {
      let names = world.server.kept(call.key)
      #expect(names.count == 3 && names[0].hasPrefix("gen.") && names[1...] == ["live", "rc"], "\(names)")
    }
  }

  @Test("what a link leads to is not believed, and replaced")
  func whatALinkLeadsToIsNotBelieved() async throws {
    let world = try ConnectedWorld()
    _ = try await world.run("true")
    let folder = "\(world.server.state)/runbook/ssh"
    #expect(unsafe rename(folder + "/.checked", folder + "/elsewhere") == 0)
    #expect(unsafe symlink("elsewhere", folder + "/.checked") == 0)
    _ = try await world.run("true")
    var status = stat()
    #expect(unsafe lstat(folder + "/.checked", &status) == 0)
    #expect(status.st_mode & S_IFMT == S_IFREG)
  }
}
