import Operations
import Runbook

/// `runbook rerun RUN`.
struct RerunCommand: Command {
  static let spec = CommandSpec(
    name: "rerun", summary: "start an ended run anew, from a step on",
    details: """
      A new run with the inputs of the earlier one and the file as it is now. With --from the outputs of the steps \
      before it are taken over from the earlier run; the command refuses if one of these steps was undone. A drill is \
      repeated whole.
      """,
    operands: [RunOptions.run],
    options: [
      .value("from", "STEP", .text, "the first step to do; the ones before it keep their outputs"),
      RunOptions.restored,
    ] + RunReporting.options,
    examples: [
      .init("runbook rerun r0123456789abcdefghi", "do all of it again"),
      .init("runbook rerun r0123456789abcdefghi --from update", "try again from the step that failed"),
    ],
    group: .run)

  private var id: String
  private let from: String?
  private let acceptsRestored: Bool
  private let reporting: RunReporting

  init(_ arguments: ParsedArguments) throws(UsageError) {
    id = arguments.operand("RUN") ?? ""
    from = arguments.value("from")
    acceptsRestored = arguments.flag("restored")
    reporting = RunReporting(arguments)
  }

  func run(in shell: Shell) async -> ExitCode {
    InterruptDesk.shared.open()
    do throws(Refusal) {
      let (access, run) = try await StoreAccess.forRun(id, shell)
      var command = self
      command.id = run.id
      return try await command.carryOut(access, run, shell)
    } catch {
      return shell.refuse(error)
    }
  }

  private func carryOut(
    _ access: StoreAccess, _ run: RunSummary, _ shell: Shell
  ) async throws(Refusal) -> ExitCode {
    guard run.status == "ended" else {
      throw Refusal(OperationRefusal.notEnded(run: id))
    }
    if run.isRestored, !acceptsRestored {
      throw Refusal.restored(id, ["rerun", id] + (from.map { ["--from", $0] } ?? []))
    }
    await access.tellOwnerless(shell)
    let earlier: (started: RunStarted, source: PinnedSource)
    do throws(StoreFailure) { earlier = try await NewRun.read(id, in: access.store) } catch {
      throw Refusal(error)
    }
    let path = earlier.source.folder + "/" + RunbookFile.name(of: earlier.started.file)
    let checked = try shell.check(path, isStrict: false)
    if from != nil, checked.runbook.drill != nil {
      throw Refusal(
        .usage, .step, "run \(id) is a drill, and what a drill measures begins at its first step",
        hint: "`\(Advice.line("rerun", id))` does all of it again")
    }
    let steps = checked.runbook.value.mainList.map(\.path.text)
    let first = from ?? steps.first ?? ""
    guard steps.contains(first) else {
      throw Refusal(
        .usage, .step,
        "there is no step `\(DisplayText.escaped(first, limit: 100))` in `\(DisplayText.escaped(path, limit: 300))`",
        hint: Suggestion.hint(for: first, among: steps))
    }
    let inherited = try await inheritance(before: first, of: checked, pinned: earlier.source, access)
    let inputs: [String: Value]
    do throws(InputMistakes) {
      inputs = try InputReader.read(texts: [], values: earlier.started.inputs, for: checked.runbook.inputs)
    } catch {
      throw Refusal(
        .usage, .input, error.messages.joined(separator: "\n       "),
        hint: "the file's inputs have changed: `runbook run` takes new ones")
    }
    let creation = NewRun(
      runbook: checked.runbook, source: checked.source, file: earlier.started.file, inputs: inputs,
      requester: Ownership.requester, earlier: (id, first, inherited))
    let shell = try reporting.opened(shell)
    return try await RunDesk(shell, access).start(creation)
  }

  /// - Throws: a step that asks a person, and that nobody has allowed as it stands now: a rerun is no way around it.
  private func checkApprovals(
    before first: String, of runbook: ValidatedRunbook, pinned: ValidatedRunbook?, _ values: [String: Value]
  ) throws(Refusal) {
    let earlier = Body(runbook.value.mainList.prefix { $0.path.text != first })
    for step in earlier.leaves
    where step.action.asksPeople && !step.continuesOnError {
      let path = DisplayText.escaped(step.path.text, limit: 100)
      let asked = pinned?.mainSteps.first { $0.path == step.path }?.with[ApprovalField.prompt]
      let isApproved = ["succeeded", "skipped"].contains(values[step.path.text]?["status"]?.string)
      if isApproved, asked?.writtenText == step.with[ApprovalField.prompt]?.writtenText { continue }
      throw Refusal(
        .usage, .approver,
        isApproved
          ? "the question of `\(path)` is another one than in run \(id)" : "nobody has approved `\(path)` in run \(id)",
        hint: "`\(Advice.line("rerun", id, "--from", step.path.text))`, or a step before it, asks again")
    }
  }

  /// The statuses and outputs that the steps before `first` had in the earlier run.
  /// - Throws: a step that was undone since: what comes after it cannot rely on it.
  private func inheritance(
    before first: String, of checked: CheckedRunbook, pinned: PinnedSource, _ access: StoreAccess
  ) async throws(Refusal) -> [String: Value] {
    guard from != nil else { return [:] }
    let secrets = try MachineSecrets.all(of: checked)
    let values: [String: Value]
    let undone: String?
    do throws(StoreFailure) {
      (values, undone) = try await NewRun.inheritance(
        from: id, before: first, of: checked.runbook, in: access.store, secrets: secrets)
    } catch {
      throw Refusal(error)
    }
    guard let undone else {
      try checkApprovals(before: first, of: checked.runbook, pinned: try? CheckedRunbook(pinned).runbook, values)
      return values
    }
    let shown = DisplayText.escaped(undone, limit: 100)
    throw Refusal(
      .usage, .undone, "step `\(shown)` was undone in run \(id), so nothing after it can rely on it",
      hint: "`\(Advice.line("rerun", id))` does all steps again; "
        + "`\(Advice.line("rerun", id, "--from", undone))`, or a step before it, is possible too")
  }
}
