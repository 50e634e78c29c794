import ZStackCloud
import Runbook
import Simulator
import TestSupport
import Testing

/// SYS.1001: ZStack gave up waiting. Its code and its details are told, and what may still come is not made again.
@Suite struct ZStackDoubtTests {
  @Test(arguments: ["backup.create", "backup.sync", "server.stop"])
  func aTimeoutOfZStackIsToldWithItsCodeAndDetails(_ action: String) async throws {
    let (fixture, twin) = try ZStackTwinFixture.make()
    try twin.inject("sys1001_not_done:\(action)")
    let failure = try await fixture.failure(action, ["name": "b-1"])
    #expect(failure.kind == .timeout)
    #expect(failure.message.contains("Create VM on KVM timeout after 300s (SYS.1001)"), "\(failure.message)")
    #expect(failure.detail["code"] == "SYS.1001")
    #expect(failure.detail["description"] == "A message or a operation timeout")
    #expect(failure.detail["details"] == "Create VM on KVM timeout after 300s")
    for name in ["elaboration", "opaque", "cause"] { #expect(failure.detail[name] == .null, "\(name)") }
    let isOpen = action != "server.stop"
    #expect(failure.effect == (isOpen ? .unknown : StepFailure.Effect.none))
    #expect(failure.retryable == !isOpen)
    if action == "backup.sync" { #expect(!failure.message.contains("had no effect"), "\(failure.message)") }
    #expect(twin.requests.count { $0 == action } == 1)
  }

  /// While its agent may still be copying nobody says that there is none, and it is not made again.
  @Test func aBackupThatZStackGaveUpOnMayStillCome() async throws {
    let wire = ZStackWire { request in
      if request.isChange { return ZStackWire.accepted() }
      if request.isJob { return ZStackWire.error("SYS.1001") }
      if request.path.hasSuffix("/backup-storage") { return ZStackWire.list(#"{"uuid":"s1","name":"s"}"#) }
      return request.path.contains("volume-backups") ? ZStackWire.list() : ZStackWire.list(ZStackWire.machine())
    }
    let fixture = try ZStackFixture(wire)
    let failure = try await fixture.failure("backup.create", ["name": "b-1"])
    #expect(failure.kind == .timeout && failure.effect == .unknown && !failure.retryable, "\(failure)")
    #expect(failure.message.contains("it may still take effect"), "\(failure.message)")
    #expect(wire.seen.count { $0.isChange } == 1)
  }

  /// The chain of causes, with the secrets in it hidden.
  @Test func theCauseOfAFailureIsTold() async throws {
    let wire = ZStackWire { request in
      if request.isChange { return ZStackWire.accepted() }
      if request.isJob { return ZStackWire.error("VM.1002", "zstack_t0psecret said no", cause: "VM.1010") }
      return ZStackWire.list(ZStackWire.machine())
    }
    let failure = try await ZStackFixture(wire).failure("server.stop", attempts: 1)
    #expect(failure.detail["code"] == "VM.1002")
    #expect(failure.detail["cause"]?["code"] == "VM.1010")
    #expect(failure.detail["cause"]?["details"] == "the cause")
    #expect(failure.detail["details"]?.string?.contains("t0psecret") == false)
  }

  /// What the vocabulary says with a field of its own cannot be said a second time, to be overwritten in silence.
  @Test(arguments: [("name", "name"), ("strategy", "power")])
  func anOptionThatAFieldSaysIsRefused(_ option: String, _ field: String) async throws {
    let (fixture, twin) = try ZStackTwinFixture.make()
    let backup = try #require(try await fixture.run("backup.create", ["name": "b-1"]).result.outputs["id"])
    let failure = try await fixture.failure(
      "backup.restore_as", ["backup": backup, "name": "drill", "options": .map([option: "x"])])
    #expect(failure.kind == .input)
    #expect(failure.message.contains("`options.\(option)`") && failure.message.contains("`\(field)`"))
    #expect(!twin.requests.contains("backup.restore_as"))
  }
}
