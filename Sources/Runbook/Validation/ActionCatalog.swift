/// Every action that a runbook may name, with what the checks of 10 000 steps would else work out 10 000 times.
final class ActionCatalog {
  private(set) var builtIn: [String: ActionInfo] = [:]
  /// By action, then by provider type.
  private(set) var provided: [String: [String: ActionInfo]] = [:]
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
    for provider in context.providers where providers[provider.type] == nil { add(provider, as: provider.type) }
  }

  /// - Parameter type: what stands after `type:`: the provider's own word, or the path of the file that declares it.
  func add(_ provider: any ProviderKind, as type: String) {
    providers[type] = provider
    for action in provider.actions { provided[action.name, default: [:]][type] = ActionInfo(action) }
  }

  /// Asked for every key of every step: comparing six short words is faster than hashing one.
  func kind(_ keyword: String) -> StepShape? { kinds.first { $0.keyword == keyword }?.shape }

  /// What may stand after `action:`.
  var writableNames: [String] {
    builtIn.filter { $0.value.declaration.isWritable }.map { $0.key } + provided.keys
  }

  /// Every action whatever its provider, for globs.
  var all: [ActionInfo] { Array(builtIn.values) + provided.values.flatMap { $0.values } }
}

/// An action's declaration, shared by all its steps.
final class ActionInfo {
  let declaration: ActionDeclaration
  let fields: [FieldInfo]
  let required: [FieldInfo]
  let defaults: [(name: String, value: Template)]
  let result: ValueType
  /// A script or command runs, so `env` means something.
  let acceptsEnvironment: Bool
  let fieldNames: [String]

  init(_ declaration: ActionDeclaration) {
    self.declaration = declaration
    fields = declaration.fields.map { FieldInfo($0) }
    required = fields.filter { $0.field.required && $0.field.defaultValue == nil }
    defaults = declaration.fields.compactMap { field in field.defaultValue.map { (field.name, .literal($0)) } }
    result = .object(declaration.result.isEmpty ? declaration.outputs : declaration.result)
    fieldNames = declaration.fields.map { $0.name }
    acceptsEnvironment = fieldNames.contains("script") || fieldNames.contains("command")
  }

  func field(_ name: String) -> FieldInfo? { fields.first { $0.field.name == name } }
}

/// A field, and its pattern once it has been needed.
final class FieldInfo {
  let field: Field
  private(set) lazy var pattern: Pattern? = field.pattern.flatMap { try? Pattern($0) }
  init(_ field: Field) { self.field = field }
}
