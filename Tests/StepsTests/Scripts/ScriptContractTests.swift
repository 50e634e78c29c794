import Glibc
import Posix
import Runbook
import TestSupport
import Testing

@testable import Steps

/// What holds for every script, on this machine and on another one.
@Suite struct ScriptContractTests {
  /// Leaves its session, ignores TERM, and leaves children behind.
  private static let stubborn =
    "trap '' TERM; setsid sleep 700 & (sleep 701 & sleep 702) & echo started; sleep 703; echo late"
  private static let short: Value = .duration(.milliseconds(200))

  @Test("its streams and its exit code come back, 255 too", arguments: ScriptUnderTest.places, [7, 255])
  func itsStreamsAndItsExitCodeComeBack(_ place: ScriptUnderTest.Place, code: Int64) async throws {
    let script = try ScriptUnderTest(place)
    let text = "printf 'a\\n\\nb'; echo again > /dev/stdout; cat; echo e >&2; exit \(code)"
    let failure = try #require(await script.failure(["script": .string(text)]))
    #expect(failure.kind == .exitCode && failure.effect == .applied, "\(failure)")
    #expect(failure.detail["exit_code"] == .int(code))
    #expect(failure.detail["stdout"] == "a\n\nbagain")
    #expect(failure.detail["stderr"] == "e")
  }

  @Test("the first line of a script names its program", arguments: ScriptUnderTest.places)
  func theFirstLineNamesItsProgram(_ place: ScriptUnderTest.Place) async throws {
    let script = try ScriptUnderTest(place)
    let text = "#!/usr/bin/env bash\nlist=(one 'two three')\necho \"${list[1]}\"\n"
    let result = try await script.action.perform(script.call(["script": .string(text)]))
    #expect(result.result["stdout"] == "two three")
  }

  @Test("signals are as usual when it begins", arguments: ScriptUnderTest.places)
  func signalsAreAsUsualWhenItBegins(_ place: ScriptUnderTest.Place) async throws {
    let script = try ScriptUnderTest(place)
    let text = "for s in INT QUIT TERM HUP PIPE; do trap \"echo $s\" $s; kill -$s $$; done"
    let result = try await script.action.perform(script.call(["script": .string(text)]))
    #expect(result.result["stdout"] == "INT\nQUIT\nTERM\nHUP\nPIPE")
  }

  @Test("when its time is over its keeper ends all of it", arguments: ScriptUnderTest.places)
  func itsKeeperEndsAllOfItWhenItsTimeIsOver(_ place: ScriptUnderTest.Place) async throws {
    let script = try ScriptUnderTest(place)
    let call = script.call(["script": .string(Self.stubborn), "grace": Self.short], timeout: .seconds(2))
    let failure = try #require(await script.failure(call))
    #expect(failure.kind == .timeout && failure.effect == .applied, "\(failure)")
    #expect(!script.isAlive)
  }

  @Test("a cancel ends all of it, and is told when nothing of it runs", arguments: ScriptUnderTest.places)
  func aCancelEndsAllOfItAndIsToldWhenNothingRuns(_ place: ScriptUnderTest.Place) async throws {
    let script = try ScriptUnderTest(place)
    let ready = script.folder.path("ready")
    let with: [String: Value] = ["script": .string("touch \(ready); \(Self.stubborn)"), "grace": Self.short]
    async let failure = script.failure(script.call(with))
    #expect(await RemoteWorld.eventually { unsafe access(ready, F_OK) == 0 })
    try await script.action.cancel(script.call(with, engine: 2))
    #expect(!script.isAlive)
    #expect(try #require(await failure).effect == .applied)
  }

  @Test("another engine finds it, and reads how it ended; it is started once", arguments: ScriptUnderTest.places)
  func anotherEngineFindsItAndReadsHowItEnded(_ place: ScriptUnderTest.Place) async throws {
    let script = try ScriptUnderTest(place)
    let ledger = script.folder.path("ledger")
    let text = "echo start >> \(ledger); sleep 0.5; echo said; echo end >> \(ledger); exit 3"
    let with: [String: Value] = ["script": .string(text)]
    async let first = script.failure(script.call(with))
    #expect(await RemoteWorld.eventually { unsafe access(ledger, F_OK) == 0 })
    let second = try #require(await script.failure(script.call(with, engine: 2)))
    #expect(second.kind == .exitCode && second.detail["exit_code"] == 3 && second.detail["stdout"] == "said")
    _ = await first
    guard case .failed(let probed) = try await script.action.probe(script.call(with, engine: 3)) else {
      Issue.record("the probe did not find how it ended")
      return
    }
    #expect(probed == second)
    #expect(String(decoding: script.folder.read("ledger"), as: UTF8.self) == "start\nend\n")
  }

  @Test(
    "a step ends with its script, and what was left in the background on purpose lives on",
    arguments: ScriptUnderTest.places)
  func whatWasLeftInTheBackgroundLivesOn(_ place: ScriptUnderTest.Place) async throws {
    let script = try ScriptUnderTest(place)
    let result = try await script.action.perform(script.call(["script": "sleep 600 & echo done"]))
    #expect(result.result["stdout"] == "done")
    #expect(script.isAlive)
    try await script.action.cancel(script.call([:]))
    #expect(script.isAlive, "what was left in the background on purpose was ended")
    for entry in ProcessEntry.bearing(script.mark) { _ = kill(entry.pid, SIGKILL) }
  }
}

/// A script and the engines that deal with it.
struct ScriptUnderTest: Sendable {
  enum Place: String, Sendable, CaseIterable { case here, elsewhere }
  /// Without an OpenSSH server only this machine.
  static let places = RemoteWorld.whyNot == nil ? Place.allCases : [.here]

  let place: Place
  let folder: TemporaryFolder
  private let world: RemoteWorld?
  private let key: String

  init(_ place: Place) throws {
    self.place = place
    world = place == .here ? nil : try RemoteWorld()
    folder = world?.folder ?? TemporaryFolder()
    key = world?.key ?? Harness.newKey()
  }

  var action: any Action { world?.action ?? RunAction() }
  var mark: String { ScriptFolder.mark(place == .here ? key : key + ".") }
  var isAlive: Bool { !ProcessEntry.bearing(mark).isEmpty }

  func call(_ with: [String: Value], engine: Int64 = 1, timeout: Duration = .seconds(3600)) -> ActionCall {
    if let world { return world.call(with, epoch: engine, timeout: timeout) }
    return Calls(scripts: Harness.scripts(in: folder), timeout: timeout, key: key).make(with)
  }

  func failure(_ with: [String: Value]) async -> StepFailure? { await failure(call(with)) }

  /// nil if it does not fail.
  func failure(_ call: ActionCall) async -> StepFailure? {
    do throws(StepFailure) {
      _ = try await action.perform(call)
      return nil
    } catch { return error }
  }
}
