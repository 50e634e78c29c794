import Runbook
import Synchronization

/// Kills a simulated process at the Nth point: from then on nothing it does reaches the world, as after `kill -9`. What
/// it did before stays done. One switch belongs to one process (one interpreter) and is never used again.
public final class KillSwitch: Sendable {
  private struct State {
    var passed = 0
    var isDead = false
    var place: String?
    var atDeath: (@Sendable () -> Void)?
  }
  private let state = Mutex(State())
  /// nil: never.
  private let deathPoint: Int?
  /// Dies at the first point whose place holds this text; nil: by number.
  private let deathPlace: String?

  /// - Parameter point: from 1; nil counts the points and kills nobody.
  public init(at point: Int? = nil) {
    deathPoint = point
    deathPlace = nil
  }

  /// Kills at the first point whose place holds `text`, such as `before sending POST`.
  public init(where text: String) {
    deathPoint = nil
    deathPlace = text
  }

  /// Passes one point. False: the process died here or before; the caller does nothing more.
  func pass(_ place: @autoclosure () -> String) -> Bool {
    let (lives, atDeath) = state.withLock { state -> (Bool, (@Sendable () -> Void)?) in
      guard !state.isDead else { return (false, nil) }
      state.passed += 1
      let here: String
      if let deathPlace {
        here = place()
        guard here.contains(deathPlace) else { return (true, nil) }
      } else {
        guard state.passed == deathPoint else { return (true, nil) }
        here = place()
      }
      state.isDead = true
      state.place = here
      return (false, state.atDeath)
    }
    atDeath?()
    return lives
  }

  /// The dead cannot stop by themselves: told at the moment of death, whoever runs the process ends its waits.
  func whenDead(_ end: @escaping @Sendable () -> Void) { state.withLock { $0.atDeath = end } }

  var isDead: Bool { state.withLock { $0.isDead } }

  /// How many points were passed alive (and the deadly one).
  public var passed: Int { state.withLock { $0.passed } }
  /// Where it died; nil if it did not: a test whose kill never fired proves nothing.
  public var place: String? { state.withLock { $0.place } }
}

/// The store as one process sees it: it can die before and after every commit.
struct MortalStore: RunStore {
  let base: any RunStore
  let life: KillSwitch

  private var dead: StoreFailure { .writeFailed("the process was killed") }

  func create(
    _ run: RunSummary, owner: Owner, leaseFor: Duration, locks: [String], entries: [NewEntry]
  ) throws(StoreFailure) -> Lease {
    try base.create(run, owner: owner, leaseFor: leaseFor, locks: locks, entries: entries)
  }

  func append(
    _ entries: [NewEntry], to runID: String, epoch: Int64, summary: RunSummary?, locks: [String], releasingLocks: Bool
  ) throws(StoreFailure) -> Int64 {
    let kinds = entries.map(\.kind).joined(separator: "+")
    guard life.pass("before commit of \(kinds)") else { throw dead }
    let last = try base.append(
      entries, to: runID, epoch: epoch, summary: summary, locks: locks, releasingLocks: releasingLocks)
    guard life.pass("after commit of \(kinds)") else { throw dead }
    return last
  }

  func release(_ lease: Lease) throws(StoreFailure) {
    guard life.pass("before the lease is given up") else { throw dead }
    try base.release(lease)
  }

  func renew(_ lease: Lease, leaseFor: Duration) throws(StoreFailure) -> Lease {
    guard !life.isDead else { throw dead }
    return try base.renew(lease, leaseFor: leaseFor)
  }

  func takeOver(_ runID: String, owner: Owner, leaseFor: Duration) throws(StoreFailure) -> Lease {
    try base.takeOver(runID, owner: owner, leaseFor: leaseFor)
  }
  func ownership(of runID: String) throws(StoreFailure) -> RunOwnership { try base.ownership(of: runID) }
  func dropProof(of lease: Lease) { base.dropProof(of: lease) }

  func entries(of runID: String, after sequence: Int64) throws(StoreFailure) -> [JournalEntry] {
    try base.entries(of: runID, after: sequence)
  }
  func summary(of runID: String) throws(StoreFailure) -> RunSummary { try base.summary(of: runID) }
  func summaries(limit: Int) throws(StoreFailure) -> [RunSummary] { try base.summaries(limit: limit) }
  func run(withKey key: String) throws(StoreFailure) -> RunSummary? { try base.run(withKey: key) }
  func lease(of runID: String) throws(StoreFailure) -> Lease? { try base.lease(of: runID) }
  func locks(of runID: String) throws(StoreFailure) -> [String] { try base.locks(of: runID) }
  func holder(of lock: String) throws(StoreFailure) -> String? { try base.holder(of: lock) }
  func heldLocks() throws(StoreFailure) -> [HeldLock] { try base.heldLocks() }
  func freeLock(_ lock: String, of runID: String, epoch: Int64, entry: NewEntry) throws(StoreFailure) {
    guard !life.isDead else { throw dead }
    try base.freeLock(lock, of: runID, epoch: epoch, entry: entry)
  }
  func post(
    _ kind: String, body: [UInt8], to runID: String, requester: String,
    unless isInTheWay: @Sendable (RunRequest) -> Bool
  ) throws(StoreFailure) -> PostedRequest {
    try base.post(kind, body: body, to: runID, requester: requester, unless: isInTheWay)
  }
  func requests(for runID: String, after id: Int64) throws(StoreFailure) -> [RunRequest] {
    try base.requests(for: runID, after: id)
  }
  var digestKey: [UInt8] { base.digestKey }
  var isOutOfSpace: Bool { base.isOutOfSpace }
}

/// The network as one process sees it: it can die before a request is delivered and before its reply is read.
struct MortalTransport: HTTPTransport {
  let base: any HTTPTransport
  let life: KillSwitch

  private var dead: HTTPFailure { HTTPFailure(.cancelled, "the process was killed", beforeFirstByte: true) }

  func send(_ request: HTTPRequest) async throws(HTTPFailure) -> HTTPResponse {
    guard life.pass("before sending \(request.method) \(request.url)") else { throw dead }
    let response = try await base.send(request)
    guard life.pass("before reading the reply to \(request.method) \(request.url)") else { throw dead }
    return response
  }
}

/// Scripts as one process sees them: detached ones go on when it dies, attached ones (ssh) have run to their end.
struct MortalScripts: ScriptHost {
  let base: any ScriptHost
  let life: KillSwitch

  private var dead: StepFailure { StepFailure(.crashed, "the process was killed", effect: .unknown) }

  func start(_ request: ScriptRequest) async throws(StepFailure) {
    guard life.pass("before starting a script") else { throw dead }
    try await base.start(request)
    guard life.pass("after starting a script") else { throw dead }
  }
  func state(of key: String) async throws(StepFailure) -> ScriptState {
    guard !life.isDead else { throw dead }
    return try await base.state(of: key)
  }
  func wait(for key: String, timeout: Duration) async throws(StepFailure) -> ScriptState {
    guard life.pass("while waiting for a script") else { throw dead }
    return try await base.wait(for: key, timeout: timeout)
  }
  func cancel(_ key: String, grace: Duration) async throws(StepFailure) {
    guard !life.isDead else { throw dead }
    try await base.cancel(key, grace: grace)
  }
  func run(_ request: ScriptRequest, stdin: Secret?, timeout: Duration) async throws(StepFailure) -> ScriptEnd {
    guard life.pass("before running a command") else { throw dead }
    let end = try await base.run(request, stdin: stdin, timeout: timeout)
    guard life.pass("before reading a command's end") else { throw dead }
    return end
  }
  func connect(host: String, port: Int, timeout: Duration) async throws(StepFailure) {
    guard !life.isDead else { throw dead }
    try await base.connect(host: host, port: port, timeout: timeout)
  }
  func forget(_ key: String) async {
    guard !life.isDead else { return }
    await base.forget(key)
  }
  func place() async throws(StepFailure) -> String {
    guard !life.isDead else { throw dead }
    return try await base.place()
  }
  func isSeen(_ key: String) async throws(StepFailure) -> Bool {
    guard !life.isDead else { throw dead }
    return try await base.isSeen(key)
  }
  func sweep(_ isOver: @escaping @Sendable (String) -> Bool) async {
    guard !life.isDead else { return }
    await base.sweep(isOver)
  }
}

/// Files as one process sees them.
struct MortalFiles: FileHost {
  let base: any FileHost
  let life: KillSwitch

  private var dead: StepFailure { StepFailure(.crashed, "the process was killed", effect: .unknown) }

  func read(_ path: String, limit: Int) async throws(StepFailure) -> [UInt8]? {
    guard !life.isDead else { throw dead }
    return try await base.read(path, limit: limit)
  }
  func write(_ path: String, content: [UInt8], mode: UInt16) async throws(StepFailure) {
    guard life.pass("before writing \(path)") else { throw dead }
    try await base.write(path, content: content, mode: mode)
    guard life.pass("after writing \(path)") else { throw dead }
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
    guard !life.isDead else { return }
    await base.sleep(for: duration)
  }
}
