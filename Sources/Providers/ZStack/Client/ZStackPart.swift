import ProviderKit
import Runbook

/// ZStack reports success for a whole group even when single volumes failed: each entry of `results` is checked.
enum ZStackPart {
  /// What failed, by volume; nil if nothing did or the body has no `results`.
  /// - Parameter what: "server 4711 was not put back whole".
  static func failure(in body: Value, _ what: String, _ secrets: [Secret]) -> StepFailure? {
    guard let results = body["results"]?.list, !results.isEmpty else { return nil }
    let failed = results.filter { $0["success"] != true }
    guard !failed.isEmpty else { return nil }
    let parts = failed.prefix(5).map { result -> String in
      let id = result["volumeUuid"]?.string ?? result["snapshotUuid"]?.string ?? result["uuid"]?.string ?? "?"
      let reason = ZStackError(result["error"])?.text(hiding: secrets) ?? "no reason given"
      return "volume \(id.excerpt(64)): \(reason.excerpt(160))"
    }
    let volumes = failed.compactMap { $0["volumeUuid"]?.string?.excerpt(64) }
    return StepFailure(
      .server, "\(what): \(failed.count) of \(results.count) volumes failed (\(parts.joined(separator: "; ")))",
      effect: .applied,
      detail: ["failed_volumes": .list(volumes.map { .string($0) }), "volumes": .int(Int64(results.count))])
  }
}
