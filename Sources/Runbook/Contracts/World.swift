/// Time as the engine sees it. Wall time is for stamps and persisted deadlines; pauses are measured on the monotonic
/// clock.
public protocol EngineClock: Sendable {
  /// The machine's wall clock, which people may set.
  var now: Timestamp { get }
  /// How long the machine has been up, suspended time included, and under which boot: what durations are measured by
  /// across the processes of one boot. Nobody can set it.
  var boot: BootTime { get }
  /// Since an arbitrary instant; never goes back.
  var monotonic: Duration { get }
  /// Returns early, without throwing, when the task is cancelled: the caller asks `Task.isCancelled`.
  func sleep(for duration: Duration) async
}

/// A moment of one boot of the machine. Two of the same boot can be subtracted; of two boots nothing can be said.
public struct BootTime: Sendable, Equatable {
  /// The kernel's boot id; empty if nobody can tell, and then no two moments are of the same boot.
  public var id: String
  /// Since the boot, suspended time included.
  public var elapsed: Duration
  public init(id: String, elapsed: Duration) {
    self.id = id
    self.elapsed = elapsed
  }

  /// From `earlier` to this moment; nil if they are not of the same boot.
  public func since(_ earlier: BootTime) -> Duration? {
    id.isEmpty || id != earlier.id ? nil : elapsed - earlier.elapsed
  }
}

extension EngineClock {
  /// For clocks that only measure: every process has a boot of its own.
  public var boot: BootTime { BootTime(id: "", elapsed: monotonic) }
}

/// Where random bits come from: ids, jitter.
public protocol RandomSource: Sendable {
  func next() -> UInt64
}

/// The state of a detached script, found by its key. See R13 in `docs/language.md`.
public enum ScriptState: Sendable, Equatable {
  /// There is no such folder, or one in which nothing was started: the script was never started, if the folder would
  /// be where it was (`ScriptHost.place`).
  case absent
  case running
  /// Of stdout and stderr the first and the last 32 MiB, with a marker between them.
  case ended(ScriptEnd)
  /// It was started, nothing of it runs any more, and there is no exit code.
  case lost
}

public struct ScriptEnd: Sendable, Equatable {
  /// nil when a signal ended it.
  public var exitCode: Int32?
  public var signal: Int32?
  /// It was ended because its `lifetime` was over; then there is neither code nor signal.
  public var isTimedOut: Bool
  /// Read only when they are needed, and gone when the host has forgotten the script.
  public var output: OutputBytes
  public var errors: OutputBytes

  public init(
    exitCode: Int32?, signal: Int32? = nil, isTimedOut: Bool = false, stdout: [UInt8] = [], stderr: [UInt8] = []
  ) {
    self.init(
      exitCode: exitCode, signal: signal, isTimedOut: isTimedOut, output: OutputBytes(stdout),
      errors: OutputBytes(stderr))
  }

  public init(exitCode: Int32?, signal: Int32? = nil, isTimedOut: Bool, output: OutputBytes, errors: OutputBytes) {
    self.exitCode = exitCode
    self.signal = signal
    self.isTimedOut = isTimedOut
    self.output = output
    self.errors = errors
  }

  /// All that is kept.
  public var stdout: [UInt8] {
    get { output.all() ?? OutputLimit.marker(leftOut: output.total) }
    set { output = OutputBytes(newValue) }
  }
  public var stderr: [UInt8] {
    get { errors.all() ?? OutputLimit.marker(leftOut: errors.total) }
    set { errors = OutputBytes(newValue) }
  }

  /// Hands over what the sink does not have yet of both streams.
  public func hand(over sink: any OutputSink) {
    output.hand(over: .stdout, to: sink)
    errors.hand(over: .stderr, to: sink)
  }
}

/// The program to start: argv, and text for its stdin if it is a script. The host makes its environment.
public struct ScriptRequest: Sendable {
  /// Unique folder name: `ActionCall.key`.
  public var key: String
  public var command: [String]
  /// The script's text when `command` is an interpreter that reads it (`/bin/sh -eu`); nil for plain argv.
  public var script: String?
  /// Added to PATH HOME LANG TZ, which the host gives; nothing else is inherited. Values may be secrets; they travel
  /// over a pipe and never touch the disk or argv.
  public var environment: [String: Secret]
  public var workingDirectory: String?
  /// A file that the child can read and that never touches the disk (a private key, a script that is no shell's):
  /// `secretFilePlaceholder` in a word of `command` becomes its path.
  public var secretFile: Secret?
  /// What the program gets when it asks for a password as OpenSSH does (`SSH_ASKPASS`), once: it is read from memory by
  /// our own program. It is on no disk, on no command line and in no environment. For `run` and `hold` only.
  public var password: Secret?
  /// Asked when it is about to be started; nil: it may.
  public var tenure: (any Tenure)?
  public static let secretFilePlaceholder = "{secret-file}"
  /// How long it may run from its start, on a clock that counts while the machine sleeps: then the host ends it with
  /// all its processes, even if no engine is running. nil: for ever. For `ScriptHost.start` only.
  public var lifetime: Duration?
  /// From TERM to KILL when its lifetime is over.
  public var grace: Duration
  /// Gets the program's stdout in pieces and in order, while the program runs, on the thread that reads it.
  /// The rest that it did not get before the end is in `ScriptEnd.stdout`. For `ScriptHost.run` only.
  public var reading: (@Sendable ([UInt8]) -> Void)?
  /// Its standard input comes later, by `HeldProgram.feed`. For `ScriptHost.hold` only.
  public var awaitsInput = false
  public init(
    key: String, command: [String], script: String? = nil, environment: [String: Secret] = [:],
    workingDirectory: String? = nil, secretFile: Secret? = nil, lifetime: Duration? = nil,
    grace: Duration = .seconds(10)
  ) {
    self.lifetime = lifetime
    self.grace = grace
    self.key = key
    self.command = command
    self.script = script
    self.environment = environment
    self.workingDirectory = workingDirectory
    self.secretFile = secretFile
  }
}

/// How the keys of scripts are made: the id of the run, `-`, and letters of its own.
public enum ScriptKey {
  /// The run that a key belongs to; nil if it is none of a run's.
  public static func run(of key: String) -> String? {
    guard let dash = key.lastIndex(of: "-"), dash != key.startIndex, key.hasPrefix("r") else { return nil }
    return String(key[..<dash])
  }
}

/// Where scripts run. The real one starts detached processes; a simulated one answers from a table.
public protocol ScriptHost: Sendable {
  /// Where scripts are kept: text that differs for another folder and for another machine, and stays the same when the
  /// machine boots. Makes the folder durably if need be; starts no process. A script that is `absent` in one place may
  /// have been started in another, so journal the place before the start.
  func place() async throws(StepFailure) -> String
  /// Starts the script unless it was started already. When this returns it is durable that it was started.
  /// - Throws: `limit` when the machine is short of something, with the effect `none`.
  func start(_ request: ScriptRequest) async throws(StepFailure)
  func state(of key: String) async throws(StepFailure) -> ScriptState
  /// Returns when the script has ended or is lost; when `timeout` is over or the task is cancelled, the state at that
  /// moment.
  func wait(for key: String, timeout: Duration) async throws(StepFailure) -> ScriptState
  /// The same, and gives `output` the script's output while it waits; all of it, if the script has ended.
  func wait(for key: String, timeout: Duration, output: any OutputSink) async throws(StepFailure) -> ScriptState
  /// TERM to all processes of the script, after `grace` KILL; returns when none is left. A process is not found if it
  /// left the script's session, cleared its environment and was adopted by another process than ours.
  func cancel(_ key: String, grace: Duration) async throws(StepFailure)
  /// Runs a child attached to this process: its end is the call's end. For `ssh`. `stdin` is written and closed.
  func run(_ request: ScriptRequest, stdin: Secret?, timeout: Duration) async throws(StepFailure) -> ScriptEnd
  /// Starts a child that goes on beside later calls and never outlives this process. For a connection that is kept.
  ///
  /// It has a folder of its own, which goes with it, and is its working directory unless the request names another.
  /// - Parameter life: how long it may run, unless `HeldProgram.live(for:)` says otherwise.
  /// - Returns: nil if this host holds no programs.
  func hold(_ request: ScriptRequest, life: Duration) async throws(StepFailure) -> (any HeldProgram)?
  /// Opens a TCP connection and closes it. For `net.tcp`.
  func connect(host: String, port: Int, timeout: Duration) async throws(StepFailure)
  /// Removes the files of a script whose outcome is journaled.
  func forget(_ key: String) async
  /// Removes the output of a script that does not run any more, and keeps how it ended: for a script of unknown
  /// outcome.
  func forgetOutput(_ key: String) async
  /// Whether a process of this script runs on this machine, in whichever place the script was started. Processes in
  /// the background count.
  func isSeen(_ key: String) async throws(StepFailure) -> Bool
  /// Removes the files of scripts that do not run, for runs for which `isOver` is true. `isOver` is asked once for
  /// each run, after the folders were found: a run that begins meanwhile loses nothing.
  /// - Parameter isOver: given the id of a run, which may be unknown to the store.
  func sweep(_ isOver: @escaping @Sendable (String) async -> Bool) async
}

/// A child that goes on beside the calls of its host. It is ended when no reference to it is left.
public protocol HeldProgram: AnyObject, Sendable {
  /// Its own, 0700; absolute.
  var folder: String { get }
  /// It is ended so long from now, whatever was said before.
  func live(for life: Duration)
  /// How it ended, with what it wrote; nil while it runs.
  func ending() async -> ScriptEnd?
  /// Gives it all of its standard input, once, if it was held to await that (`ScriptRequest.awaitsInput`).
  /// - Parameter life: it is ended so long from now.
  /// - Returns: false if it was given nothing: it has ended, or the run may belong to another process now.
  func feed(_ input: Secret, life: Duration) -> Bool
  /// Waits for its end, as `ScriptHost.run` does. To be called once.
  func end(reading: (@Sendable ([UInt8]) -> Void)?) async throws(StepFailure) -> ScriptEnd
}

extension ScriptHost {
  /// Without a limit.
  public func wait(for key: String) async throws(StepFailure) -> ScriptState {
    try await wait(for: key, timeout: .seconds(366 * 86_400))
  }

  public func wait(
    for key: String, timeout: Duration, output: any OutputSink
  ) async throws(StepFailure) -> ScriptState {
    let state = try await wait(for: key, timeout: timeout)
    if case .ended(let end) = state { end.hand(over: output) }
    return state
  }
}

/// Files an action writes. Atomic: the new content under the name, or the old.
public protocol FileHost: Sendable {
  func read(_ path: String, limit: Int) async throws(StepFailure) -> [UInt8]?
  /// Kind and permissions of the file, without reading it; nil: there is no file.
  func status(_ path: String) async throws(StepFailure) -> FileStatus?
  /// Replaces the content, durably: readers see the old one or the new. The owner stays as it was.
  /// - Parameter mode: permissions; nil: they stay as they were, 0600 for a new file.
  func write(_ path: String, content: [UInt8], mode: UInt16?) async throws(StepFailure)
}

public struct FileStatus: Sendable, Equatable {
  /// In bytes.
  public var size: Int
  /// Permissions, with the bits above them (set-user-ID and so on).
  public var mode: UInt16
  public init(size: Int, mode: UInt16) {
    self.size = size
    self.mode = mode
  }
}
