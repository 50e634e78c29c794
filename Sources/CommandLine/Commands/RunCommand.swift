import Operations
import Posix
import Providers
import Runbook
import Simulator
import Steps
import Stores

/// `runbook run FILE`.
struct RunCommand: Command {
  static let spec = CommandSpec(
    name: "run", summary: "carry a runbook out, and undo it when a step fails",
    details: """
      Checks the file, the inputs and the secrets, then asks the providers, and only then begins. Ctrl-C cancels and \
      undoes; a second Ctrl-C leaves the run as it is, and `runbook resume` goes on. SIGTERM leaves it too, or with \
      --on-term cancel does the same as the first Ctrl-C; a rollback that has begun goes on in both cases.

      With --simulate everything is a simulation on this machine: no secret is needed, nothing leaves it, nothing is \
      kept.
      """,
    operands: [OperandSpec("FILE", .file, .one, "the runbook, a YAML file")],
    options: [
      RunOptions.input, RunOptions.inputs,
      .flag("simulate", "run against simulated providers; nothing leaves this machine"),
      .value("real", "ACTION", .text, repeatable: true, "with --simulate: this action is not simulated"),
      .value("mock", "FILE", .file, "with --simulate: a file with the answers of scripts and requests"),
      .value("speed", "N", .number, "with --simulate: how many times faster than real; default 60"),
      .value("key", "KEY", .text, "all commands with this key share one run: a repeated CI job attaches to it"),
      .value("lock-wait", "DURATION", .duration, "wait this long for a lock, in order, instead of refusing"),
      .flag("supersede", "runs of this runbook that already wait for the lock give up"),
      .flag("detach", "print the run id and go on in the background (exit 6)"),
      .flag("yes", "do not ask before --real actions"),
      .flag("strict", "count warnings of the file as mistakes"),
    ] + RunReporting.options,
    examples: [
      .init("runbook run --simulate deploy.yaml --input server=12345", "watch it against a simulated cloud"),
      .init("runbook run deploy.yaml --input server=12345 --input host=db-1.example", "do it"),
      .init(
        "runbook run deploy.yaml --inputs production.json --key deploy-4711 --format json",
        "deploy once, however often CI retries the job"),
      .init(
        "runbook run deploy.yaml --key deploy-4711 --on-term cancel --events events.jsonl --annotations github",
        "run it in a CI job: undo it when the job is stopped, and keep its events"),
    ],
    group: .run)

  private let file: String
  private let inputs: GivenInputs
  private let isSimulated: Bool
  private let real: Set<String>
  private let mock: String?
  private let speed: Int?
  private let key: String?
  private let lockWait: Duration?
  private let supersedes: Bool
  private let isDetached: Bool
  private let isAgreed: Bool
  private let isStrict: Bool
  private let reporting: RunReporting

  init(_ arguments: ParsedArguments) throws(UsageError) {
    file = try arguments.required("FILE")
    inputs = try GivenInputs(arguments)
    isSimulated = arguments.flag("simulate")
    real = Set(arguments.values(of: "real"))
    mock = arguments.value("mock")
    speed = try arguments.number("speed", in: 1...1_000_000).map { Int($0) }
    key = arguments.value("key")
    lockWait = try arguments.duration("lock-wait")
    supersedes = arguments.flag("supersede")
    if supersedes, lockWait == nil {
      throw UsageError("`--supersede` is for runs that wait", hint: "add `--lock-wait 10m`")
    }
    isDetached = arguments.flag("detach")
    isAgreed = arguments.flag("yes")
    isStrict = arguments.flag("strict")
    reporting = RunReporting(arguments)
    if isDetached { try reporting.checkDetached() }
    let simulationOnly = [("mock", mock != nil), ("real", !real.isEmpty), ("speed", speed != nil)]
    if !isSimulated, let (name, _) = simulationOnly.first(where: { $0.1 }) {
      throw UsageError("`--\(name)` is for simulations", hint: "add --simulate")
    }
    if isSimulated, isDetached || key != nil {
      throw UsageError(
        "a simulation is kept nowhere, so it takes no `--\(isDetached ? "detach" : "key")`", hint: "leave it out")
    }
    if isDetached, arguments.value("inputs") == "-" {
      throw UsageError("`--detach` goes on without standard input", hint: "write the inputs into a file")
    }
    if let key, key.utf8.count > 200 || key.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) {
      throw UsageError(
        "`--key` is longer than 200 bytes or holds a control character", hint: "a short name, such as `deploy-4711`")
    }
  }

  func run(in shell: Shell) async -> ExitCode {
    InterruptDesk.shared.open()
    do throws(Refusal) {
      if isDetached, !Detachment.isChild {
        // Mistakes are told here, where somebody reads them.
        _ = try inputs.read(for: shell.check(file, isStrict: isStrict).runbook)
        return Detachment.start(shell)
      }
      return isSimulated ? try await simulate(shell) : try await carryOut(shell)
    } catch {
      return Detachment.isChild ? Detachment.report(error) : shell.refuse(error)
    }
  }

  private func carryOut(_ shell: Shell) async throws(Refusal) -> ExitCode {
    let checked = try shell.check(file, isStrict: isStrict)
    let given = try inputs.read(for: checked.runbook)
    let access = try StoreAccess(shell, creates: true)
    await access.tellOwnerless(shell)
    let creation = NewRun(
      runbook: checked.runbook, source: checked.source, file: file, inputs: given, key: key,
      requester: Ownership.requester)
    let shell = try reporting.opened(shell)
    let wait = lockWait.map {
      LockWait(limit: $0, supersedes: supersedes, line: FileLockLine(queue: LockQueue(besides: access.file.path)))
    }
    return try await RunDesk(shell, access).start(creation, wait: wait)
  }

  private func simulate(_ shell: Shell) async throws(Refusal) -> ExitCode {
    let checked = try shell.check(file, isStrict: isStrict)
    let given = try inputs.read(for: checked.runbook)
    let mocks = try mock.map { path throws(Refusal) in try readMocks(path, for: checked.runbook, shell) }
    try agree(checked.runbook, shell)
    let shell = try reporting.opened(shell)
    let simulated = try SimulatedWorld(
      checked, inputs: given, real: real, scripts: try realScripts(shell), mocks: mocks,
      speed: speed)
    defer { withExtendedLifetime(simulated) {} }  // its twins serve as long as somebody refers to them
    let creation = NewRun(
      runbook: simulated.runbook, source: checked.source, file: file, inputs: given, requester: Ownership.requester,
      isSimulated: true)
    // What really happens needs what it really needs.
    let secrets: any SecretSource = real.isEmpty ? PlaceholderSecrets() : MachineSecrets()
    let desk = RunDesk(shell, OperationContext(simulated.store), simulated.world, secrets, store: nil)
    return try await desk.start(creation)
  }

  /// Where `--real run` runs its scripts: beside the store, which itself is not touched.
  private func realScripts(_ shell: Shell) throws(Refusal) -> (any ScriptHost)? {
    if real.isEmpty { return nil }
    do throws(StoreFailure) {
      let location = try StoreLocation(option: shell.globals.store, environment: Environment.all)
      return DetachedScripts(folder: location.path + ".scripts")
    } catch {
      throw Refusal(error)
    }
  }

  private func readMocks(_ path: String, for runbook: ValidatedRunbook, _ shell: Shell) throws(Refusal) -> MockFile {
    let bytes = try RunbookFile.read(path, limit: SourceText.byteLimit, what: "mock file")
    let found: Diagnostics
    do throws(Diagnostics) {
      let mocks = try MockFile(yaml: bytes)
      found = Diagnostics(
        mocks.mistakes(
          for: runbook, types: standardProviders.map { $0.type }, actions: standardActions.map { $0.declaration }))
      if !found.hasErrors { return mocks }
    } catch {
      shell.printDiagnostics(error.items, path, bytes)
      throw Refusal.invalid(path, error)
    }
    shell.printDiagnostics(found.items, path, bytes)
    throw Refusal.invalid(path, found)
  }

  /// `--real` reaches out of the simulation: somebody has to say yes.
  private func agree(_ runbook: ValidatedRunbook, _ shell: Shell) throws(Refusal) {
    guard !real.isEmpty else { return }
    let sealed = standardActions.map { $0.declaration }
      .filter { SimulatedActions.isSealed($0) && !$0.asksPeople }.map { $0.name }
    for name in real.sorted() where !sealed.contains(name) {
      throw Refusal(
        .usage, .action,
        "`--real \(DisplayText.escaped(name, limit: 60))` names no action that a simulation replaces",
        hint: Suggestion.hint(for: name, among: sealed))
    }
    guard !isAgreed else { return }
    let question = "\(real.sorted().joined(separator: ", ")) will really be carried out. Go on? [y/N] "
    guard shell.asks(question) else {
      throw Refusal(
        .refused, .real, "nobody agreed to real actions in a simulation", hint: "answer `y`, or add --yes")
    }
  }
}

/// Operands and options that several commands share.
enum RunOptions {
  static let run = OperandSpec(
    "RUN", .run, .optional,
    "the run: its id or the beginning of it, or `latest`; default: the only one that needs a person")
  static let input: OptionSpec = .value(
    "input", "NAME=VALUE", .text, repeatable: true, "an input, typed by its declaration; lists and maps as JSON")
  static let inputs: OptionSpec = .value(
    "inputs", "FILE", .file, "inputs from a JSON object, `-`: from stdin; --input wins")
  static let withoutSecret: OptionSpec = .value(
    "without-secret", "NAME", .text, repeatable: true, "go on without this secret; steps that need it fail and name it")
  static let restored: OptionSpec = .flag(
    "restored", "go on although the run's store was put back from an older copy, and the run may have done more")
}
