package import Runbook

/// A server as any cloud describes it.
package struct CloudServer: Sendable {
  package var id: String
  package var name: String
  /// The provider's own word: `quiescing`.
  package var nativeState: String
  package var state: PowerState
  /// The provider's word is one that the client has never heard of; it counts as `changing`.
  package var isUnheard: Bool
  var ip: String?
  /// Changes whenever the server does (`updated_at`), as it was sent: compared, never calculated with. nil: the
  /// provider has no such sign.
  package var changeMark: String?

  /// - Parameter state: nil for a word that was never heard of.
  ///
  /// Words of the other side are cut where they are longer than any word should be: they go into messages.
  package init(
    id: String, name: String, nativeState: String, state: PowerState?, ip: String? = nil, changeMark: String? = nil
  ) {
    self.id = id
    self.name = name.excerpt(1024)
    self.nativeState = nativeState.excerpt(64)
    self.state = state ?? .changing
    isUnheard = state == nil
    self.ip = ip?.excerpt(64)
    self.changeMark = changeMark?.excerpt(300)
  }

  package var outputs: [String: Value] {
    [
      "id": .string(id), "name": .string(name), "state": .string(state.rawValue), "native_state": .string(nativeState),
      "ip": ip.map { .string($0) } ?? .null,
    ]
  }
}
