import ProviderKit
import Runbook

/// The two shapes of the API. `d1` is the published documentation: whole numbers as ids, `/snapshots/` and `/backups/`
/// at the top. `d2` is what the vendor's own client speaks: UUIDs, everything below `/servers/{id}/`, `label` for a
/// snapshot's name. Paths that neither document shows are inferred from their neighbours and marked so.
enum VPSOrgDialect: String, Sendable, CaseIterable {
  case d1, d2

  /// Inferred for d1: its documents show only the list.
  func server(_ id: String) -> [String] { ["servers", id] }

  /// Inferred for d1, which documents no power path at all: taken from d2.
  func power(_ id: String) -> [String] { ["servers", id, "power"] }

  /// Where the items of a server (all of the account for nil, d1 only) are listed. Inferred for d2.
  func list(_ kind: ItemKind, server: String?) -> (path: [String], query: [(String, String)]) {
    switch self {
    case .d1: (["\(kind.rawValue)s"], server.map { [("server_id", $0)] } ?? [])
    case .d2: (["servers", server ?? "", "\(kind.rawValue)s"], [("page_size", "100")])
    }
  }

  func create(_ kind: ItemKind, server: String) -> [String] {
    switch self {
    case .d1: ["\(kind.rawValue)s"]
    case .d2: ["servers", server, kind.rawValue]
    }
  }

  /// Inferred for d2.
  func item(_ kind: ItemKind, _ id: String, server: String?) -> [String] {
    switch self {
    case .d1: ["\(kind.rawValue)s", id]
    case .d2: ["servers", server ?? "", "\(kind.rawValue)s", id]
    }
  }

  /// d1 writes ids that are whole numbers as numbers.
  func id(_ text: String) -> Value {
    if self == .d1, let number = Int64(text), String(number) == text { return .int(number) }
    return .string(text)
  }
}

extension ItemKind {
  /// How many of them one server may have at VPS.org: snapshots in all, backups not counting the automatic ones.
  var vpsOrgLimit: Int { self == .snapshot ? 5 : 10 }
}
