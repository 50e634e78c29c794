import Runbook
import Simulator
import Testing

struct SimulatedScriptsTests {
  let clock = VirtualClock()

  @Test func aScriptEndsAsTheTableSays() async throws {
    let scripts = SimulatedScripts(
      clock: clock,
      rules: [.init(matching: "update.sh", exitCode: 3, stdout: "out", stderr: "err", duration: .seconds(60), times: 1)]
    )
    try await scripts.start(ScriptRequest(key: "k1", command: ["./update.sh"]))
    try await scripts.start(ScriptRequest(key: "k1", command: ["./update.sh"]))
    #expect(try await scripts.state(of: "k1") == .running)
    #expect(
      try await scripts.wait(for: "k1")
        == .ended(ScriptEnd(exitCode: 3, stdout: Array("out".utf8), stderr: Array("err".utf8))))
    #expect(clock.monotonic == .seconds(60))
    try await scripts.start(ScriptRequest(key: "k2", command: ["/bin/sh"], script: "./update.sh"))
    #expect(try await scripts.wait(for: "k2") == .ended(ScriptEnd(exitCode: 0)))
    #expect(scripts.ledger.map { "\($0.effect) \($0.subject)" } == ["script.start k1", "script.start k2"])
    #expect(try await scripts.state(of: "k3") == .absent)
    await scripts.forget("k1")
    #expect(try await scripts.state(of: "k1") == .absent)
  }

  @Test func aScriptCanBeLostAndCancelled() async throws {
    let scripts = SimulatedScripts(
      clock: clock,
      rules: [
        .init(matching: "lose", duration: .seconds(1), isLost: true), .init(matching: "", duration: .seconds(3600)),
      ])
    try await scripts.start(ScriptRequest(key: "k1", command: ["lose"]))
    #expect(try await scripts.wait(for: "k1") == .lost)
    try await scripts.start(ScriptRequest(key: "k2", command: ["long"]))
    try await scripts.cancel("k2", grace: .seconds(5))
    #expect(try await scripts.state(of: "k2") == .ended(ScriptEnd(exitCode: nil, signal: 15)))
  }

  @Test func anAttachedCommandIsMatchedByItsStdinAndBoundByItsTimeout() async throws {
    let scripts = SimulatedScripts(
      clock: clock, rules: [.init(matching: "reboot", exitCode: 255), .init(matching: "slow", duration: .seconds(100))])
    let request = ScriptRequest(key: "k", command: ["ssh", "host"])
    let end = try await scripts.run(request, stdin: Secret("reboot now", named: []), timeout: .seconds(5))
    #expect(end.exitCode == 255)
    let failure = await #expect(throws: StepFailure.self) {
      try await scripts.run(request, stdin: Secret("slow", named: []), timeout: .seconds(5))
    }
    #expect(failure?.kind == .timeout)
    #expect(failure?.effect == .unknown)
  }

  @Test func aPortIsOpenUnlessTheTableSaysOtherwise() async throws {
    let scripts = SimulatedScripts(clock: clock, rules: [.init(matching: ":81", exitCode: 1)])
    try await scripts.connect(host: "a", port: 80, timeout: .seconds(1))
    await #expect(throws: StepFailure.self) { try await scripts.connect(host: "a", port: 81, timeout: .seconds(1)) }
  }

  @Test func filesAreKept() async throws {
    let files = SimulatedFiles()
    #expect(try await files.read("/a", limit: 10) == nil)
    try await files.write("/a", content: [1, 2, 3], mode: 0o600)
    #expect(try await files.read("/a", limit: 3) == [1, 2, 3])
    #expect(files.files["/a"]?.mode == 0o600)
    await #expect(throws: StepFailure.self) { try await files.read("/a", limit: 2) }
  }
}
