/// A run about to be written into a store for the first time.
public struct NewRun: Sendable {
  public var runbook: ValidatedRunbook
  public var source: PinnedSource
  /// As the operator named it, for people.
  public var file: String
  public var inputs: [String: Value]
  /// `--key`: one run for all callers that give the same.
  public var key: String?
  public var requester: String
  public var isSimulated: Bool
  /// `rerun --from`: the run this one repeats.
  public var earlier: (id: String, fromStep: String, inherited: [String: Value])?

  public init(
    runbook: ValidatedRunbook, source: PinnedSource, file: String, inputs: [String: Value], key: String? = nil,
    requester: String, isSimulated: Bool = false,
    earlier: (id: String, fromStep: String, inherited: [String: Value])? = nil
  ) {
    self.runbook = runbook
    self.source = source
    self.file = file
    self.inputs = inputs
    self.key = key
    self.requester = requester
    self.isSimulated = isSimulated
    self.earlier = earlier
  }

  /// Same file, same pinned files, same inputs: what a second `--key` call is compared by.
  public var fingerprint: String {
    var files: [String: Value] = [:]
    for (path, content) in source.files { files[path] = .string(Hex.text(SHA256.hash(content))) }
    let whole = Value.map([
      "text": .string(Hex.text(SHA256.hash(Array(source.text.utf8)))), "files": .map(files), "inputs": .map(inputs),
    ])
    return Hex.text(SHA256.hash(JSONWriter.bytes(whole)))
  }

  /// The locks of `locks:` and of every server whose id is known from the inputs, sorted: taken before the first step.
  /// - Throws: an expression of `locks:` that gives no text.
  public func locks(providers: [String: any Provider], vars: [String: Value]) throws(StepFailure) -> [String] {
    let scope = DictionaryScope(["inputs": .map(inputs), "vars": .map(vars)])
    var locks: Set<String> = []
    for template in runbook.locks {
      do throws(ExpressionFailure) {
        guard let lock = try template.evaluate(in: scope).string, !lock.isEmpty else {
          throw ExpressionFailure("a lock must be a text")
        }
        locks.insert(lock)
      } catch {
        throw StepFailure(.expression, "`locks`: \(error.message)")
      }
    }
    runbook.value.walk([.steps]) { step, _ in
      guard step.action.effect != .none, let name = step.provider, let provider = providers[name],
        let field = step.action.serverField,
        let template = step.with[field], template.references.roots.isSubset(of: ["inputs", "vars"]),
        let server = try? template.evaluate(in: scope).string,
        let type = runbook.providers.first(where: { $0.name == name })?.type
      else { return }
      locks.insert("\(type)/\(provider.account)/server/\(server)")
    }
    return locks.sorted()
  }

  /// Writes the run with its first entries, its lease and its locks, all or nothing; an `Interpreter` on the lease then
  /// does it.
  /// - Parameters:
  ///   - secrets: of the run: values taken over from an earlier run may hold them.
  ///   - clock: whose time the run begins at.
  public func create(
    in store: any RunStore, id: String, owner: Owner, leaseFor: Duration, locks: [String],
    secrets: [String: Secret], clock: any EngineClock
  ) async throws(StoreFailure) -> Lease {
    let instant = clock.now
    let coder = SecretCoder(secrets, masker: Masker(secrets), key: store.digestKey)
    var started = RunStarted(
      name: runbook.name, file: file, inputs: inputs, key: key, requester: requester, simulated: isSimulated,
      rerunOf: earlier?.id, fromStep: earlier?.fromStep, inherited: earlier?.inherited ?? [:], boot: clock.boot)
    started.secretDigests = coder.digests
    started.unsearched = coder.masker.unsearchedNames
    let summary = RunSummary(
      id: id, name: runbook.name, status: "running", startedAt: instant, key: key, fingerprint: fingerprint)
    let lease = try await store.create(
      summary, owner: owner, leaseFor: leaseFor, locks: locks,
      entries: [Fact.run(.started(started)).entry(at: instant, coder), Fact.run(.pinned(source)).entry(at: instant)])
    // So that they stay when the earlier run is removed.
    let keys = Set(Value.map(started.inherited).storedKeys)
    if !keys.isEmpty { try store.copyOutput(keys.sorted(), to: id, epoch: lease.epoch) }
    return lease
  }

  /// What was journaled when a run was created: enough to validate the same text again and carry the run on.
  public static func read(_ runID: String, in store: any RunStore) async throws(StoreFailure) -> (
    started: RunStarted, source: PinnedSource
  ) {
    var started: RunStarted?
    var source: PinnedSource?
    for entry in try await store.entries(of: runID, after: 0) where entry.sequence <= 2 {
      switch try Fact(entry) {
      case .run(.started(let run)): started = run
      case .run(.pinned(let pinned)): source = pinned
      case .run, .step, .scope, .rollback: break
      }
    }
    guard let started, let source else { throw .damaged("run \(runID) has no beginning") }
    return (started, source)
  }

  /// Outputs and statuses of the steps before `step` in an earlier run, for `rerun --from`.
  ///
  /// - Parameter secrets: of the new run: outputs that hold one of them are taken over with it.
  /// - Returns: the outputs; or the first step before `step` that had an effect and was undone, on which `step` and the
  ///   ones after it could rely no more.
  public static func inheritance(
    from runID: String, before step: String, of runbook: ValidatedRunbook, in store: any RunStore,
    secrets: [String: Secret]
  ) async throws(StoreFailure) -> (values: [String: Value], undone: String?) {
    var coder = SecretCoder(secrets, masker: Masker(secrets), key: store.digestKey)
    coder.store = store
    var machine = RunMachine(runbook)
    for entry in try await store.entries(of: runID, after: 0) { machine.apply(try Fact(entry, coder), at: entry.at) }
    var undone: String?
    let before = runbook.value.mainList.prefix { $0.path.text != step }.map(\.path)
    var inherited: [String: Value] = [:]
    for (path, state) in machine.leaves where path.undone == nil && state.status.isEnded {
      guard before.contains(where: { path.isWithin($0) }) else { continue }
      inherited[path.text] = .map(["status": .string(state.status.rawValue), "outputs": .map(state.outputs)])
    }
    for (path, scope) in machine.scopes {
      guard let ended = scope.ended, before.contains(where: { path.isWithin($0) }) else { continue }
      var value: [String: Value] = ["status": .string(ended.status.rawValue), "outputs": .map(ended.outputs)]
      value["items"] = scope.opened?.items.map { .list($0) }
      inherited[path.text] = .map(value)
    }
    for entry in machine.stack.entries where undone == nil && machine.wasUndone(entry.step) {
      if before.contains(where: { entry.step.isWithin($0) }) { undone = entry.step.text }
    }
    return (inherited, undone)
  }
}
