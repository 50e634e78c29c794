import ZStackCloud
import Runbook
import Simulator
import TestSupport
import Testing

/// Queries: pages, and lists that do not end.
struct ZStackListsTests {
  private static func page(_ request: SimulatedRequest, of total: Int, counted: Bool = true) -> SimulatedReply {
    func number(_ name: String) -> Int { request.query.first { $0.name == name }.flatMap { Int($0.value) } ?? 0 }
    let start = number("start")
    let items = (start..<max(start, min(total, start + number("limit")))).map { number in
      #"{"uuid":"vm\#(number)","name":"n\#(number)","state":"Running"}"#
    }
    let count = counted ? #","total":\#(total)"# : ""
    return ScriptedSystem.reply(200, #"{"inventories":[\#(items.joined(separator: ","))]\#(count)}"#)
  }

  @Test(arguments: [(0, 1), (1, 1), (99, 1), (100, 1), (101, 2), (250, 3)])
  func aListInPagesIsReadToItsEnd(total: Int, pages: Int) async throws {
    let wire = ZStackWire { Self.page($0, of: total) }
    let servers = try await ZStackFixture(wire).run("server.list").result.outputs["servers"]?.list
    #expect(servers?.count == total)
    #expect(wire.requests.count == pages)
    #expect(wire.seen.last?.query.contains { $0.name == "replyWithCount" && $0.value == "true" } == true)
  }

  @Test func aListWithoutACountIsReadToItsEnd() async throws {
    let wire = ZStackWire { Self.page($0, of: 200, counted: false) }
    #expect(try await ZStackFixture(wire).run("server.list").result.outputs["servers"]?.list?.count == 200)
    #expect(wire.requests.count == 3)
  }

  @Test func aListWithoutAnEndIsBroken() async throws {
    let wire = ZStackWire { Self.page($0, of: 100_000_000) }
    let failure = try await ZStackFixture(wire).failure("server.list")
    #expect(failure.kind == .server)
    #expect(failure.message.contains("does not end"))
    #expect(wire.requests.count == 100)
  }

  @Test func aPageThatComesAgainIsBroken() async throws {
    let items = (0..<100).map { #"{"uuid":"vm\#($0)","name":"n","state":"Running"}"# }.joined(separator: ",")
    let wire = ZStackWire(200, #"{"inventories":[\#(items)],"total":1000}"#)
    let failure = try await ZStackFixture(wire).failure("server.list")
    #expect(failure.message.contains("a page repeats an earlier one"))
    #expect(wire.requests.count == 2)
  }

  /// A machine that was there before may have been deleted since: `Destroyed` is gone.
  @Test func aDeletedMachineIsNotListedAndIsAbsent() async throws {
    let wire = ZStackWire { _ in
      ZStackWire.list(ZStackWire.machine("Destroyed"), ZStackWire.machine(id: ZStackWire.other))
    }
    let fixture = try ZStackFixture(wire)
    #expect(try await fixture.run("server.list").result.outputs["servers"]?.list?.count == 1)
    #expect(try await fixture.run("server.find", ["name": "web"]).result.outputs["id"] == .string(ZStackWire.other))
    #expect(try await fixture.run("server.status").result.outputs["state"] == "absent")
  }

  /// The code answers a query for one with a list, the manual shows an object; one that is not there is an empty list.
  @Test func oneServerIsReadFromEitherShape() async throws {
    let manual = ZStackWire(200, #"{"inventory":\#(ZStackWire.machine())}"#)
    #expect(try await ZStackFixture(manual).run("server.status").result.outputs["name"] == "web")
    let failure = try await ZStackFixture(ZStackWire(200, #"{"inventories":[]}"#)).failure("server.status")
    #expect(failure.kind == .notFound)
    #expect(failure.message == "ZStack has no server \(ZStackWire.vm)")
    let error = ZStackWire { _ in ZStackWire.error("SYS.1003") }
    #expect(try await ZStackFixture(error).failure("server.status").kind == .notFound)
  }

  @Test(arguments: [
    ("Running", "running"), ("Stopped", "stopped"), ("Created", "stopped"), ("Paused", "paused"),
    ("Destroyed", "absent"), ("Crashed", "error"), ("Error", "error"), ("NoState", "unknown"), ("Unknown", "unknown"),
    ("Starting", "changing"), ("Stopping", "changing"), ("Rebooting", "changing"), ("Destroying", "changing"),
    ("Migrating", "changing"), ("Pausing", "changing"), ("Resuming", "changing"), ("VolumeMigrating", "changing"),
    ("VolumeRecovering", "changing"), ("Expunging", "absent"), ("Hibernating", "changing"), ("running", "changing"),
  ])
  func aWordMeansWhatTheTableSays(native: String, word: String) async throws {
    let wire = ZStackWire { _ in ZStackWire.list(ZStackWire.machine(native)) }
    let outputs = try await ZStackFixture(wire).run("server.status").result.outputs
    #expect(outputs["state"] == .string(word))
    #expect(outputs["native_state"] == .string(native))
  }

  @Test(arguments: ["", "..", "a/b", "a=b", "a>b", "a,b", "a b", "a~b", "é", String(repeating: "x", count: 65)])
  func anIDThatCannotBeOneIsRefusedBeforeAnyCall(id: String) async throws {
    let wire = ZStackWire(200, "{}")
    let fixture = try ZStackFixture(wire)
    for action in ["server.status", "server.stop", "server.reboot", "zstack.pause", "snapshot.list", "backup.list"] {
      #expect(try await fixture.failure(action, ["server": .string(id)]).kind == .input, "\(action)")
    }
    for (action, field) in [("snapshot.delete", "snapshot"), ("backup.delete", "backup")] {
      #expect(try await fixture.failure(action, [field: .string(id)]).kind == .input, "\(action)")
    }
    #expect(wire.seen.isEmpty)
  }
}
