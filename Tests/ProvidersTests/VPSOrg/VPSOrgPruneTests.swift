import Runbook
import Testing

@testable import ProviderKit
@testable import VPSOrgCloud

struct VPSOrgPruneTests {
  static func item(_ id: Int, _ created: String) throws -> CloudItem {
    try CloudItem(
      vpsOrg: [
        "id": .int(Int64(id)), "name": "a", "status": "completed",
        "created_at": .string("2025-01-\(created)T00:00:00Z"),
      ],
      .snapshot)
  }

  /// Days of creation in; ids (counted from 1) of the deleted out.
  @Test(
    arguments: [
      (["01", "02", "03"], 0, [3, 2, 1]), (["01", "02", "03"], 1, [2, 1]), (["01", "02", "03"], 3, []),
      (["01", "02", "03"], 9, []), (["01", "02", "02"], 1, [1]), (["02", "02", "02"], 1, []),
      (["03", "01", "02"], 2, [2]),
      ([], 0, []),
    ] as [([String], Int64, [Int])])
  func theNewestStayAndTiesStayTogether(days: [String], keep: Int64, deleted: [Int]) throws {
    let items = try days.enumerated().map { try Self.item($0.offset + 1, $0.element) }
    #expect(Prune.doomed(items, keep: keep) { _ in true }.map { $0.id } == deleted.map { String($0) })
  }

  @Test(
    arguments: [
      ("nightly", "text", "nightly: text [runbook k1]", "nightly"),
      (nil, "text: more", "text: more [runbook k1]", "text"),
      ("nightly", nil, "nightly [runbook k1]", "nightly"), (nil, nil, "[runbook k1]", ""),
      ("", "", "[runbook k1]", ""),
    ] as [(String?, String?, String, String)])
  func aBackupsNameSurvivesInItsDescription(name: String?, text: String?, description: String, read: String) {
    #expect(BackupMarker.description(name: name, text: text, key: "k1") == description)
    #expect(BackupMarker.name(in: description) == read)
  }

  @Test(arguments: ["Automatic daily backup", "Pre-update: backup", "[runbook", "a]", ""])
  func aDescriptionOfSomebodyElseIsAName(description: String) {
    #expect(BackupMarker.name(in: description) == description)
  }
}
