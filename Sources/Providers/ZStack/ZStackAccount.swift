import ProviderKit
import Runbook

/// One account.
struct ConnectedZStack: CloudAccount {
  let client: ZStackClient

  var table: [CloudRow<ZStackClient>] { ZStackProvider.table }

  func proveCredential() async throws(StepFailure) { try await client.proveSession() }

  func report() async -> AccountReport {
    var report = AccountReport()
    do throws(StepFailure) {
      let reply = try await client.send(.read(["vm-instances"], [("limit", "1"), ("fields", "uuid")]))
      report.clockSkew = reply.response.clockSkew(now: client.connection.clock.now)
      await tellIdentity(&report)
      for store in try await client.stores() where store.isImageStore {
        let name = "backup storage \(store.id) (\(store.name.excerpt(64))), GiB"
        let total = store.total.map { $0 >> 30 }
        let used = store.total.flatMap { total in store.available.map { max(0, (total - min(total, $0)) >> 30) } }
        report.quotas.append(AccountReport.Quota(name, used: used ?? 0, limit: total))
        if !store.isUsable { report.problems.append("backup storage \(store.id) is disabled: no backup can go there") }
        if store.available == 0 { report.problems.append("backup storage \(store.id) is full") }
      }
      if let own = client.backupStorage, !report.quotas.contains(where: { $0.name.contains(own) }) {
        report.problems.append("`backup_storage` \(own) is no image store of this ZStack")
      }
    } catch {
      report.problems.append(error.message)
    }
    if client.zone == .unknown {
      report.notes.append("`time_zone` is not given: times of snapshots and backups are known only to 26 hours")
    }
    return report
  }

  /// Who it is, and how long the session lives. ZStack tells it of the account, and whether that is an administrator.
  private func tellIdentity(_ report: inout AccountReport) async {
    switch client.credential {
    case .session: report.notes.append("the session was opened elsewhere: it ends two hours after its log-in")
    case .accessKey(let id, _): report.identity = "access key \(id.excerpt(40))"
    case .account(let name, _):
      report.identity = "account `\(name.excerpt(60))`"
      guard let held = client.session.current else { return }
      guard let end = held.endsAt else { return }
      let left = end - client.connection.clock.monotonic
      report.notes.append("the session ends in \(Duration.seconds(left.components.seconds).text) and is prolonged")
      guard let uuid = held.account, uuid.isZStackID else { return }
      guard let reply = try? await client.send(.read(["accounts", uuid])),
        let found = try? ZStackClient.inventories(reply).first
      else { return }
      if let type = found["type"]?.string { report.rights.append(type.excerpt(60)) }
    }
  }
}
