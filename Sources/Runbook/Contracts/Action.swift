/// What an action reaches the world through while it runs: all of it handed in, so that a simulated world can stand in.
public struct ActionCall: Sendable {
  /// The evaluated fields. Secrets are `Value.secret`; reveal them at the last moment.
  public let with: Arguments
  /// Unique for run, step, purpose and logical attempt; the same after a crash and for a new owner. `[a-z0-9_-]`, at
  /// most 64 bytes, so that it can be an idempotency key, a marker or a folder's name.
  public var key: String
  /// Of the root run: `r` and 19 of `[a-z0-9]`.
  public let runID: String
  /// The step's path in the run (`update`, `update.undo[0]`); a simulation answers by it.
  public let step: String
  public let clock: any EngineClock
  public let transport: any HTTPTransport
  public let scripts: any ScriptHost
  public let files: any FileHost
  public var mail: any MailTransport = NoMail()
  /// The instant by which the step must be done. An action uses it to bound what it starts.
  public var deadline: Timestamp
  /// What `capture` returned when the intent was journaled; empty before that.
  public let before: [String: Value]
  /// Members of `self.before` that the step's undo reads.
  public var neededBefore: Set<String> = []
  /// When the intent was journaled; nil in `capture`.
  public let intendedAt: Timestamp?
  /// Shows progress ("saw `restoring`") on the screen and in the event stream. Not journaled.
  public let report: @Sendable (String) -> Void
  /// Ids of the servers that this run has created: the only ones that `server.delete` deletes.
  public var createdServers: Set<String> = []
  /// Ids of snapshots and backups that open undo entries of this run restore (not of those that they would only
  /// delete): a prune leaves them and lists them in `kept`, and deleting one is refused.
  public var neededIDs: Set<String> = []
  /// When `key` was first journaled: earlier than `intendedAt` where the same request was sent again.
  public var keySince: Timestamp?
  /// Where the host kept the script when its intent was journaled, `elsewhere` on another machine; nil in journals of
  /// earlier releases.
  public var scriptPlace: String?
  /// A look may use values that were read at this instant of the monotonic clock or later; nil: it must read anew. Set
  /// between two looks of one wait, from the result of `awaitNews`.
  public var asOf: Duration?
  /// How long a wait of this kind usually takes, learnt from earlier runs; nil if nobody knows.
  public var usual: Duration?
  /// Of the run's lease: of two owners of one run the later one has the higher.
  public var epoch: Int64 = 0
  /// The step changes nothing: it may be called with this key again and again, and each call is to look anew.
  public var isRead = false
  /// Masks the run's secrets in bytes from outside that are to be shown. Call it before they are shortened: a secret
  /// that is cut in two is not found any more.
  public var mask: @Sendable ([UInt8]) -> [UInt8] = { $0 }
  /// Earlier calls of the run whose outcome is journaled and of which something is kept elsewhere. An action that
  /// reaches the same place may remove it on its way, and says so with `tellForgotten`; what it leaves is removed by
  /// `forget`.
  public var finished: [FinishedCalls] = []
  /// Given the keys of calls of which nothing is kept any more.
  public var tellForgotten: @Sendable ([String]) -> Void = { _ in }
  /// Whether a run of this store has ended and owes nothing, so that what it has left elsewhere may go; false for a run
  /// that the store does not know. Set for `forget` alone.
  public var isOver: (@Sendable (String) async -> Bool)?
  /// Where the output of a script goes while it runs; nil: nobody keeps it.
  public var output: (any OutputSink)?
  /// When the run began; of a run that repeats another, when that one did. nil: not known.
  public var began: Timestamp?
  /// What the steps before this one do to the room that it needs. Set for `liveCheck` alone.
  public var earlier = EarlierRoom()

  public init(
    with: Arguments, key: String, runID: String, clock: any EngineClock, transport: any HTTPTransport,
    scripts: any ScriptHost, files: any FileHost, deadline: Timestamp, before: [String: Value] = [:],
    intendedAt: Timestamp? = nil, step: String = "", report: @escaping @Sendable (String) -> Void = { _ in }
  ) {
    self.with = with
    self.key = key
    self.runID = runID
    self.step = step
    self.clock = clock
    self.transport = transport
    self.scripts = scripts
    self.files = files
    self.deadline = deadline
    self.before = before
    self.intendedAt = intendedAt
    self.report = report
  }
}

/// What the steps before one do to the room that it needs for what it makes, as far as that is known before the run.
public struct EarlierRoom: Sendable, Equatable {
  /// So many of the same kind are made of the same server before it.
  public var made: Int
  /// The first step before it that may make room; nil: none can.
  public var freedBy: String?
  /// It is certainly begun, and its failure would end the run: a lack of room is a reason not to begin.
  public var isCertain: Bool

  public init(made: Int = 0, freedBy: String? = nil, isCertain: Bool = true) {
    self.made = made
    self.freedBy = freedBy
    self.isCertain = isCertain
  }
}

/// All attempts of a step whose outcome is journaled.
public struct FinishedCalls: Sendable {
  public let with: Arguments
  public let keys: [String]
  package init(with: Arguments, keys: [String]) {
    self.with = with
    self.keys = keys
  }
}

/// What a call gave: `outputs` are the action's declared ones, `result` what `expect`, `until` and `outputs:` may read.
public struct ActionResult: Sendable, Equatable {
  public var outputs: [String: Value]
  public var result: [String: Value]
  public init(outputs: [String: Value] = [:], result: [String: Value] = [:]) {
    self.outputs = outputs
    self.result = result
  }
}

/// Whether an effect whose outcome was lost took place.
public enum ProbeAnswer: Sendable, Equatable {
  case applied(ActionResult)
  /// It took place and has failed, in a way that is known (a script's exit code).
  case failed(StepFailure)
  /// Certainly not, *so far*: a request still in flight may make it so until `maxRequestLife` has passed.
  case notApplied
  /// Cannot be told now (still changing) or ever.
  case unsure
}

/// One look at the thing waited for.
public struct Observation: Sendable {
  public enum Verdict: Sendable, Equatable {
    case pending
    case done
    /// A state from which it will not get there: ends the wait at once.
    case failed(StepFailure)
  }
  public var verdict: Verdict
  /// The provider's own word, shown live: "in_progress".
  public var nativeState: String?
  /// The client has never heard of that word. It counts as still changing; after a quarter of an hour a person is told.
  public var isUnheard = false
  /// Replaces or extends the call's outputs.
  public var result: ActionResult

  public init(_ verdict: Verdict, nativeState: String? = nil, result: ActionResult = ActionResult()) {
    self.verdict = verdict
    self.nativeState = nativeState
    self.result = result
  }
}

/// Something a step can do. One type an action, stateless but for the client it was given.
///
/// The engine journals the intent (with what `capture` returned) before `perform`, and the outcome before anything
/// depends on it. All members may be called again after a crash; only `perform` changes the world, and `observe` may
/// nudge it in a convergent way (start a server that came back stopped).
public protocol Action: Sendable {
  var declaration: ActionDeclaration { get }

  /// Reads what must be known before the call: the state to go back to, ids that already match. Reads only.
  func capture(_ call: ActionCall) async throws(StepFailure) -> [String: Value]

  /// Makes the call. Throws with an honest `effect`: `.unknown` when the request may have arrived.
  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult

  /// Looks whether an earlier `perform` of the same `key` took effect. Adopts only what `before` did not hold. Reads
  /// only.
  func probe(_ call: ActionCall) async throws(StepFailure) -> ProbeAnswer

  /// One look during the wait after `perform` (or instead of it, for an adopted effect).
  func observe(_ call: ActionCall, after result: ActionResult) async throws(StepFailure) -> Observation

  /// Stops a running call, for actions that declare `cancellable`. Returns once it is certainly over; at once if
  /// nothing runs or ever did.
  func cancel(_ call: ActionCall) async throws(StepFailure)

  /// Suspends between two looks of a wait: until there may be news, at most for `pause`; returns early when the task is
  /// cancelled. Returns the monotonic instant from which known values count as fresh (the next look gets it as
  /// `asOf`); nil: the next look must read anew. Default: sleeps.
  func awaitNews(_ call: ActionCall, after observation: Observation?, atMost pause: Duration) async -> Duration?

  /// How late a request sent now may still take effect. Default: 90 s.
  var maxRequestLife: Duration { get }

  /// The same for one call, where its fields say it. Above zero; default: `maxRequestLife`.
  func maxRequestLife(of call: ActionCall) -> Duration

  /// Until when a call without an answer may still take effect. Default: `maxRequestLife` after it was lost.
  func lateBound(of call: ActionCall, lostSince: Timestamp) -> Timestamp

  /// For class E1: how long after the intent the other side still knows the key. Past it a lost call is looked for as
  /// one of class E2. nil: for ever.
  var keyWindow: Duration? { get }

  /// The probe's "not applied" and "unsure" are final as soon as they are given: nothing is on its way (a local
  /// script).
  var answersAtOnce: Bool { get }

  /// The same for one call, where its fields say it. Default: `answersAtOnce`.
  func answersAtOnce(_ call: ActionCall) -> Bool

  /// Removes files that are kept elsewhere for calls whose outcome is journaled; called once for a step. Gives up by
  /// itself after some seconds. Default: nothing is kept.
  /// - Parameter keys: of all its attempts.
  func forget(_ call: ActionCall, keys: [String]) async

  /// Whether the server, snapshot or script is at rest, so that an undo may begin: the requested state has been seen,
  /// or can no longer come. Default: yes.
  func isSettled(_ call: ActionCall) async throws(StepFailure) -> Bool

  /// Checks that can be made before the run's first change (server exists, quota left, name free). Reads only. Unknown
  /// arguments (those made by earlier steps) are absent from `call.with`. Returns problems an operator can act on.
  func liveCheck(_ call: ActionCall) async throws(StepFailure) -> [String]
}

/// An action whose declaration belongs to its type.
public protocol StandardAction: Action {
  static var declaration: ActionDeclaration { get }
}

extension StandardAction {
  public var declaration: ActionDeclaration { Self.declaration }
}

extension Action {
  public func capture(_ call: ActionCall) async throws(StepFailure) -> [String: Value] { [:] }
  public func probe(_ call: ActionCall) async throws(StepFailure) -> ProbeAnswer { .unsure }
  public func observe(_ call: ActionCall, after result: ActionResult) async throws(StepFailure) -> Observation {
    Observation(.done, result: result)
  }
  public func cancel(_ call: ActionCall) async throws(StepFailure) {}
  public func awaitNews(
    _ call: ActionCall, after observation: Observation?, atMost pause: Duration
  ) async -> Duration? {
    await call.clock.sleep(for: pause)
    return nil
  }
  public var maxRequestLife: Duration { .seconds(90) }
  public func maxRequestLife(of call: ActionCall) -> Duration { maxRequestLife }
  public func lateBound(of call: ActionCall, lostSince: Timestamp) -> Timestamp {
    lostSince + maxRequestLife(of: call)
  }
  public var keyWindow: Duration? { nil }
  public var answersAtOnce: Bool { false }
  public func answersAtOnce(_ call: ActionCall) -> Bool { answersAtOnce }
  public func forget(_ call: ActionCall, keys: [String]) async {}
  public func isSettled(_ call: ActionCall) async throws(StepFailure) -> Bool { true }
  public func liveCheck(_ call: ActionCall) async throws(StepFailure) -> [String] { [] }
}

/// The evaluated fields of one call, read by type. A wrong type is an `input` failure that names the field, never a
/// trap.
public struct Arguments: Sendable {
  public let values: [String: Value]
  public init(_ values: [String: Value]) { self.values = values }
  public subscript(name: String) -> Value? {
    guard let value = values[name], !value.isNull else { return nil }
    return value
  }

  /// A required text; empty counts as missing (no `DELETE /snapshots/`).
  public func text(_ name: String) throws(StepFailure) -> String {
    guard let text = try optionalText(name), !text.isEmpty else {
      throw StepFailure.unfit("`\(name)` is missing or empty")
    }
    return text
  }
  public func optionalText(_ name: String) throws(StepFailure) -> String? {
    switch self[name] {
    case nil: return nil
    case .string(let text): return text
    case .int(let number): return String(number)
    default: throw StepFailure.unfit("`\(name)` must be text")
    }
  }
  /// Text that may be secret, for the one place that sends it.
  public func revealed(_ name: String) throws(StepFailure) -> String? {
    if case .secret(let secret)? = self[name] { return secret.reveal() }
    return try optionalText(name)
  }
  public func int(_ name: String) throws(StepFailure) -> Int64? {
    switch self[name] {
    case nil: return nil
    case .int(let number): return number
    default: throw StepFailure.unfit("`\(name)` must be a whole number")
    }
  }
  public func bool(_ name: String) throws(StepFailure) -> Bool? {
    switch self[name] {
    case nil: return nil
    case .bool(let flag): return flag
    default: throw StepFailure.unfit("`\(name)` must be true or false")
    }
  }
  public func duration(_ name: String) throws(StepFailure) -> Duration? {
    switch self[name] {
    case nil: return nil
    case .duration(let duration): return duration
    default: throw StepFailure.unfit("`\(name)` must be a duration such as `30s`")
    }
  }
}
