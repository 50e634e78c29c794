import ProviderKit
import Runbook

/// The actions of a declared provider: the declared ones, and what follows from the lists.
enum DeclaredTable {
  /// An action with how it is bound to an account.
  typealias Row = CloudRow<DeclaredClient>

  static func rows(_ manifest: ProviderManifest) -> [Row] {
    let servers = manifest.servers
    var rows = [
      Row(ServerVocabulary.status(), Operation(servers.get.text)) { ServerStatus(cloud: $0, declaration: $1) },
      Row(ServerVocabulary.list(), Operation(servers.list.request.text)) { ServerList(cloud: $0, declaration: $1) },
      Row(ServerVocabulary.find(), Operation(servers.list.request.text)) { ServerFind(cloud: $0, declaration: $1) },
    ]
    rows += [DeclaredAction.stop, .start, .reboot].compactMap { declared($0, manifest) }
    for kind in ItemKind.allCases {
      guard let items = manifest.items(kind) else { continue }
      let words = ItemVocabulary(word: kind.rawValue)
      let list = Operation(items.list.request.text)
      rows += [declared(.create(kind), manifest)].compactMap { $0 }
      rows.append(Row(words.list(), list) { ItemList(cloud: $0, kind: kind, declaration: $1) })
      rows.append(Row(words.find(), list) { ItemFind(cloud: $0, kind: kind, declaration: $1) })
      rows += [declared(.restore(kind), manifest)].compactMap { $0 }
      guard let rule = manifest.action("\(kind.rawValue).delete") else { continue }
      let delete = Operation(
        rule.request.text, recovery: "sent again; a 404 counts as deleted", evidence: rule.evidence, note: rule.note)
      let listsAccount = items.listsAccount
      rows.append(
        Row(words.prune(within: rule.timeout), delete) { cloud, declaration in
          removal(cloud, kind, rule, ItemPrune(cloud: cloud, kind: kind, declaration: declaration))
        })
      rows.append(
        Row(words.delete(within: rule.timeout), delete) { cloud, declaration in
          removal(
            cloud, kind, rule,
            ItemDelete(cloud: cloud, kind: kind, listsAccount: listsAccount, declaration: declaration))
        })
    }
    return rows
  }

  private static func removal(
    _ cloud: DeclaredClient, _ kind: ItemKind, _ rule: ActionRule, _ base: any Action
  ) -> any Action {
    rule.job == nil ? base : DeclaredRemoval(cloud: cloud, kind: kind, rule: rule, base: base)
  }

  private static func declared(_ action: DeclaredAction, _ manifest: ProviderManifest) -> Row? {
    guard let rule = manifest.action(action.name) else { return nil }
    let showsChanges = manifest.servers.read.members["changed"] != nil
    let name = Field(
      "name", .string, required: true, pattern: rule.namePattern, help: "how it is called; told apart by it")
    let declaration = action.declaration(
      name: name, within: rule.timeout, class: action.effectClass(rule, showsChanges: showsChanges))
    return Row(declaration, operation(action, rule)) { client, declaration in
      switch action {
      case .stop: DeclaredPower(cloud: client, rule: rule, wanted: .stopped, declaration: declaration)
      case .start: DeclaredPower(cloud: client, rule: rule, wanted: .running, declaration: declaration)
      case .reboot: DeclaredReboot(cloud: client, rule: rule, declaration: declaration)
      case .create(let kind): DeclaredCreate(cloud: client, kind: kind, rule: rule, declaration: declaration)
      case .restore(let kind): DeclaredRestore(cloud: client, kind: kind, rule: rule, declaration: declaration)
      case .delete(let kind): ItemDelete(cloud: client, kind: kind, declaration: declaration)
      }
    }
  }

  private static func operation(_ action: DeclaredAction, _ rule: ActionRule) -> Operation {
    let life = "`max_request_life`, default 90s"
    let (recovery, absence) =
      switch (action, rule.foundBy, rule.job) {
      case (.stop, _, _), (.start, _, _): ("the state is read; sent again if it is not changing as wanted", "")
      case (.create, .name, _): ("its name, among the new ones", life)
      case (.create, .mark, _): ("the mark with the call's key, among the new ones", life)
      case (.reboot, _, let job?), (.restore, _, let job?): ("a job `\(job)` that was not there before", life)
      case (.reboot, _, nil), (.restore, _, nil): ("by the server's last change; else a person is asked", life)
      default: ("never repeated; a person is asked", "")
      }
    return Operation(
      rule.request.text, recovery: recovery, absence: absence, needs: needs(action, rule), leaves: action.leaves,
      evidence: rule.evidence, note: note(action, rule))
  }

  /// A restore brings the server itself to what it needs: a running one and a stopped one will do.
  private static func needs(_ action: DeclaredAction, _ rule: ActionRule) -> Set<PowerState> {
    guard case .restore = action, !rule.needs.isEmpty else { return rule.needs }
    return rule.needs.union([.running, .stopped])
  }

  private static func note(_ action: DeclaredAction, _ rule: ActionRule) -> String? {
    guard case .restore = action, !rule.needs.isEmpty, !rule.needs.isSuperset(of: [.running, .stopped]) else {
      return rule.note
    }
    let brought =
      "it is \(rule.needs.contains(.stopped) ? "stopped" : "started") first, and brought to the state of `power`"
    return [rule.note, brought].compactMap { $0 }.joined(separator: "; ")
  }
}
