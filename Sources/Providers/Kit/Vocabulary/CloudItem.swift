package import Runbook

/// What a cloud keeps of a server's disks.
package enum ItemKind: String, Sendable, CaseIterable {
  case snapshot, backup
}

/// A snapshot or a backup as any cloud describes it.
package struct CloudItem: Sendable {
  var kind: ItemKind
  package var id: String
  /// nil if the reply does not say.
  package var server: String?
  package var name: String
  package var description: String
  package var nativeState: String
  package var state: ItemState
  /// The provider's word is one that the client has never heard of; it counts as `creating`.
  var isUnheard: Bool
  package var sizeMB: Int64?
  /// The earliest instant at which it can have been made.
  var createdAt: Timestamp
  /// How much later it may have been made, where the provider does not tell exactly (a date without a time).
  var createdAtError: Duration
  /// Made by a person or a run, not by the provider's schedule.
  package var isManual: Bool
  /// Cannot be deleted until somebody takes the protection off.
  package var isProtected: Bool
  /// What the provider's documents tell beyond the vocabulary, under their own names (`ItemVocabulary.details`).
  package var details: [String: Value] = [:]

  /// - Parameter state: nil for a word that was never heard of.
  ///
  /// Words of the other side are cut where they are longer than any word should be: they go into messages.
  package init(
    kind: ItemKind, id: String, server: String? = nil, name: String, description: String = "", nativeState: String,
    state: ItemState?, sizeMB: Int64? = nil, createdAt: Timestamp, createdAtError: Duration = .zero,
    isManual: Bool = true, isProtected: Bool = false
  ) {
    self.kind = kind
    self.id = id
    self.server = server
    self.name = name.excerpt(1024)
    self.description = description
    self.nativeState = nativeState.excerpt(64)
    self.state = state ?? .creating
    isUnheard = state == nil
    self.sizeMB = sizeMB
    self.createdAt = createdAt
    self.createdAtError = createdAtError
    self.isManual = isManual
    self.isProtected = isProtected
  }

  package var outputs: [String: Value] {
    details.merging(common) { _, ours in ours }
  }

  private var common: [String: Value] {
    [
      "id": .string(id), "name": .string(name), "state": .string(state.rawValue), "native_state": .string(nativeState),
      "size_mb": sizeMB.map { .int($0) } ?? .null, "created_at": .timestamp(createdAt),
      "created_at_error": .duration(createdAtError),
    ]
  }

  /// Newest first; of equally old ones the higher id, which was probably given later.
  static func newestFirst(_ left: CloudItem, _ right: CloudItem) -> Bool {
    if left.createdAt != right.createdAt { return left.createdAt > right.createdAt }
    return (left.id.utf8.count, left.id) > (right.id.utf8.count, right.id)
  }
}
