import ProviderKit
import Runbook

/// `snapshot.create` and `backup.create`: what was made is told from all others by its name or by the call's mark, and
/// never adopted if it was there before.
struct DeclaredCreate: CloudAction {
  let cloud: DeclaredClient
  let kind: ItemKind
  let rule: ActionRule
  let declaration: ActionDeclaration

  func capture(_ call: ActionCall) async throws(StepFailure) -> [String: Value] {
    let name = try call.with.text("name")
    let before = try await cloud.captureNames(kind, server: try call.with.text("server")) { $0.name == name }
    return before.merging(try await cloud.captureJobs(rule.job, call)) { first, _ in first }
  }

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    if let reused = try await cloud.reuse(kind, call) { return reused }
    let id = try call.with.text("server")
    try checkName(try call.with.text("name"))
    let server = try await cloud.server(id)
    let reply: DeclaredReply
    do { reply = try await cloud.ask(rule, server, cloud.roots(call, declaration)) } catch {
      throw try await cloud.full(kind, server: id, error)
    }
    guard let place = rule.reply, let rules = cloud.manifest.items(kind) else {
      if !reply.response.body.isEmpty { _ = try reply.json() }
      return ActionResult()
    }
    let result = DictionaryScope(["result": try reply.json()], masker: cloud.masker)
    do throws(SchemaError) {
      return ActionResult(outputs: try CloudItem(try place.value(in: result), kind, rules).outputs)
    } catch {
      throw reply.misshapen(error.message)
    }
  }

  func probe(_ call: ActionCall) async throws(StepFailure) -> ProbeAnswer {
    if rule.foundBy == nil { return .unsure }
    let found = try await cloud.findNew(kind, call) { isOurs($0, call) }
    guard case .notApplied = found, let name = rule.job else { return found }
    // Some show an item only once it is ready: until then its job is all there is, and `observe` waits for the item.
    return try await cloud.newJob(name, call)?.state == .running ? .applied(ActionResult()) : .notApplied
  }

  /// The item tells, and its job: some show an item before it is whole, others only when it is, and a job that failed
  /// is the end of both.
  func observe(_ call: ActionCall, after result: ActionResult) async throws(StepFailure) -> Observation {
    // One that was there before has no job of ours.
    if call.before["taken"]?.string != nil { return try await cloud.observeItem(kind, call, after: result) }
    let server = try call.with.text("server")
    let job = if let name = rule.job { try await cloud.newJob(name, call) } else { DeclaredJob?.none }
    if let job, job.state == .failed { return cloud.failed(job, server: server) }
    guard let known = try await known(call, result) else {
      let state = if let job { job.nativeState } else { try await cloud.server(server, asOf: call.asOf).nativeState }
      return Observation(.pending, nativeState: state)
    }
    var seen: Observation
    do { seen = try await cloud.observeItem(kind, call, after: known) } catch {
      guard error.kind == .notFound, job?.state == .running else { throw error }
      return Observation(.pending, nativeState: job?.nativeState, result: known)
    }
    guard rule.job != nil, case .done = seen.verdict, job?.state != .succeeded else { return seen }
    // The list of jobs may be behind the reply; a job that never shows there is not waited for.
    let isLate = call.intendedAt.map { call.clock.now >= $0 + ChangeSign.settle } ?? true
    if job == nil, isLate { return seen }
    seen.verdict = .pending
    seen.nativeState = job?.nativeState ?? seen.nativeState
    return seen
  }

  /// What tells which item is ours; nil: none does yet.
  private func known(_ call: ActionCall, _ result: ActionResult) async throws(StepFailure) -> ActionResult? {
    if result.outputs["id"]?.string != nil { return result }
    guard case .applied(let found) = try await cloud.findNew(kind, call, { isOurs($0, call) }) else { return nil }
    return found
  }

  func isSettled(_ call: ActionCall) async throws(StepFailure) -> Bool {
    if let name = rule.job, try await cloud.newJob(name, call)?.state == .running { return false }
    return try await cloud.isNewItemAtRest(kind, call) { isOurs($0, call) }
  }

  func liveCheck(_ call: ActionCall) async throws(StepFailure) -> [String] {
    try await cloud.problemsOfCreating(kind, call)
  }

  private func isOurs(_ item: CloudItem, _ call: ActionCall) -> Bool {
    switch rule.foundBy {
    case .mark: item.description == call.key
    case .name: item.name == call.with["name"]?.string
    case nil: false
    }
  }

  private func checkName(_ name: String) throws(StepFailure) {
    guard let text = rule.namePattern, let pattern = try? Pattern(text), !pattern.matches(name) else { return }
    throw StepFailure.unfit(
      "`\(name.excerpt(80))` cannot name a \(kind.rawValue) at \(cloud.service): it must match `\(text)`")
  }
}
