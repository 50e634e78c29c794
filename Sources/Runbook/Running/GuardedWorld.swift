// What an interpreter hands to its steps: the world, in which nothing leaves while the run is not certainly ours. A run
// whose lease has passed waits here; it goes on when the lease was renewed, and sends nothing more when it was lost.

struct GuardedTransport: HTTPTransport {
  let base: any HTTPTransport
  let tenure: any Tenure
  let clock: any EngineClock

  func send(_ request: HTTPRequest) async throws(HTTPFailure) -> HTTPResponse {
    // Sessions and lists are shared by runs, and outlive the one that asked first.
    if request.isRead { return try await base.send(request) }
    var guarded = request
    guarded.tenure = tenure
    while true {
      guard await tenure.isRegained(clock) else {
        throw HTTPFailure(
          Task.isCancelled ? .cancelled : .connect, "the run may belong to another process now: nothing was sent",
          beforeFirstByte: true)
      }
      do { return try await base.send(guarded) } catch {
        // Refused at the last moment: it waits again.
        guard error.beforeFirstByte, tenure.standing == .passed else { throw error }
      }
    }
  }
}

struct GuardedScripts: ScriptHost {
  let base: any ScriptHost
  let tenure: any Tenure
  let clock: any EngineClock

  func start(_ request: ScriptRequest) async throws(StepFailure) {
    var guarded = request
    guarded.tenure = tenure
    while true {
      try await regain()
      do throws(StepFailure) { return try await base.start(guarded) } catch {
        guard error.effect == .none, tenure.standing == .passed else { throw error }
      }
    }
  }

  func run(_ request: ScriptRequest, stdin: Secret?, timeout: Duration) async throws(StepFailure) -> ScriptEnd {
    var guarded = request
    guarded.tenure = tenure
    while true {
      try await regain()
      do throws(StepFailure) { return try await base.run(guarded, stdin: stdin, timeout: timeout) } catch {
        guard error.effect == .none, tenure.standing == .passed else { throw error }
      }
    }
  }

  func hold(_ request: ScriptRequest, life: Duration) async throws(StepFailure) -> (any HeldProgram)? {
    if PlantedMistake.connectionNotKept.isMade { return nil }
    var guarded = request
    guarded.tenure = tenure
    while true {
      try await regain()
      do throws(StepFailure) { return try await base.hold(guarded, life: life) } catch {
        guard error.effect == .none, tenure.standing == .passed else { throw error }
      }
    }
  }

  func cancel(_ key: String, grace: Duration) async throws(StepFailure) {
    try await regain()
    try await base.cancel(key, grace: grace)
  }

  private func regain() async throws(StepFailure) {
    if await tenure.isRegained(clock) { return }
    var failure = StepFailure.notCertainlyOurs
    if Task.isCancelled { failure.kind = .cancelled }
    throw failure
  }

  func state(of key: String) async throws(StepFailure) -> ScriptState { try await base.state(of: key) }
  func wait(for key: String, timeout: Duration) async throws(StepFailure) -> ScriptState {
    try await base.wait(for: key, timeout: timeout)
  }
  func wait(for key: String, timeout: Duration, output: any OutputSink) async throws(StepFailure) -> ScriptState {
    try await base.wait(for: key, timeout: timeout, output: output)
  }
  func connect(host: String, port: Int, timeout: Duration) async throws(StepFailure) {
    try await base.connect(host: host, port: port, timeout: timeout)
  }
  func place() async throws(StepFailure) -> String { try await base.place() }
  func isSeen(_ key: String) async throws(StepFailure) -> Bool { try await base.isSeen(key) }
  func sweep(_ isOver: @escaping @Sendable (String) async -> Bool) async { await base.sweep(isOver) }
  func forget(_ key: String) async { await base.forget(key) }
  func forgetOutput(_ key: String) async { await base.forgetOutput(key) }
}

struct GuardedFiles: FileHost {
  let base: any FileHost
  let tenure: any Tenure
  let clock: any EngineClock

  func read(_ path: String, limit: Int) async throws(StepFailure) -> [UInt8]? {
    try await base.read(path, limit: limit)
  }
  func status(_ path: String) async throws(StepFailure) -> FileStatus? { try await base.status(path) }
  /// All of the writing is the stretch: it is short, and a file that is replaced late is as bad as a late request.
  func write(_ path: String, content: [UInt8], mode: UInt16?) async throws(StepFailure) {
    repeat {
      guard await tenure.isRegained(clock) else { throw StepFailure.notCertainlyOurs }
    } while !tenure.begin()
    defer { tenure.end() }
    try await base.write(path, content: content, mode: mode)
  }
}

extension StepFailure {
  /// Nothing was sent or started, because the run may belong to another process now.
  public static var notCertainlyOurs: StepFailure {
    StepFailure(
      .limit, "the run may belong to another process now: nothing was started", effect: .none, retryable: true,
      beforeFirstByte: true)
  }
}

extension RunAssignment {
  var transport: any HTTPTransport {
    tenure.map { GuardedTransport(base: world.transport, tenure: $0, clock: world.clock) } ?? world.transport
  }
  var scripts: any ScriptHost {
    tenure.map { GuardedScripts(base: world.scripts, tenure: $0, clock: world.clock) } ?? world.scripts
  }
  var files: any FileHost {
    tenure.map { GuardedFiles(base: world.files, tenure: $0, clock: world.clock) } ?? world.files
  }
}
