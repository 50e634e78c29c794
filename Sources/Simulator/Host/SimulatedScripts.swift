public import Runbook
import Synchronization

/// A host that runs nothing: scripts and commands end as a table says, by default at once with 0 and no output. It
/// belongs to the world, not to the engine, so it survives a simulated crash: a script started before is found again by
/// its key.
public final class SimulatedScripts: ScriptHost {
  /// How scripts end whose command, text or stdin contains `text`; the first matching rule holds.
  public struct Rule: Sendable {
    public var text: String
    public var exitCode: Int32
    public var stdout: String
    public var stderr: String
    /// On the world's clock, from its start.
    public var duration: Duration
    /// Its process is gone and left no exit code.
    public var isLost: Bool
    /// How many starts it holds for; nil: all.
    public var times: Int?
    public init(
      matching text: String, exitCode: Int32 = 0, stdout: String = "", stderr: String = "", duration: Duration = .zero,
      isLost: Bool = false, times: Int? = nil
    ) {
      self.text = text
      self.exitCode = exitCode
      self.stdout = stdout
      self.stderr = stderr
      self.duration = duration
      self.isLost = isLost
      self.times = times
    }
  }
  fileprivate struct Script {
    var endsAt: Duration
    var end: ScriptEnd
    var isLost: Bool
  }
  fileprivate struct State {
    var rules: [Rule]
    var scripts: [String: Script] = [:]
    /// What was started before the folder was lost.
    var elsewhere: [String: Script] = [:]
    /// By key: what other machines keep, and the rank of the last order for it.
    var remote: [String: RemoteScriptState] = [:]
    var ranks: [String: Int64] = [:]
    var place = "simulated"
    var ledger: [LedgerEntry] = []
  }

  private let clock: any EngineClock
  private let state: Mutex<State>

  public init(clock: any EngineClock, rules: [Rule] = []) {
    self.clock = clock
    state = Mutex(State(rules: rules))
  }

  /// `script.start`, `command.run` and `connect`, with the key or address as subject and the command as detail. A
  /// script that is started on another machine is a `command.run`; sessions that only look after it are not in it.
  public var ledger: [LedgerEntry] { state.withLock { $0.ledger } }

  public func start(_ request: ScriptRequest) async throws(StepFailure) {
    try begin(request)
    defer { request.tenure?.end() }
    let (now, monotonic) = (clock.now, clock.monotonic)
    state.withLock { state in
      guard state.scripts[request.key] == nil else { return }
      let rule = state.take(matching: request, stdin: nil)
      state.ledger.append(
        LedgerEntry(at: now, effect: "script.start", subject: request.key, detail: request.text))
      let script: Script
      if let lifetime = request.lifetime, rule.duration > lifetime {
        script = Script(
          endsAt: monotonic + lifetime, end: ScriptEnd(exitCode: nil, isTimedOut: true), isLost: rule.isLost)
      } else {
        script = Script(endsAt: monotonic + rule.duration, end: rule.end, isLost: rule.isLost)
      }
      state.scripts[request.key] = script
    }
  }

  private func begin(_ request: ScriptRequest) throws(StepFailure) {
    if let tenure = request.tenure, !tenure.begin() { throw StepFailure.notCertainlyOurs }
  }

  public func state(of key: String) async throws(StepFailure) -> ScriptState {
    let monotonic = clock.monotonic
    return state.withLock { state in
      guard let script = state.scripts[key] else { return .absent }
      if monotonic < script.endsAt { return .running }
      return script.isLost ? .lost : .ended(script.end)
    }
  }

  public func wait(for key: String, timeout: Duration) async throws(StepFailure) -> ScriptState {
    let limit = clock.monotonic + timeout
    while !Task.isCancelled, clock.monotonic < limit, let endsAt = state.withLock({ $0.scripts[key]?.endsAt }),
      endsAt > clock.monotonic
    {
      await clock.sleep(for: min(endsAt, limit) - clock.monotonic)
    }
    return try await state(of: key)
  }

  public func cancel(_ key: String, grace: Duration) async throws(StepFailure) {
    let monotonic = clock.monotonic
    state.withLock { state in
      guard let script = state.scripts[key], script.endsAt > monotonic else { return }
      state.scripts[key] = Script(endsAt: monotonic, end: ScriptEnd(exitCode: nil, signal: 15), isLost: false)
    }
  }

  public func run(_ request: ScriptRequest, stdin: Secret?, timeout: Duration) async throws(StepFailure) -> ScriptEnd {
    let now = clock.now
    try begin(request)
    if let session = stdin.flatMap({ SimulatedSession($0.reveal()) }),
      let end = try await carryOut(session, request, timeout)
    {
      return end
    }
    let rule = state.withLock { state in
      state.ledger.append(LedgerEntry(at: now, effect: "command.run", subject: request.key, detail: request.text))
      return state.take(matching: request, stdin: stdin)
    }
    request.tenure?.end()
    await clock.sleep(for: min(rule.duration, timeout))
    if Task.isCancelled { throw StepFailure(.cancelled, "the command was cancelled", effect: .unknown) }
    guard rule.duration <= timeout else {
      throw StepFailure(.timeout, "the command did not end within \(timeout.text)", effect: .unknown)
    }
    if rule.isLost { throw StepFailure(.crashed, "the command left no exit code", effect: .unknown) }
    return rule.end
  }

  /// - Returns: nil if the connection is lost, by a rule, before the other machine knows of the script.
  private func carryOut(
    _ session: SimulatedSession, _ request: ScriptRequest, _ timeout: Duration
  ) async throws(StepFailure) -> ScriptEnd? {
    let (now, monotonic) = (clock.now, clock.monotonic)
    let isReached = state.withLock { state in
      guard state.remote[session.key] == nil else { return true }
      let (found, rule) = state.look(matching: request, session)
      guard !rule.isLost else { return false }
      guard session.verb == .start, session.rank >= state.ranks[session.key] ?? 0 else { return true }
      state.use(found)
      state.ledger.append(LedgerEntry(at: now, effect: "command.run", subject: request.key, detail: request.text))
      let life = session.life ?? rule.duration
      let isLate = rule.duration > life
      state.remote[session.key] = RemoteScriptState(
        endsAt: monotonic + min(rule.duration, life), end: isLate ? ScriptEnd(exitCode: 143) : rule.end,
        cause: isLate ? "timeout" : "exited")
      return true
    }
    guard isReached else { return nil }
    request.tenure?.end()
    let highest = state.withLock { state in
      let highest = max(state.ranks[session.key] ?? 0, session.rank)
      state.ranks[session.key] = highest
      return highest
    }
    if highest > session.rank { return session.answer("g \(highest)") }
    if session.verb == .stop || session.verb == .forget {
      state.withLock { state in
        guard let script = state.remote[session.key], script.endsAt > monotonic, session.verb == .stop else { return }
        state.remote[session.key] = RemoteScriptState(
          endsAt: monotonic, end: ScriptEnd(exitCode: 143), cause: "cancelled")
      }
    }
    guard session.verb != .forget else { return session.answer("d") }
    guard let script = state.withLock({ $0.remote[session.key] }) else { return session.answer("a") }
    let left = script.endsAt - clock.monotonic
    if left > .zero { await clock.sleep(for: min(left, session.share, timeout)) }
    if Task.isCancelled { throw StepFailure(.cancelled, "the command was cancelled", effect: .unknown) }
    // Another session may have stopped it meanwhile.
    guard let script = state.withLock({ $0.remote[session.key] }), script.endsAt <= clock.monotonic else {
      return session.answer("b /simulated/\(session.key)\nt")
    }
    return session.end(script.end, cause: script.cause)
  }

  public func connect(host: String, port: Int, timeout: Duration) async throws(StepFailure) {
    let address = "\(host):\(port)"
    let now = clock.now
    let rule = state.withLock { state in
      state.ledger.append(LedgerEntry(at: now, effect: "connect", subject: address))
      return state.take(where: { address.contains($0) })
    }
    guard rule.exitCode == 0 else {
      throw StepFailure(.unreachable, "\(address) refuses the connection", retryable: true, beforeFirstByte: true)
    }
  }

  public func hold(_ request: ScriptRequest, life: Duration) async throws(StepFailure) -> (any HeldProgram)? { nil }

  public func forgetOutput(_ key: String) async {}

  public func forget(_ key: String) async { state.withLock { state in state.scripts[key] = nil } }

  public func place() async throws(StepFailure) -> String { state.withLock { $0.place } }

  /// The machine is booted again: nothing of what ran runs any more, and none of it has left an exit code.
  public func endWithTheMachine() {
    let monotonic = clock.monotonic
    state.withLock { state in
      for (key, script) in state.scripts where script.endsAt > monotonic {
        state.scripts[key] = Script(endsAt: monotonic, end: script.end, isLost: true)
      }
    }
  }

  /// From now on the folder is another one, under this name, and empty; what runs goes on.
  public func lose(place: String) {
    state.withLock { state in
      state.place = place
      state.elsewhere.merge(state.scripts) { _, new in new }
      state.scripts = [:]
    }
  }

  public func isSeen(_ key: String) async throws(StepFailure) -> Bool {
    let monotonic = clock.monotonic
    return state.withLock { state in
      (state.scripts[key] ?? state.elsewhere[key]).map { $0.endsAt > monotonic } ?? false
    }
  }

  public func sweep(_ isOver: @escaping @Sendable (String) async -> Bool) async {
    let monotonic = clock.monotonic
    let keys = state.withLock { state in state.scripts.filter { $0.value.endsAt <= monotonic }.map { $0.key } }
    for key in keys {
      if let run = ScriptKey.run(of: key), await isOver(run) { await forget(key) }
    }
  }

  /// Keys of scripts of which something is kept.
  public var kept: Set<String> { state.withLock { Set($0.scripts.keys) } }
}

extension SimulatedScripts.Rule {
  fileprivate var end: ScriptEnd {
    ScriptEnd(exitCode: exitCode, stdout: Array(stdout.utf8), stderr: Array(stderr.utf8))
  }
}

extension SimulatedScripts.State {
  fileprivate mutating func take(matching request: ScriptRequest, stdin: Secret?) -> SimulatedScripts.Rule {
    take { text in
      request.text.contains(text) || request.script?.contains(text) ?? false || stdin?.reveal().contains(text) ?? false
    }
  }

  /// As `take`, without using it up.
  fileprivate func look(
    matching request: ScriptRequest, _ session: SimulatedSession
  ) -> (index: Int?, rule: SimulatedScripts.Rule) {
    let index = rules.indices.first {
      let text = rules[$0].text
      return rules[$0].times != 0 && (text.isEmpty || request.text.contains(text) || session.text.contains(text))
    }
    return (index, index.map { rules[$0] } ?? SimulatedScripts.Rule(matching: ""))
  }

  fileprivate mutating func use(_ index: Int?) {
    if let index, let times = rules[index].times { rules[index].times = times - 1 }
  }

  /// The first rule that holds and is not used up, or success.
  fileprivate mutating func take(where matches: (String) -> Bool) -> SimulatedScripts.Rule {
    guard
      let index = rules.indices.first(where: {
        rules[$0].times != 0 && (rules[$0].text.isEmpty || matches(rules[$0].text))
      })
    else { return SimulatedScripts.Rule(matching: "") }
    if let times = rules[index].times { rules[index].times = times - 1 }
    return rules[index]
  }
}

extension ScriptRequest {
  fileprivate var text: String { command.joined(separator: " ") }
}
