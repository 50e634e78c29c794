extension ValidatedRunbook {
  /// - Throws: every mistake at once, in the order of the file, at most 50; those of the YAML included.
  public init(_ document: ParsedDocument, in context: ValidationContext) throws(Diagnostics) {
    let calls = CalledFiles(root: document.source.bytes)
    self = try Validation(document, context, folder: "", calls: calls).checked()
  }
}

/// One validation: what is known so far while the sections of the file are read, in the order in which they need each
/// other. The rules are extensions, one file each, in `Rules/`.
final class Validation {
  let document: ParsedDocument
  let context: ValidationContext
  /// Of the file, below that of the runbook that is started, with a `/` behind it; empty for that folder itself. Paths
  /// in the file begin there.
  let folder: String
  let calls: CalledFiles
  let sink: DiagnosticSink
  let read: ScalarReader
  let catalog: ActionCatalog
  /// What an expression at the present place may read.
  var environment = TypeEnvironment()
  var defaults = DefaultsTable()
  /// Author's names of provider blocks, with their types; nil for a block that is wrong, and has been told so.
  var blocks: [(name: String, type: String?)] = []
  /// Ids of steps with mistakes of their own: what reads their outputs is not wrong for that.
  var brokenSteps: [String] = []
  /// Where the actions of providers are named, by the paths of their steps.
  var actionPlaces: [StepPath: SourceRange] = [:]
  /// A step was so wrong that it is left out of the runbook.
  var hasUnreadableSteps = false
  var pinnedFiles: [String: [UInt8]] = [:]
  var around = Surroundings()
  /// Of the steps that have been read inside the step that is being read.
  var longestTimeout: WrittenTimeout?
  /// Secrets that only files declare which are called.
  var calledSecrets: [SecretDeclaration] = []
  /// How many steps the files have that are called, counted as often as they are called.
  var calledLeaves = 0
  /// How many files are on the longest way down from this one.
  var calledHeight = 0
  let plainText = FieldInfo(Field("text", .string, help: "text"))
  let secretText = FieldInfo(Field("text", .string, acceptsSecret: true, help: "text, or a secret"))
  let lockName = FieldInfo(Field("locks", .string, required: true, help: "a lock's name"))

  init(_ document: ParsedDocument, _ context: ValidationContext, folder: String, calls: CalledFiles) {
    self.document = document
    self.context = context
    self.folder = folder
    self.calls = calls
    sink = DiagnosticSink(document.mistakes)
    read = ScalarReader(sink: sink)
    catalog = ActionCatalog(context)
  }

  static let topLevelKeys = [
    "runbook", "name", "description", "labels", "inputs", "vars", "secrets", "providers", "defaults", "locks",
    "timeout", "limits", "rollback_policy", "drill", "steps", "on_failure", "on_rollback_failure", "on_waiting",
    "always", "outputs",
  ]

  /// - Throws: every mistake at once, in the order of the file, at most 50; those of the YAML included.
  func checked() throws(Diagnostics) -> ValidatedRunbook {
    let runbook = runbook()
    let found = Diagnostics(sink.items).inFileOrder
    guard var runbook, !found.hasErrors else { throw found }
    runbook.warnings = found.items
    return runbook
  }

  /// The runbook as far as it could be read; whether it may be used, the sink says.
  func runbook() -> ValidatedRunbook? {
    if document.root.isNull {
      sink.error(.empty, at: .beginning, "the file is empty", hint: "begin with `runbook: v1`")
      return nil
    }
    guard var top = FieldReader(document.root, "a runbook", sink) else { return nil }
    version(&top)
    let sections = Sections(&top)
    top.finish(known: Validation.topLevelKeys)
    declareRoots(sections)
    let providers = self.providers(sections.providers)
    defaults = defaultsTable(sections.defaults)
    declareIds(sections)
    let locks = self.locks(sections.locks)
    let drillParts = self.drillParts(sections.drill)
    let steps = self.steps(sections.steps, in: .steps)
    if sections.steps == nil {
      sink.error(
        .keyMissing, at: .beginning, "a runbook needs `steps`", hint: "a list: `steps:` and below it `- id: …`")
    }
    let drill = self.drill(drillParts)
    let outputs = runOutputs(sections.outputs)
    forgetCertainty()
    let onFailure = actionSteps(sections.onFailure, in: .onFailure)
    let onRollbackFailure = actionSteps(sections.onRollbackFailure, in: .onRollbackFailure)
    let onWaiting = actionSteps(sections.onWaiting, in: .onWaiting)
    environment.roots["waiting"] = nil
    let always = actionSteps(sections.always, in: .always)
    let definition = RunbookDefinition(
      name: sections.name.flatMap { read.text($0, "name", limit: 200) } ?? "runbook",
      description: sections.description.flatMap { read.text($0, "description", limit: 10_000) },
      labels: labels(sections.labels), inputs: inputs, vars: vars, secrets: secrets + calledSecrets,
      providers: providers, locks: locks,
      timeout: sections.timeout.flatMap { read.duration($0, "timeout", in: Limits.timeout) } ?? .seconds(86_400),
      rollbackPolicy: rollbackPolicy(sections.rollbackPolicy), drill: drill, steps: Body(steps),
      onFailure: Body(onFailure), onRollbackFailure: Body(onRollbackFailure), onWaiting: Body(onWaiting),
      always: Body(always), outputs: outputs,
      pinnedFiles: pinnedFiles, warnings: [], maxParallel: maxParallel(sections.limits))
    let runbook = ValidatedRunbook(definition)
    branches(runbook)
    power(runbook)
    deletions(runbook)
    return runbook
  }

  private(set) var inputs: [InputDeclaration] = []
  private(set) var vars: [(name: String, value: Template)] = []
  private(set) var secrets: [SecretDeclaration] = []

  private func declareRoots(_ sections: Sections) {
    inputs = inputDeclarations(sections.inputs)
    secrets = secretDeclarations(sections.secrets)
    let inputTypes = inputs.map { ($0.name, $0.valueType) }
    environment.roots["inputs"] = .object(Dictionary(inputTypes, uniquingKeysWith: { first, _ in first }))
    environment.roots["secrets"] = .object(
      Dictionary(secrets.map { ($0.name, .secret) }, uniquingKeysWith: { first, _ in first }))
    vars = variables(sections.vars)
    environment.roots["run"] = .run
  }

  private func version(_ top: inout FieldReader) {
    guard let node = top.require("runbook", at: .beginning, hint: "begin with `runbook: v1`") else { return }
    if node.scalar?.text != "v1", !node.isUnreadable {
      sink.error(
        .version, at: node.range, "`runbook` is the version of the language, not \(node.kindInWords)",
        hint: "write `v1`")
    }
  }

  /// After a failure nothing is certain any more about the steps that came before it.
  private func forgetCertainty() {
    for (id, reference) in environment.steps {
      if case .ran(let outputs) = reference {
        environment.steps[id] = .mayNotHaveRun(outputs: outputs, because: "the run may have ended before it")
      }
    }
  }
}

/// The values of the top-level keys.
struct Sections {
  let name, description, labels, inputs, vars, secrets, providers, defaults, locks, timeout, limits: Node?
  let drill: Node.Entry?
  let rollbackPolicy, steps, onFailure, onRollbackFailure, onWaiting, always, outputs: Node?

  init(_ top: inout FieldReader) {
    name = top.require("name", at: .beginning, hint: "one word for lists and reports: `name: pre_upgrade`")
    description = top.take("description")
    labels = top.take("labels")
    inputs = top.take("inputs")
    vars = top.take("vars")
    secrets = top.take("secrets")
    providers = top.take("providers")
    defaults = top.take("defaults")
    locks = top.take("locks")
    timeout = top.take("timeout")
    limits = top.take("limits")
    rollbackPolicy = top.take("rollback_policy")
    drill = top.takeEntry("drill")
    steps = top.take("steps")
    onFailure = top.take("on_failure")
    onRollbackFailure = top.take("on_rollback_failure")
    onWaiting = top.take("on_waiting")
    always = top.take("always")
    outputs = top.take("outputs")
  }
}

/// Bounds of what an author may set; each is named in the message that refuses a value.
enum Limits {
  static let timeout: ClosedRange<Duration> = .milliseconds(1) ... .seconds(30 * 86_400)
  static let pause: ClosedRange<Duration> = .milliseconds(1) ... .seconds(3600)
  static let settle: ClosedRange<Duration> = .zero ... .seconds(3600)
  static let attempts: ClosedRange<Int64> = 1...100
  static let backoff: ClosedRange<Double> = 1...10
  static let jitter: ClosedRange<Double> = 0...1
  static let stable: ClosedRange<Int64> = 1...1000
  static let scriptBytes = 1024 * 1024
  static let providerBytes = 256 * 1024
  static let parallel: ClosedRange<Int64> = 1...10_000
  /// Steps of the files that one file calls, counted as often as they are called.
  static let calledSteps = 50_000
}
