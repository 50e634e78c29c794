/// What a mistake or a warning in a file is called: for ever the same, so that it can be searched for. A new code does
/// not compile without its text (`CodeText`), from which `runbook help codes` and `docs/reference/codes.md` are made.
public enum DiagnosticCode: String, CaseIterable, Sendable {
  // How the file is written
  case yamlSyntax = "E-YAML-SYNTAX"
  case yamlTab = "E-YAML-TAB"
  case yamlQuote = "E-YAML-QUOTE"
  case yamlNumber = "E-YAML-NUMBER"
  case yamlDuplicate = "E-YAML-DUPLICATE"
  case yamlKey = "E-YAML-KEY"
  case yamlTag = "E-YAML-TAG"
  case yamlMerge = "E-YAML-MERGE"
  case yamlAlias = "E-YAML-ALIAS"
  case yamlDocuments = "E-YAML-DOCUMENTS"
  case yamlDirective = "E-YAML-DIRECTIVE"
  case yamlCharacter = "E-YAML-CHARACTER"
  case yamlEncoding = "E-YAML-ENCODING"
  case yamlDepth = "E-YAML-DEPTH"
  case yamlSize = "E-YAML-SIZE"

  // Keys, values and names
  case version = "E-VERSION"
  case empty = "E-EMPTY"
  case keyUnknown = "E-KEY-UNKNOWN"
  case keyForeign = "E-KEY-FOREIGN"
  case keyMissing = "E-KEY-MISSING"
  case keyTogether = "E-KEY-TOGETHER"
  case unsupported = "E-UNSUPPORTED"
  case context = "E-CONTEXT"
  case type = "E-TYPE"
  case range = "E-RANGE"
  case choice = "E-CHOICE"
  case pattern = "E-PATTERN"
  case interpolation = "E-INTERPOLATION"
  case name = "E-NAME"
  case nameReserved = "E-NAME-RESERVED"
  case idDuplicate = "E-ID-DUPLICATE"
  case secret = "E-SECRET"
  case warnSecret = "W-SECRET"
  case url = "E-URL"
  case file = "E-FILE"

  // Steps, actions and providers
  case stepKind = "E-STEP-KIND"
  case action = "E-ACTION"
  case provider = "E-PROVIDER"
  case probe = "E-PROBE"
  case state = "E-STATE"
  case warnState = "W-STATE"
  case delete = "E-DELETE"
  case warnDelete = "W-DELETE"
  case warnRollback = "W-ROLLBACK"
  case warnRollbackEffect = "W-ROLLBACK-EFFECT"
  case warnUnreachable = "W-UNREACHABLE"
  case warnField = "W-FIELD"
  case warnPipe = "W-PIPE"
  case warnWord = "W-WORD"
  case call = "E-CALL"
  case branch = "E-BRANCH"
  case warnItems = "W-ITEMS"
  case warnTimeout = "W-TIMEOUT"

  // Expressions
  case expressionSyntax = "E-EXPR-SYNTAX"
  case expressionName = "E-EXPR-NAME"
  case expressionMember = "E-EXPR-MEMBER"
  case expressionType = "E-EXPR-TYPE"
  case expressionFunction = "E-EXPR-FUNCTION"
  case expressionPattern = "E-EXPR-PATTERN"
  case expressionLimit = "E-EXPR-LIMIT"
  case expressionSecret = "E-EXPR-SECRET"
  case expressionStep = "E-EXPR-STEP"
  case expressionStepOrder = "E-EXPR-STEP-ORDER"
  case expressionOptional = "E-EXPR-OPTIONAL"

  // Mock files
  case mock = "E-MOCK"

  /// The headings of the list, in its order.
  public enum Group: String, CaseIterable, Sendable {
    case yaml = "How the file is written"
    case keys = "Keys, values and names"
    case actions = "Steps, actions and providers"
    case expressions = "Expressions"
    case mocks = "Mock files"
  }

  public var group: Group {
    switch self {
    case .yamlSyntax, .yamlTab, .yamlQuote, .yamlNumber, .yamlDuplicate, .yamlKey, .yamlTag, .yamlMerge,
      .yamlAlias, .yamlDocuments, .yamlDirective, .yamlCharacter, .yamlEncoding, .yamlDepth, .yamlSize:
      .yaml
    case .version, .empty, .keyUnknown, .keyForeign, .keyMissing, .keyTogether, .unsupported, .context,
      .type, .range, .choice, .pattern, .interpolation, .name, .nameReserved, .idDuplicate, .secret, .warnSecret, .url,
      .file:
      .keys
    case .stepKind, .action, .provider, .probe, .state, .warnState, .delete, .warnDelete, .warnRollback,
      .warnRollbackEffect, .warnUnreachable, .warnField, .warnPipe, .warnWord, .call, .branch, .warnItems,
      .warnTimeout:
      .actions
    case .expressionSyntax, .expressionName, .expressionMember, .expressionType, .expressionFunction,
      .expressionPattern, .expressionLimit, .expressionSecret, .expressionStep, .expressionStepOrder,
      .expressionOptional:
      .expressions
    case .mock: .mocks
    }
  }

  /// What it means, and a wrong and a right file.
  public var text: CodeText {
    switch self {
    case .yamlSyntax: .yamlSyntax
    case .yamlTab: .yamlTab
    case .yamlQuote: .yamlQuote
    case .yamlNumber: .yamlNumber
    case .yamlDuplicate: .yamlDuplicate
    case .yamlKey: .yamlKey
    case .yamlTag: .yamlTag
    case .yamlMerge: .yamlMerge
    case .yamlAlias: .yamlAlias
    case .yamlDocuments: .yamlDocuments
    case .yamlDirective: .yamlDirective
    case .yamlCharacter: .yamlCharacter
    case .yamlEncoding: .yamlEncoding
    case .yamlDepth: .yamlDepth
    case .yamlSize: .yamlSize
    case .version: .version
    case .empty: .empty
    case .keyUnknown: .keyUnknown
    case .keyForeign: .keyForeign
    case .keyMissing: .keyMissing
    case .keyTogether: .keyTogether
    case .unsupported: .unsupported
    case .context: .context
    case .type: .type
    case .range: .range
    case .choice: .choice
    case .pattern: .pattern
    case .interpolation: .interpolation
    case .name: .name
    case .nameReserved: .nameReserved
    case .idDuplicate: .idDuplicate
    case .secret: .secret
    case .warnSecret: .warnSecret
    case .url: .url
    case .file: .file
    case .stepKind: .stepKind
    case .action: .action
    case .provider: .provider
    case .probe: .probe
    case .state: .state
    case .warnState: .warnState
    case .delete: .delete
    case .warnDelete: .warnDelete
    case .warnRollback: .warnRollback
    case .warnRollbackEffect: .warnRollbackEffect
    case .warnUnreachable: .warnUnreachable
    case .warnField: .warnField
    case .warnPipe: .warnPipe
    case .warnWord: .warnWord
    case .call: .call
    case .branch: .branch
    case .warnItems: .warnItems
    case .warnTimeout: .warnTimeout
    case .expressionSyntax: .expressionSyntax
    case .expressionName: .expressionName
    case .expressionMember: .expressionMember
    case .expressionType: .expressionType
    case .expressionFunction: .expressionFunction
    case .expressionPattern: .expressionPattern
    case .expressionLimit: .expressionLimit
    case .expressionSecret: .expressionSecret
    case .expressionStep: .expressionStep
    case .expressionStepOrder: .expressionStepOrder
    case .expressionOptional: .expressionOptional
    case .mock: .mock
    }
  }
}
