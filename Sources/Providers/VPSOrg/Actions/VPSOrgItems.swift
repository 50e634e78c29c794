import Runbook

/// Snapshots and backups have the same actions; these two types say where they differ.
protocol VPSOrgItems: Sendable {
  static var kind: VPSOrgItemKind { get }
  static var words: ItemVocabulary { get }
  /// Documented for snapshots as 5 to 15 minutes; backups "vary".
  static var restoreTimeout: Duration { get }
  /// Fields of `list` and `find` beyond the common ones.
  static var filters: [Field] { get }
}

enum VPSOrgSnapshots: VPSOrgItems {
  static let kind = VPSOrgItemKind.snapshot
  static let words = ItemVocabulary.snapshots
  static let restoreTimeout: Duration = .seconds(45 * 60)
  static let filters: [Field] = []
}

enum VPSOrgBackups: VPSOrgItems {
  static let kind = VPSOrgItemKind.backup
  static let words = ItemVocabulary.backups
  static let restoreTimeout: Duration = .seconds(2 * 3600)
  static let filters = [
    Field("type", .choice(["manual", "automatic"]), help: "only those made by hand, or by schedule; default: both")
  ]
}

extension VPSOrgClient {
  /// The item of this id among those of the server; nil if it has none.
  func item(_ kind: VPSOrgItemKind, _ id: String, server: String?) async throws(StepFailure) -> VPSOrgItem? {
    try await items(kind, server: server).first { $0.id == id }
  }
}
