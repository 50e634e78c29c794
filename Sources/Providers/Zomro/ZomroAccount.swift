import ProviderKit
import Runbook

/// One account.
struct ConnectedZomro: CloudAccount {
  let client: ZomroClient

  var table: [CloudRow<ZomroClient>] { ZomroProvider.table }

  func proveCredential() async throws(StepFailure) { _ = try await client.whoAmI() }

  func report() async -> AccountReport {
    var report = AccountReport()
    do throws(StepFailure) {
      let identity = try await client.whoAmI()
      report.identity = identity.name
      report.clockSkew = identity.skew
      report.notes.append(lifeText)
      report.notes.append("Zomro does not say which rights an account has")
      for server in try await client.servers() where server.state != .absent {
        for kind in ItemKind.allCases {
          let listing = try await client.images(kind, server: server.id)
          let name = "\(kind.rawValue)s of server \(server.id) (\(server.name.excerpt(64)))"
          if let today = ZomroCounters(listing.document).today {
            report.quotas.append(AccountReport.Quota("\(name), today", used: today, limit: ZomroClient.dailyLimit))
          }
          report.quotas.append(
            AccountReport.Quota(
              name, used: Int64(listing.lines.count), limit: client.limit(kind).map { Int64($0) }))
        }
      }
    } catch {
      report.problems.append(error.message)
    }
    return report
  }

  private var lifeText: String {
    switch client.credential {
    case .session: "a session ends an hour after its last request; this one cannot be opened anew from here"
    case .login: "a session ends an hour after its last request, and is opened anew when it has"
    case .authinfo: "user and password go with every call; there is no session that could end"
    }
  }
}
