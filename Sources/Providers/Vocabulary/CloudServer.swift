import Runbook

/// A server as any cloud describes it.
struct CloudServer: Sendable {
  var id: String
  var name: String
  /// The provider's own word: `quiescing`.
  var nativeState: String
  var state: PowerState
  var ip: String?
  /// Changes whenever the server does (`updated_at`), as it was sent: compared, never calculated with. nil: the
  /// provider has no such sign.
  var changeMark: String?

  init(
    id: String, name: String, nativeState: String, state: PowerState, ip: String? = nil, changeMark: String? = nil
  ) {
    self.id = id
    self.name = name
    self.nativeState = nativeState
    self.state = state
    self.ip = ip
    self.changeMark = changeMark
  }

  var outputs: [String: Value] {
    [
      "id": .string(id), "name": .string(name), "state": .string(state.rawValue), "native_state": .string(nativeState),
      "ip": ip.map { .string($0) } ?? .null,
    ]
  }
}
