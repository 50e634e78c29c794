import ProviderKit
import Runbook

/// Every action of VPS.org: how it is declared, what is sent for it, how a lost call is found again, how it is bound.
extension VPSOrgProvider {
  /// An action with how it is bound to an account.
  typealias Row = CloudRow<VPSOrgClient>

  static let table: [Row] = servers + items(.snapshot, VPSOrgSnapshots.self) + items(.backup, VPSOrgBackups.self)

  private static let servers: [Row] = [
    Row(ServerVocabulary.status(), Operation("GET /servers/{id}/", evidence: .inferred)) {
      ServerStatus(cloud: $0, declaration: $1)
    },
    Row(ServerVocabulary.list(), Operation("GET /servers/")) { ServerList(cloud: $0, declaration: $1) },
    Row(ServerVocabulary.find(), Operation("GET /servers/")) { ServerFind(cloud: $0, declaration: $1) },
    Row(VPSOrgServerStop.declaration, power("stop, hard_stop", .stopped)) { client, _ in
      VPSOrgServerStop(client: client)
    },
    Row(VPSOrgServerStart.declaration, power("start", .running)) { client, _ in VPSOrgServerStart(client: client) },
    Row(
      VPSOrgServerReboot.declaration,
      Operation(
        "POST /servers/{id}/power/ restart",
        recovery: "by `restarting` or the server's `updated_at`; else a person is asked",
        absence: life, needs: [.running], leaves: .becomes(.running), evidence: .found)
    ) { client, _ in VPSOrgServerReboot(client: client) },
    Row(
      VPSOrgRawRequest.declaration,
      Operation("any", recovery: "never repeated, unless `idempotent: true`", leaves: .unknown)
    ) { client, _ in VPSOrgRawRequest(client: client) },
  ]

  /// The documents ask for the whole account unless a server is named.
  private static let ofAccount = Field(
    "server", .string, help: "the provider's id of the server; default: of all servers (`api: d2` needs one)")

  private static let life = "`max_request_life`, default 90s"

  private static func power(_ words: String, _ state: PowerState) -> Operation {
    Operation(
      "POST /servers/{id}/power/ \(words)", recovery: "the state is read; sent again if it is not changing as wanted",
      leaves: .becomes(state), evidence: .found)
  }

  private static func items<Items: VPSOrgItems>(_ kind: ItemKind, _ items: Items.Type) -> [Row] {
    let path = "/\(kind.rawValue)s/"
    let list = Operation("GET \(path)?server_id=")
    let delete = Operation("DELETE \(path){id}/", recovery: "sent again; a 404 counts as deleted")
    let create =
      switch kind {
      case .snapshot:
        Row(
          VPSOrgSnapshotCreate.declaration,
          Operation(
            "POST /snapshots/", recovery: "its name, among the new ones", absence: life,
            note: "of a running server it may catch file systems half-written: stop it first")
        ) { client, _ in VPSOrgSnapshotCreate(client: client) }
      case .backup:
        Row(
          VPSOrgBackupCreate.declaration,
          Operation(
            "POST /backups/", recovery: "the mark in its description, among the new ones",
            absence: life)
        ) { client, _ in VPSOrgBackupCreate(client: client) }
      }
    return [
      create,
      Row(Items.words.list(of: ofAccount, further: Items.filters), list) {
        ItemList(cloud: $0, kind: kind, declaration: $1)
      },
      Row(Items.words.find(further: Items.filters), list) { ItemFind(cloud: $0, kind: kind, declaration: $1) },
      Row(
        VPSOrgItemRestore<Items>.declaration,
        Operation(
          kind == .snapshot ? "POST /snapshots/{id}/restore/" : "POST /servers/{id}/restore/ backup_id",
          recovery: "by `restoring`, or the server's `updated_at`; else a person is asked", absence: life,
          needs: [.running, .stopped], leaves: .asAsked,
          note: "VPS.org stops the server by itself; how it comes back is not documented, so the power is brought to "
            + "the state of `power`")
      ) { client, _ in VPSOrgItemRestore<Items>(client: client) },
      Row(Items.words.prune(within: .seconds(900)), delete) { ItemPrune(cloud: $0, kind: kind, declaration: $1) },
      Row(Items.words.delete(within: .seconds(900)), delete) { client, declaration in
        ItemDelete(cloud: client, kind: kind, listsAccount: client.dialect == .d1, declaration: declaration)
      },
    ]
  }
}
