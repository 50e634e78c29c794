import ProviderKit
import Runbook

/// Snapshots and backups have the same actions; these two types say where they differ.
protocol VPSOrgItems: Sendable {
  static var kind: ItemKind { get }
  static var words: ItemVocabulary { get }
  /// Documented for snapshots as 5 to 15 minutes; backups "vary".
  static var restoreTimeout: Duration { get }
  /// Fields of `list` and `find` beyond the common ones.
  static var filters: [Field] { get }
}

enum VPSOrgSnapshots: VPSOrgItems {
  static let kind = ItemKind.snapshot
  static let words = ItemVocabulary(
    word: "snapshot", details: VPSOrgDetails.common, replyDetails: VPSOrgDetails.ofCreation)
  static let restoreTimeout: Duration = .seconds(45 * 60)
  static let filters: [Field] = []
}

enum VPSOrgBackups: VPSOrgItems {
  static let kind = ItemKind.backup
  static let words = ItemVocabulary(
    word: "backup", details: VPSOrgDetails.ofBackups, replyDetails: VPSOrgDetails.ofCreation)
  static let restoreTimeout: Duration = .seconds(2 * 3600)
  static let filters = [
    Field("type", .choice(["manual", "automatic"]), help: "only those made by hand, or by schedule; default: both")
  ]
}
