/// The declarations of actions by the names that stand in journals: what a report has to know of an action, it asks its
/// declaration.
public struct KnownActions: Sendable {
  private let builtIn: [String: ActionDeclaration]
  private let providers: [any ProviderKind]

  /// - Parameter providers: looked into in this order, and only for a name that is not built in.
  public init(builtIn: [ActionDeclaration] = [], providers: [any ProviderKind] = []) {
    self.builtIn = Dictionary(builtIn.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    self.providers = providers
  }

  /// nil for a name of another release, or of a provider that is not known here: a report then says of the step what
  /// holds for every action.
  public func declaration(of name: String) -> ActionDeclaration? {
    builtIn[name] ?? providers.lazy.compactMap { kind in kind.actions.first { $0.name == name } }.first
  }
}

extension KnownActions: Equatable {
  /// Always true: two reports are equal if they tell the same, wherever they looked the actions up.
  public static func == (left: KnownActions, right: KnownActions) -> Bool { true }
}
