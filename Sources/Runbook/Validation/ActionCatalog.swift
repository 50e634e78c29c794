/// Every action that a runbook may name, with what the checks of 10 000 steps would else work out 10 000 times.
final class ActionCatalog {
  private(set) var builtIn: [String: ActionInfo] = [:]
  /// By action, then by provider type: of the types that have been needed so far.
  private var provided: [String: [String: ActionInfo]] = [:]
  private var loaded: Set<String> = []
  private let kinds: [(keyword: String, shape: StepShape)]
  /// By the word after `type:`.
  private(set) var providers: [String: any ProviderKind] = [:]
  let keywords: [String]

  init(_ context: ValidationContext) {
    keywords = context.steps.map { $0.keyword }
    kinds = context.steps.map { ($0.keyword, $0.shape) }
    for step in context.steps {
      for action in step.actions { builtIn[action.declaration.name] = ActionInfo(action.declaration) }
    }
    for action in context.actions where builtIn[action.name] == nil { builtIn[action.name] = ActionInfo(action) }
    providers = Dictionary(context.providers.map { ($0.type, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// Makes a provider known that a file declares.
  /// - Parameter type: what stands after `type:`: the path of the file.
  func add(_ provider: any ProviderKind, as type: String) { providers[type] = provider }

  /// Looks into a provider that the runbook names. The others are looked into only if something is not found: some are
  /// read from files, which takes longer than all the rest.
  func use(_ type: String) {
    guard let provider = providers[type], loaded.insert(type).inserted else { return }
    for action in provider.actions { provided[action.name, default: [:]][type] = ActionInfo(action) }
  }

  private func useAll() { for type in providers.keys.sorted() { use(type) } }

  /// An action by provider type, if a provider that the runbook names has it; else of all that have it.
  func provided(_ action: String) -> [String: ActionInfo]? {
    if let known = provided[action] { return known }
    useAll()
    return provided[action]
  }

  /// An action on every provider that has it.
  func everywhere(_ action: String) -> [String: ActionInfo] {
    useAll()
    return provided[action] ?? [:]
  }

  /// Asked for every key of every step: comparing six short words is faster than hashing one.
  func kind(_ keyword: String) -> StepShape? { kinds.first { $0.keyword == keyword }?.shape }

  /// What may stand after `action:`.
  var writableNames: [String] {
    useAll()
    return builtIn.filter { $0.value.declaration.isWritable }.map { $0.key } + provided.keys
  }

  /// Every action whatever its provider, for globs.
  var all: [ActionInfo] {
    useAll()
    return used
  }

  /// Those that need no provider, and those of the providers that the runbook names.
  var used: [ActionInfo] { Array(builtIn.values) + provided.values.flatMap { $0.values } }
}

/// An action's declaration, shared by all its steps.
final class ActionInfo {
  let declaration: ActionDeclaration
  let fields: [FieldInfo]
  let required: [FieldInfo]
  let defaults: [(name: String, value: Template)]
  let result: ValueType
  /// It is given the step's `env`, so that means something.
  let acceptsEnvironment: Bool
  let fieldNames: [String]

  init(_ declaration: ActionDeclaration) {
    self.declaration = declaration
    fields = declaration.fields.map { FieldInfo($0) }
    required = fields.filter { $0.field.required && $0.field.defaultValue == nil }
    defaults = declaration.fields.compactMap { field in field.defaultValue.map { (field.name, .literal($0)) } }
    result = .object(declaration.result.isEmpty ? declaration.outputs : declaration.result)
    fieldNames = declaration.fields.map { $0.name }
    acceptsEnvironment = declaration.context.contains(.environment)
  }

  func field(_ name: String) -> FieldInfo? { fields.first { $0.field.name == name } }
}

/// A field, and its pattern once it has been needed.
final class FieldInfo {
  let field: Field
  private(set) lazy var pattern: Pattern? = field.pattern.flatMap { try? Pattern($0) }
  /// Of a map whose keys are known.
  private(set) lazy var members: [FieldInfo] = field.members.map { FieldInfo($0) }
  init(_ field: Field) { self.field = field }
}
