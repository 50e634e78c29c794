import ProviderKit
import Runbook

/// The actions of the vocabulary that a file declares a request for. What only reads, and `prune`, follow from the
/// lists.
enum DeclaredAction: Sendable, Equatable {
  case stop, start, reboot
  case create(ItemKind), restore(ItemKind), delete(ItemKind)

  static let all: [DeclaredAction] =
    [.stop, .start, .reboot]
    + ItemKind.allCases.flatMap { [DeclaredAction.create($0), .restore($0), .delete($0)] }
  static let names = all.map { $0.name }

  init?(_ name: String) {
    guard let action = DeclaredAction.all.first(where: { $0.name == name }) else { return nil }
    self = action
  }

  var name: String {
    switch self {
    case .stop: "server.stop"
    case .start: "server.start"
    case .reboot: "server.reboot"
    case .create(let kind): "\(kind.rawValue).create"
    case .restore(let kind): "\(kind.rawValue).restore"
    case .delete(let kind): "\(kind.rawValue).delete"
    }
  }

  /// What it acts on besides servers.
  var item: ItemKind? {
    switch self {
    case .stop, .start, .reboot: nil
    case .create(let kind), .restore(let kind), .delete(let kind): kind
    }
  }

  var usualTimeout: Duration {
    switch self {
    case .stop, .start, .reboot, .delete: .seconds(900)
    case .create, .restore: .seconds(3600)
    }
  }

  var usualNeeds: Set<PowerState> {
    switch self {
    case .reboot: [.running]
    case .restore: [.running, .stopped]
    case .stop, .start, .create, .delete: []
    }
  }

  var leaves: PowerEffect {
    switch self {
    case .stop: .becomes(.stopped)
    case .start, .reboot: .becomes(.running)
    case .restore: .asAsked
    case .create, .delete: .unchanged
    }
  }

  /// What a lost call can be found again by decides; nobody can claim more.
  func effectClass(_ rule: ActionRule, showsChanges: Bool) -> EffectClass {
    switch self {
    case .stop, .start, .delete: .convergent
    case .create: rule.foundBy == nil ? .opaque : .findable
    case .reboot, .restore: rule.job == nil && !showsChanges ? .opaque : .findable
    }
  }

  func declaration(name: Field?, within timeout: Duration, class effectClass: EffectClass) -> ActionDeclaration {
    switch self {
    case .stop: ServerVocabulary.stop(within: timeout)
    case .start: ServerVocabulary.start(within: timeout)
    case .reboot: ServerVocabulary.reboot(within: timeout, class: effectClass)
    case .create(let kind):
      ItemVocabulary(word: kind.rawValue).create(
        name: name ?? Field("name", .string, required: true, help: "how it is called"), within: timeout,
        class: effectClass)
    case .restore(let kind): ItemVocabulary(word: kind.rawValue).restore(within: timeout, class: effectClass)
    case .delete(let kind): ItemVocabulary(word: kind.rawValue).delete(within: timeout)
    }
  }
}
