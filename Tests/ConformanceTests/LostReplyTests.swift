import Runbook
import TestSupport
import Testing

/// Whatever becomes of a request or of its reply, each effect takes place once.
@Suite struct LostReplyTests {
  static let faults = [
    "request_lost", "request_late:30s", "reply_lost", "reply_late:2m", "502", "502_after", "html_after", "429:2:20s",
    "503:1:30s",
  ]

  /// Action, what must be done before it, its fields (`ID`: the id of what was made before).
  struct Effect: Sendable, CustomTestStringConvertible {
    var action: String
    var with: [String: Value] = [:]
    /// The server is stopped first.
    var startsStopped = false
    /// Something of this word is made first, and its id given in the field of that name.
    var needs: String?
    var testDescription: String { action }
  }

  static let effects = [
    Effect(action: "server.stop"), Effect(action: "server.start", startsStopped: true),
    Effect(action: "snapshot.create", with: ["name": "pre-1"]),
    Effect(action: "backup.create", with: ["name": "pre-1"]),
    Effect(action: "snapshot.restore", with: ["power": "stopped"], needs: "snapshot"),
    Effect(action: "backup.restore", with: ["power": "stopped"], needs: "backup"),
    Effect(action: "snapshot.delete", needs: "snapshot"), Effect(action: "backup.delete", needs: "backup"),
  ]

  @Test(arguments: CloudUnderTest.all, effects)
  func theEffectTakesPlaceOnceWhateverBecomesOfTheReply(_ cloud: CloudUnderTest, _ effect: Effect) async throws {
    guard try cloud.offers(effect.action) else { return }
    // It asks a person: `ChangingActionsTests` tries it.
    if cloud.type == "./strict.yaml", effect.action.hasSuffix(".restore") { return }
    for fault in Self.faults {
      let world = try CloudWorld(cloud)
      var with = effect.with
      if let word = effect.needs {
        guard try cloud.offers("\(word).create") else { return }
        let made = try await world.run("\(word).create", ["name": "made-1"], key: "made")
        with[word] = .string(try #require(made["id"]?.string))
      }
      if effect.startsStopped { try await world.run("server.stop", key: "stopped") }
      let earlier = world.effects(effect.action)
      let parts = fault.split(separator: ":", maxSplits: 1)
      let text = "\(parts[0]):\(effect.action)" + (parts.count > 1 ? ":\(parts[1])" : "")
      try world.twin.inject(text)
      do {
        try await world.run(effect.action, with)
      } catch let failure as StepFailure {
        Issue.record("\(cloud.type), \(text): \(failure.kind) \(failure.message)")
      }
      #expect(world.effects(effect.action) - earlier == 1, "\(cloud.type), \(text)")
      #expect(world.twin.unfiredFaults == [], "the fault never fired")
    }
  }
}
