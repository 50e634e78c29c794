public import Runbook
import Synchronization

/// Kills a simulated process at the Nth point: from then on nothing it does reaches the world, as after `kill -9`. What
/// it did before stays done. Or freezes it there, as SIGSTOP does, or kills nobody and tells of every point. One switch
/// belongs to one process (one interpreter) and is never used again.
public final class KillSwitch: Sendable {
  private enum Plan: Sendable {
    case never
    case killAt(Int)
    case killWhere([String])
    case freezeAt(Int, atOnce: @Sendable () -> Void, beforeItWakes: @Sendable () async -> Void)
    case tell(@Sendable (String) -> Void)
  }

  fileprivate struct State {
    var passed = 0
    var isDead = false
    var isFrozen = false
    var place: String?
    var unsent: HTTPRequest?
    var waking: Task<Void, Never>?
    var atDeath: (@Sendable () -> Void)?
  }
  private let state = Mutex(State())
  private let plan: Plan

  /// - Parameter point: from 1; nil counts the points and kills nobody.
  public init(at point: Int? = nil) { plan = point.map { .killAt($0) } ?? .never }

  /// Kills at the first point whose place holds `text`, such as `before sending POST`.
  public init(where text: String) { plan = .killWhere([text]) }

  /// Kills at the first point whose place holds both texts: `after commit`, `run.waiting`.
  public init(where text: String, and other: String) { plan = .killWhere([text, other]) }

  /// Freezes the process at the Nth point and kills nobody.
  /// - Parameters:
  ///   - atOnce: called at the point, where the process may not be able to wait.
  ///   - beforeItWakes: awaited before the process does anything more outside the store. It may use the store before:
  ///     what it writes there must fail because of what `atOnce` did.
  public init(
    freezingAt point: Int, atOnce: @escaping @Sendable () -> Void,
    beforeItWakes: @escaping @Sendable () async -> Void
  ) {
    plan = .freezeAt(point, atOnce: atOnce, beforeItWakes: beforeItWakes)
  }

  /// Kills nobody and calls `watcher` at every point with its place, before the process goes on.
  public init(tellingAll watcher: @escaping @Sendable (String) -> Void) { plan = .tell(watcher) }

  /// Passes one point. False: the process died here or before; the caller does nothing more.
  func pass(_ place: @autoclosure () -> String) -> Bool {
    let (lives, then) = state.withLock { state -> (Bool, (@Sendable () -> Void)?) in
      guard !state.isDead else { return (false, nil) }
      state.passed += 1
      switch plan {
      case .never: return (true, nil)
      case .killAt(let point):
        guard state.passed == point else { return (true, nil) }
        return (false, state.die(place()))
      case .killWhere(let texts):
        let here = place()
        guard texts.allSatisfy({ here.contains($0) }) else { return (true, nil) }
        return (false, state.die(here))
      case .freezeAt(let point, let atOnce, _):
        guard state.passed == point else { return (true, nil) }
        state.isFrozen = true
        state.place = place()
        return (true, atOnce)
      case .tell(let watcher):
        let here = place()
        return (true, { watcher(here) })
      }
    }
    then?()
    return lives
  }

  /// The same for a request. One that is about to leave when the process dies is kept: it may be on its way.
  func pass(_ place: String, sending request: HTTPRequest) -> Bool {
    let wasDead = isDead
    let lives = pass(place)
    if !lives, !wasDead { state.withLock { $0.unsent = request } }
    return lives
  }

  /// A frozen process does nothing before it is woken; one that is not frozen goes on at once.
  public func wake() async {
    guard case .freezeAt(_, _, let beforeItWakes) = plan else { return }
    let waking = state.withLock { state -> Task<Void, Never>? in
      guard state.isFrozen else { return nil }
      // One for all tasks of the process, and cancelled with none of them.
      let waking = state.waking ?? Task(operation: { await beforeItWakes() })
      state.waking = waking
      return waking
    }
    await waking?.value
  }

  /// A dead process cannot end its waits by itself: its driver is called at the moment of death, and ends them.
  func whenDead(_ end: @escaping @Sendable () -> Void) { state.withLock { $0.atDeath = end } }

  var isDead: Bool { state.withLock { $0.isDead } }

  /// How many points were passed alive (and the deadly one).
  public var passed: Int { state.withLock { $0.passed } }
  /// Where it died or was frozen; nil if it was not: a test whose kill never fired proves nothing.
  public var place: String? { state.withLock { $0.place } }
  /// The request that was about to leave when it died; nil if it died elsewhere.
  public var unsent: HTTPRequest? { state.withLock { $0.unsent } }
}

extension KillSwitch.State {
  /// - Returns: what is to be called then.
  fileprivate mutating func die(_ here: String) -> (@Sendable () -> Void)? {
    isDead = true
    place = here
    return atDeath
  }
}

/// The store as one process sees it: it can die before and after every commit.
struct MortalStore: RunStore {
  let base: any RunStore
  let life: KillSwitch

  static let dead = StoreFailure.writeFailed("the process was killed")

  func create(
    _ run: RunSummary, owner: Owner, leaseFor: Duration, locks: [String], entries: [NewEntry]
  ) async throws(StoreFailure) -> Lease {
    guard life.pass("before the run is created") else { throw Self.dead }
    let lease = try await base.create(run, owner: owner, leaseFor: leaseFor, locks: locks, entries: entries)
    guard life.pass("after the run was created") else { throw Self.dead }
    return lease
  }

  func append(
    _ entries: [NewEntry], to runID: String, epoch: Int64, summary: RunSummary?, locks: [String], releasingLocks: Bool
  ) async throws(StoreFailure) -> Int64 {
    try await append(
      entries, to: runID, epoch: epoch, summary: summary, locks: locks, releasingLocks: releasingLocks, output: [])
  }

  func append(
    _ entries: [NewEntry], to runID: String, epoch: Int64, summary: RunSummary?, locks: [String], releasingLocks: Bool,
    output: [OutputWrite]
  ) async throws(StoreFailure) -> Int64 {
    let kinds = entries.map(\.kind).joined(separator: "+")
    guard life.pass("before commit of \(kinds)") else { throw Self.dead }
    let last = try await base.append(
      entries, to: runID, epoch: epoch, summary: summary, locks: locks, releasingLocks: releasingLocks, output: output)
    guard life.pass("after commit of \(kinds)") else { throw Self.dead }
    return last
  }

  func appendOutput(_ writes: [OutputWrite], to runID: String, epoch: Int64) throws(StoreFailure) {
    guard life.pass("before commit of output") else { throw Self.dead }
    try base.appendOutput(writes, to: runID, epoch: epoch)
    guard life.pass("after commit of output") else { throw Self.dead }
  }
  func outputStreams(of runID: String) throws(StoreFailure) -> [StoredStream] { try base.outputStreams(of: runID) }
  func outputStream(_ key: String, _ stream: OutputStream) throws(StoreFailure) -> StoredStream? {
    try base.outputStream(key, stream)
  }
  func outputChunk(
    _ key: String, _ stream: OutputStream, from position: Int64
  ) throws(StoreFailure) -> OutputChunk? { try base.outputChunk(key, stream, from: position) }
  func outputChunk(_ key: String, _ stream: OutputStream, line: Int64) throws(StoreFailure) -> OutputChunk? {
    try base.outputChunk(key, stream, line: line)
  }
  func copyOutput(_ keys: [String], to runID: String, epoch: Int64) throws(StoreFailure) {
    guard !life.isDead else { throw Self.dead }
    try base.copyOutput(keys, to: runID, epoch: epoch)
  }

  func release(_ lease: Lease) async throws(StoreFailure) {
    guard life.pass("before the lease is given up") else { throw Self.dead }
    try await base.release(lease)
  }

  func renew(_ lease: Lease, leaseFor: Duration) async throws(StoreFailure) -> Lease {
    guard !life.isDead else { throw Self.dead }
    return try await base.renew(lease, leaseFor: leaseFor)
  }

  func takeOver(_ runID: String, owner: Owner, leaseFor: Duration) async throws(StoreFailure) -> Lease {
    try await base.takeOver(runID, owner: owner, leaseFor: leaseFor)
  }
  func ownership(of runID: String) async throws(StoreFailure) -> RunOwnership { try await base.ownership(of: runID) }
  func dropProof(of lease: Lease) async { await base.dropProof(of: lease) }

  func entries(of runID: String, after sequence: Int64) async throws(StoreFailure) -> [JournalEntry] {
    try await base.entries(of: runID, after: sequence)
  }
  func summary(of runID: String) async throws(StoreFailure) -> RunSummary { try await base.summary(of: runID) }
  func summaries(limit: Int) async throws(StoreFailure) -> [RunSummary] { try await base.summaries(limit: limit) }
  func run(withKey key: String) async throws(StoreFailure) -> RunSummary? { try await base.run(withKey: key) }
  func lease(of runID: String) async throws(StoreFailure) -> Lease? { try await base.lease(of: runID) }
  func locks(of runID: String) async throws(StoreFailure) -> [String] { try await base.locks(of: runID) }
  func holder(of lock: String) async throws(StoreFailure) -> String? { try await base.holder(of: lock) }
  func heldLocks() async throws(StoreFailure) -> [HeldLock] { try await base.heldLocks() }
  func freeLock(_ lock: String, of runID: String, epoch: Int64, entry: NewEntry) async throws(StoreFailure) {
    guard !life.isDead else { throw Self.dead }
    try await base.freeLock(lock, of: runID, epoch: epoch, entry: entry)
  }
  func post(
    _ kind: String, body: [UInt8], to runID: String, requester: String,
    unless isInTheWay: @Sendable (RunRequest) -> Bool
  ) async throws(StoreFailure) -> PostedRequest {
    try await base.post(kind, body: body, to: runID, requester: requester, unless: isInTheWay)
  }
  func requests(for runID: String, after id: Int64) async throws(StoreFailure) -> [RunRequest] {
    try await base.requests(for: runID, after: id)
  }
  func openRuns() async throws(StoreFailure) -> [RunSummary] { try await base.openRuns() }
  func owedRuns() async throws(StoreFailure) -> [RunSummary] { try await base.owedRuns() }
  func firstEntry(of runID: String) async throws(StoreFailure) -> JournalEntry? {
    try await base.firstEntry(of: runID)
  }
  func usualDuration(of key: String) async -> Duration? { await base.usualDuration(of: key) }
  func noteDuration(_ duration: Duration, of key: String) async { await base.noteDuration(duration, of: key) }
  var digestKey: [UInt8] { base.digestKey }
  var isOutOfSpace: Bool { base.isOutOfSpace }
}

/// The network as one process sees it: it can die before a request is delivered and before its reply is read.
struct MortalTransport: HTTPTransport {
  let base: any HTTPTransport
  let life: KillSwitch

  private var dead: HTTPFailure { HTTPFailure(.cancelled, "the process was killed", beforeFirstByte: true) }

  func send(_ request: HTTPRequest) async throws(HTTPFailure) -> HTTPResponse {
    await life.wake()
    guard life.pass("before sending \(request.method) \(request.url)", sending: request) else { throw dead }
    await life.wake()
    let response = try await base.send(request)
    guard life.pass("before reading the reply to \(request.method) \(request.url)") else { throw dead }
    await life.wake()
    return response
  }
}

/// Scripts as one process sees them: detached ones go on when it dies, attached ones (ssh) have run to their end.
struct MortalScripts: ScriptHost {
  let base: any ScriptHost
  let life: KillSwitch

  private var dead: StepFailure { StepFailure(.crashed, "the process was killed", effect: .unknown) }

  private var lives: Bool {
    get async {
      await life.wake()
      return !life.isDead
    }
  }

  private func passes(_ place: String) async -> Bool {
    guard await lives, life.pass(place) else { return false }
    await life.wake()
    return true
  }

  func start(_ request: ScriptRequest) async throws(StepFailure) {
    guard await passes("before starting a script") else { throw dead }
    try await base.start(request)
    guard await passes("after starting a script") else { throw dead }
  }
  func state(of key: String) async throws(StepFailure) -> ScriptState {
    guard await lives else { throw dead }
    return try await base.state(of: key)
  }
  func wait(for key: String, timeout: Duration) async throws(StepFailure) -> ScriptState {
    guard await passes("while waiting for a script") else { throw dead }
    return try await base.wait(for: key, timeout: timeout)
  }
  func cancel(_ key: String, grace: Duration) async throws(StepFailure) {
    guard await lives else { throw dead }
    try await base.cancel(key, grace: grace)
  }
  func run(_ request: ScriptRequest, stdin: Secret?, timeout: Duration) async throws(StepFailure) -> ScriptEnd {
    guard await passes("before running a command") else { throw dead }
    let end = try await base.run(request, stdin: stdin, timeout: timeout)
    guard await passes("before reading a command's end") else { throw dead }
    return end
  }
  func hold(_ request: ScriptRequest, life: Duration) async throws(StepFailure) -> (any HeldProgram)? {
    guard await lives else { throw dead }
    return try await base.hold(request, life: life)
  }
  func connect(host: String, port: Int, timeout: Duration) async throws(StepFailure) {
    guard await lives else { throw dead }
    try await base.connect(host: host, port: port, timeout: timeout)
  }
  func forget(_ key: String) async {
    guard await lives else { return }
    await base.forget(key)
  }
  func forgetOutput(_ key: String) async {
    guard !life.isDead else { return }
    await base.forgetOutput(key)
  }
  func place() async throws(StepFailure) -> String {
    guard await lives else { throw dead }
    return try await base.place()
  }
  func isSeen(_ key: String) async throws(StepFailure) -> Bool {
    guard await lives else { throw dead }
    return try await base.isSeen(key)
  }
  func sweep(_ isOver: @escaping @Sendable (String) async -> Bool) async {
    guard await lives else { return }
    await base.sweep(isOver)
  }
}

/// Files as one process sees them.
struct MortalFiles: FileHost {
  let base: any FileHost
  let life: KillSwitch

  private var dead: StepFailure { StepFailure(.crashed, "the process was killed", effect: .unknown) }

  func read(_ path: String, limit: Int) async throws(StepFailure) -> [UInt8]? {
    await life.wake()
    guard !life.isDead else { throw dead }
    return try await base.read(path, limit: limit)
  }
  func status(_ path: String) async throws(StepFailure) -> FileStatus? {
    await life.wake()
    guard !life.isDead else { throw dead }
    return try await base.status(path)
  }
  func write(_ path: String, content: [UInt8], mode: UInt16?) async throws(StepFailure) {
    await life.wake()
    guard life.pass("before writing \(path)") else { throw dead }
    await life.wake()
    try await base.write(path, content: content, mode: mode)
    guard life.pass("after writing \(path)") else { throw dead }
    await life.wake()
  }
}

/// Time as one process sees it: a dead one does not make it pass.
struct MortalClock: EngineClock {
  let base: any EngineClock
  let life: KillSwitch
  var now: Timestamp { base.now }
  var monotonic: Duration { base.monotonic }
  var boot: BootTime { base.boot }
  func sleep(for duration: Duration) async {
    await life.wake()
    guard !life.isDead else { return }
    await base.sleep(for: duration)
  }
}
