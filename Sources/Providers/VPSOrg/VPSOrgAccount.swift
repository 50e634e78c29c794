import ProviderKit
import Runbook

/// One account.
struct ConnectedVPSOrg: CloudAccount {
  let client: VPSOrgClient

  var table: [CloudRow<VPSOrgClient>] { VPSOrgProvider.table }

  func proveCredential() async throws(StepFailure) { _ = try await client.whoAmI() }

  func report() async -> AccountReport {
    var report = AccountReport()
    do throws(StepFailure) {
      let identity = try await client.whoAmI()
      report.identity = identity.text
      report.rights = identity.permissions
      report.clockSkew = identity.skew
      if identity.text == nil { report.notes.append("VPS.org does not say who owns the token, only that it is valid") }
      for server in try await client.servers() {
        for kind in ItemKind.allCases {
          let used = try await client.items(kind, server: server.id).count { $0.isManual }
          report.quotas.append(
            AccountReport.Quota(
              "\(kind.rawValue)s of server \(server.id) (\(server.name.excerpt(64)))", used: Int64(used),
              limit: client.limit(kind).map { Int64($0) }))
        }
      }
    } catch {
      report.problems.append(error.message)
    }
    return report
  }
}

/// What `/account/me/` tells.
struct VPSOrgIdentity: Sendable {
  /// "ops@example.com, token `runbook`"; nil if it does not tell.
  var text: String?
  var permissions: [String]
  var skew: Duration?

  init(_ json: Value, skew: Duration?) {
    let email = json["account"]?["email"]?.string?.excerpt(200)
    let token = json["token"]?["name"]?.string.map { "token `\($0.excerpt(100))`" }
    let parts = [email, token].compactMap { $0 }
    text = parts.isEmpty ? nil : parts.joined(separator: ", ")
    let rights = json["token"]?["permissions"]
    permissions = (rights?.list ?? rights.map { [$0] } ?? []).compactMap { $0.string?.excerpt(100) }
    self.skew = skew
  }
}
