import Posix
import Runbook
import Stores

/// `runbook plan FILE`: what would happen, in order.
struct PlanCommand: Command {
  static let spec = CommandSpec(
    name: "plan", summary: "show what a run would do, in order, and what would undo it",
    details: """
      Evaluates everything that is known before the run; the rest prints as `(known after apply)`. Touches no \
      network and resolves no secret.

      With --live it also makes the checks that a run makes before its first change: secrets are read, and the \
      providers are asked. Exit 1 if a check finds a problem; it also names the checks that could not be made.
      """,
    operands: [OperandSpec("FILE", .file, .one, "the runbook, a YAML file")],
    options: [
      RunOptions.input, RunOptions.inputs,
      .flag("live", "ask the providers, too: credentials, servers, quotas, names"),
    ],
    examples: [
      .init("runbook plan deploy.yaml --input server=12345", "list the steps, their effects and their undo steps"),
      .init("runbook plan deploy.yaml --inputs production.json", "take the inputs from a file"),
      .init("runbook plan --live deploy.yaml --input server=12345", "find out today what would stop it tonight"),
    ],
    group: .write)

  private let file: String
  private let inputs: GivenInputs
  private let isLive: Bool

  init(_ arguments: ParsedArguments) throws(UsageError) {
    file = try arguments.required("FILE")
    inputs = try GivenInputs(arguments)
    isLive = arguments.flag("live")
  }

  func run(in shell: Shell) async -> ExitCode {
    do throws(Refusal) {
      let checked = try shell.check(file, isStrict: false)
      let runbook = checked.runbook
      let given = try inputs.read(for: runbook, isComplete: isLive)
      let plan = Plan(runbook, inputs: given, at: SystemClock().now)
      let found = isLive ? try await liveFindings(checked, given) : nil
      if shell.wantsJSON {
        var document = PlanText.json(plan).map ?? [:]
        if let found {
          document["problems"] = .list(found.problems.map { .string($0) })
          document["notes"] = .list(found.notes.map { .string($0) })
        }
        shell.output.result(json: .map(document))
      } else {
        var lines = PlanText.lines(plan, isVerbose: shell.globals.verbose, usual: usualTimes(of: runbook, shell))
        if let found { lines += PlanCommand.lines(found) }
        shell.output.result(lines.map { DisplayText.escaped($0) + "\n" }.joined())
      }
      return found?.problems.isEmpty == false ? .failed : .succeeded
    } catch {
      return shell.refuse(error)
    }
  }

  /// Of earlier runs in the store, if there is one; a plan needs none.
  private func usualTimes(of runbook: ValidatedRunbook, _ shell: Shell) -> UsualTimes? {
    var options = SQLiteStore.Options()
    options.creates = false
    options.witnesses = WitnessPlaces.candidates(Environment.all)
    guard let location = try? StoreLocation(option: shell.globals.store, environment: Environment.all),
      let store = try? SQLiteStore(at: location.path, clock: SystemClock(), options: options),
      let runs = try? store.summaries(limit: 200)
    else { return nil }
    let ended = runs.filter { $0.name == runbook.name && $0.outcome == "succeeded" }
    let reports = ended.prefix(UsualTimes.limit).compactMap { run -> RunReport? in
      guard let entries = try? store.entries(of: run.id, after: 0) else { return nil }
      return RunReport(
        id: run.id, actions: Composition.actions, events: entries.compactMap { RunEvent($0, runID: run.id) })
    }
    return UsualTimes(reports)
  }

  private static func lines(_ found: LiveCheck.Findings) -> [String] {
    let what = found.notes.isEmpty ? "no problem was found" : "the checks that could be made found no problem"
    return (found.problems.isEmpty ? ["live checks: \(what)"] : found.problems.map { "live check: \($0)" })
      + found.notes.map { "live check, note: \($0)" }
  }

  private func liveFindings(
    _ checked: CheckedRunbook, _ given: [String: Value]
  ) async throws(Refusal) -> LiveCheck.Findings {
    let secrets = try MachineSecrets.all(of: checked)
    // Live checks read from providers only: no script of a plan is ever started, so there is no folder for one.
    let world = Composition.realWorld(scripts: "/nonexistent")
    let now = world.clock.now
    let context: RunContext
    do throws(StepFailure) {
      context = try RunContext(checked.runbook, inputs: given, secrets: secrets, world: world, at: now)
    } catch {
      return LiveCheck.Findings(problems: [Masker(secrets.values).mask(error.message)])
    }
    let check = LiveCheck(
      runbook: checked.runbook, providers: context.providers, inputs: given, vars: context.vars, secrets: secrets,
      world: world, runID: RunID.make(at: now, random: world.random), at: now)
    return await check.findings()
  }
}
