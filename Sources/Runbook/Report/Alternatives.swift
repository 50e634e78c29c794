/// What an author can use in place of an action that a cloud does not have: read from the tables of all clouds.
struct Alternatives {
  let action: String
  let providers: [any ProviderKind]
  /// Those that the runbook's files declare, by what stands after `type:`.
  var declared: [String: any ProviderKind] = [:]

  /// The types that have it, in the order in which they are known; files come last.
  var able: [String] {
    let files = declared.keys.sorted().filter { declared[$0].map(has) ?? false }
    return providers.filter(has).map { $0.type } + files
  }

  private func has(_ kind: any ProviderKind) -> Bool { kind.actions.contains { $0.name == action } }

  private func kind(of type: String) -> (any ProviderKind)? {
    declared[type] ?? providers.first { $0.type == type }
  }

  private var family: String { String(action.prefix { $0 != "." }) }
  private var verb: String { String(action.drop { $0 != "." }.dropFirst()) }

  /// Why a cloud has no such action: nothing of its family, or an own action of another cloud.
  func reason(on type: String) -> String {
    guard let kind = kind(of: type) else { return "" }
    if providers.contains(where: { $0.type == family && $0.type != type }) { return "it belongs to \(family) alone" }
    let hasFamily = kind.actions.contains { $0.name.hasPrefix(family + ".") }
    return hasFamily ? "\(type) has no such action" : "\(type) has no `\(family).*` at all"
  }

  /// The actions of a cloud that come nearest: of the same family and a like name, else the same of a like family, else
  /// its raw call for that of another cloud.
  func near(on type: String) -> [String] {
    guard let kind = kind(of: type) else { return [] }
    let names = kind.actions.map { $0.name }
    let relatives = names.filter { name in
      name.hasPrefix(family + ".") && (name.hasPrefix(stem) || action.hasPrefix(name))
    }
    if !relatives.isEmpty { return relatives }
    if isRaw { return kind.actions.filter { $0.operation?.request == "any" }.map { $0.name } }
    let items = Set((providers + [kind]).flatMap { $0.actions.compactMap { $0.room?.kind } })
    return items.contains(family) ? names.filter { name in items.contains { name == "\($0).\(verb)" } } : []
  }

  /// `backup.restore` of `backup.restore_as`.
  private var stem: String { String(action.prefix { $0 != "_" }) }

  private var isRaw: Bool {
    providers.contains { $0.actions.contains { $0.name == action && $0.operation?.request == "any" } }
  }

  /// "zomro and zstack can; the nearest that vps_org has is `backup.restore`"; nil if there is nothing to say.
  func hint(on type: String?) -> String? {
    var parts: [String] = []
    if !able.isEmpty, !able.contains(family) { parts.append("\(Alternatives.listed(able)) can") }
    if let type {
      let near = near(on: type)
      if !near.isEmpty {
        parts.append(
          "the nearest that \(type) has is \(near.map { "`\($0)`" }.joined(separator: " or "))"
            + near.compactMap { danger($0, on: type) }.joined())
      }
    }
    return parts.isEmpty ? nil : parts.joined(separator: "; ")
  }

  /// That an action does harm which the one that was wanted does not; nil: it does no such harm.
  private func danger(_ name: String, on type: String) -> String? {
    let wanted = (providers + declared.values).lazy.compactMap { kind in kind.actions.first { $0.name == action } }
      .first
    guard wanted?.effect != .destroy, let found = kind(of: type)?.actions.first(where: { $0.name == name }) else {
      return nil
    }
    return Alternatives.danger(found).map { "; careful, `\(name)` is no substitute: it would \($0)" }
  }

  /// What an action does for good, as its summary says; nil: nothing.
  static func danger(_ declaration: ActionDeclaration) -> String? {
    declaration.effect == .destroy ? declaration.summary : nil
  }

  /// "a, b and c".
  private static func listed(_ words: [String]) -> String {
    guard let last = words.last, words.count > 1 else { return words.joined() }
    return words.dropLast().joined(separator: ", ") + " and " + last
  }
}
