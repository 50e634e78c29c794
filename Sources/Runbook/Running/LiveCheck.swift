import Synchronization

/// What can be asked of the clouds before the first change: credentials, and per step what is known already (the server
/// exists and is in a state that its first steps need, a snapshot still fits, the name is free). Reads only. Made by
/// `run` before it begins and by `plan --live`.
public struct LiveCheck: Sendable {
  public let runbook: ValidatedRunbook
  public let providers: [String: any Provider]
  public let world: RunWorld
  private let runID: String
  private let began: Timestamp
  private let scope: DictionaryScope
  private let masker: Masker

  public init(
    runbook: ValidatedRunbook, providers: [String: any Provider], inputs: [String: Value], vars: [String: Value],
    secrets: [String: Secret], world: RunWorld, runID: String, at instant: Timestamp, began: Timestamp? = nil
  ) {
    self.began = began ?? instant
    self.runbook = runbook
    self.providers = providers
    self.world = world
    self.runID = runID
    masker = Masker(secrets)
    scope = DictionaryScope(
      [
        "inputs": .map(inputs), "vars": .map(vars), "secrets": .map(secrets.mapValues { .secret($0) }),
        "run": .map([
          "id": .string(runID), "name": .string(runbook.name), "started_at": .timestamp(instant),
          "outcome": .string(RunOutcome.succeeded.rawValue), "requester": "",
        ]),
      ], now: instant, masker: masker)
  }

  /// - Returns: what an operator should know before anything is changed, each once; empty: no problem was found.
  public func problems() async -> [String] { await findings().problems }

  /// What stands in the way, and what could not be asked or is no reason not to begin.
  public struct Findings: Sendable, Equatable {
    /// Each once; empty: the checks that could be made found no problem.
    public var problems: [String] = []
    /// Each once, in the order of the steps.
    public var notes: [String] = []

    public init(problems: [String] = [], notes: [String] = []) {
      self.problems = problems
      self.notes = notes
    }
  }

  public func findings() async -> Findings {
    var problems: [String] = []
    let notes = Notes()
    for (name, provider) in providers.sorted(by: { $0.key < $1.key }) {
      problems += await found("provider `\(name)`") { () async throws(StepFailure) in try await provider.liveCheck() }
    }
    // With a token that is not accepted every step would say the same.
    guard problems.isEmpty else { return Findings(problems: problems) }
    var power = LivePower(runbook)
    var room = LiveRoom()
    for step in (runbook.drill?.before.leaves ?? []) + runbook.steps.leaves where !isCertainlySkipped(step) {
      var call = call(for: step, notes)
      let server = step.action.serverField.flatMap { call.with[$0]?.scalarText }
      call.earlier = room.before(step, server: server)
      if let note = unasked(step, call) { call.report(note) }
      problems += await self.problems(of: step, call, server, power)
      power.follow(step, server: server)
      room.follow(step, server: server)
    }
    var seen: Set<String> = []
    return Findings(problems: problems.filter { seen.insert($0).inserted }, notes: notes.texts)
  }

  /// What steps report while they are asked, each once.
  private final class Notes: Sendable {
    private let noted = Mutex<[String]>([])
    var texts: [String] { noted.withLock { $0 } }
    func note(_ text: String) { noted.withLock { if !$0.contains(text) { $0.append(text) } } }
  }

  /// What cannot be asked of a cloud because only the run will know what it is about.
  private func unasked(_ step: ActionStep, _ call: ActionCall) -> String? {
    guard step.provider != nil, step.mode == .call else { return nil }
    let open = step.action.fields.map { $0.name }.filter { name in
      step.with[name].map { !$0.references.steps.isEmpty } ?? false
    }
    guard let server = step.action.serverField, open.contains(server) else { return nil }
    return "`\(server)` is known only during the run, so it is not checked before"
  }

  /// One line for what stands in the way of a step, as far as it is known before the run.
  private func problems(
    of step: ActionStep, _ call: ActionCall, _ server: String?, _ power: LivePower
  ) async -> [String] {
    guard step.mode == .call, let name = step.provider, let provider = providers[name],
      let action = provider.action(step.action.name)
    else { return [] }
    let place = "step `\(step.path)`"
    let problems = await found(place) { () async throws(StepFailure) in try await action.liveCheck(call) }
    // A step that may be skipped, or may fail, is no reason not to begin.
    guard problems.isEmpty, step.condition == nil, !step.continuesOnError, let server,
      let needs = power.needs(step, server: server)
    else { return problems }
    return await found(place) { () async throws(StepFailure) in
      try await stateProblem(step, needs, server: server, at: provider).map { [$0] } ?? []
    }
  }

  /// Its `if` reads nothing that only the run will know, and is false.
  private func isCertainlySkipped(_ step: ActionStep) -> Bool {
    guard let condition = step.condition, !condition.mayBeUnknown else { return false }
    return (try? condition.evaluate(in: scope)) == .bool(false)
  }

  private func found(_ place: String, _ check: () async throws(StepFailure) -> [String]) async -> [String] {
    var tries = 1
    while true {
      do throws(StepFailure) { return try await check().map { "\(place): \(masker.mask($0))" } } catch {
        guard error.retryable, !error.isMisshapen, tries < 5 else { return ["\(place): \(masker.mask(error.message))"] }
        await world.clock.sleep(
          for: RetrySchedule.standard.delay(after: tries, asked: error.retryAfter, random: world.random))
        tries += 1
      }
    }
  }

  /// With the fields that do not depend on earlier steps.
  private func call(for step: ActionStep, _ notes: Notes) -> ActionCall {
    let known = step.with.filter { $0.value.references.steps.isEmpty }
    let fields = step.action.fields.map { field in
      var optional = field
      optional.required = false
      return optional
    }
    let with = (try? FieldValues.evaluate(known, fields: fields, in: scope)) ?? [:]
    var call = ActionCall(
      with: Arguments(with), key: StepKey.make(runID, step.path, .do, 1), runID: runID, clock: world.clock,
      transport: world.transport, scripts: world.scripts, files: world.files, deadline: world.clock.now + .seconds(60),
      report: { [masker] in notes.note("step `\(step.path)`: \(masker.mask($0))") })
    call.mask = { [masker] in masker.mask($0) }
    call.began = began
    return call
  }
}
