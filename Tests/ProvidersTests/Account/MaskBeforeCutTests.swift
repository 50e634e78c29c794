import Providers
import Runbook
import Simulator
import TestSupport
import Testing

/// A cloud's words about an error are cut; a secret of the run that lies across the cut must not survive in part.
@Suite struct MaskBeforeCutTests {
  static let settings: [String: [String: Value]] = [
    "vps_org": ["token": .secret(Secret("vps_t0psecret", named: ["t"]))],
    "zstack": ["session": .secret(Secret("0123456789abcdef0123456789abcdef", named: ["s"]))],
    "zomro": ["session": .secret(Secret("0123456789abcdef", named: ["s"]))],
    "hetzner": ["token": .secret(Secret("Canary42canary", named: ["t"]))],
    "digitalocean": ["token": .secret(Secret("dop_v1_canary", named: ["t"]))],
  ]

  /// Errors of every shape that one of them understands, and one that nobody does.
  static let bodies: [(status: Int, body: @Sendable (String) -> String)] = [
    (422, { #"{"detail": "\#($0)", "message": "\#($0)"}"# }), (400, { #"{"name": ["\#($0)"]}"# }),
    (422, { #"{"error": {"code": "invalid_input", "message": "\#($0)"}}"# }),
    (503, { #"{"error": {"code": "SYS.1006", "description": "\#($0)", "details": "\#($0)"}}"# }),
    (400, { #"{"error": {"code": "\#($0)", "cause": {"code": "VM.1002", "details": "\#($0)"}}}"# }),
    (200, { #"{"doc": {"error": {"$type": "\#($0)", "$object": "\#($0)", "msg": {"$": "\#($0)"}}}}"# }),
    (200, { #"{"doc": {"error": {"$type": "value", "msg": {"$": "{\"field\":[\"\#($0)\"]}"}}}}"# }),
    (200, { #"{"servers": "\#($0)", "results": "\#($0)", "inventories": "\#($0)", "doc": "\#($0)"}"# }),
    (500, { $0 }), (200, { $0 }),
  ]

  @Test(arguments: settings.keys.sorted())
  func aSecretThatIsCutOffAnErrorDoesNotSurviveInPart(_ type: String) async throws {
    let kind = try #require(standardProviders.first { $0.type == type })
    let url = Value.string("https://cloud.example.com")
    var told = 0
    // Around each of the lengths at which something is cut.
    for limit in [40, 64, 100, 160, 200, 300, 1024] {
      let places = max(0, limit - 30)...limit - 4
      let texts = SecretShreds.texts(beginning: places, length: limit + 80)
      for text in texts.indices.filter({ $0 % 5 == 0 }).map({ texts[$0] }) {
        for (status, body) in Self.bodies {
          let clock = VirtualClock()
          let system = ScriptedSystem(status, body(text))
          let transport = InMemoryTransport(clock: clock, routes: ["https://cloud.example.com": system])
          let provider = try kind.connect(
            Arguments((Self.settings[type] ?? [:]).merging(["url": url]) { given, _ in given }),
            environment: ProviderEnvironment(
              transport: transport, clock: clock, random: SeededRandom(seed: 1),
              secrets: [Secret(SecretShreds.text, named: ["token"])]))
          let failure = await #expect(throws: StepFailure.self) { _ = try await provider.state(ofServer: "12345") }
          let shown = (failure?.message ?? "") + JSONWriter.text(.map(failure?.detail ?? [:]))
          if shown.contains("***") { told += 1 }
          #expect(SecretShreds.found(in: shown) == nil, "\(status) \(body("…")): \(shown)")
        }
      }
    }
    #expect(told > 100)
  }
}
