import Glibc
import Posix
public import Runbook
import Synchronization

/// Scripts as real processes, detached from the engine by a keeper (`ScriptKeeper`), each with a folder named by its
/// key.
///
/// The folder is on the disk before the script starts: one without a folder was never started. What a crash leaves is
/// found by pid and start time, and its exit code in `rc`; a process that is gone without `rc` is `lost`, and nobody
/// can tell.
public final class DetachedScripts: ScriptHost {
  static let attachedPrefix = "attached-"

  let folder: String
  private let keeper: KeeperProgram
  private let detachedEnvironment: [String: String]
  let attachedEnvironment: [String: String]
  let counter = Atomic<UInt64>(0)
  /// The link to the keeper, and the folder of folders kept open for `fsync`; made when first needed.
  private let opened = Mutex<(link: KeeperLink, directory: Descriptor)?>(nil)

  /// - Parameters:
  ///   - folder: absolute; made if it is missing, 0700.
  ///   - environment: nil: our own. Scripts get PATH HOME LANG TZ of it; attached programs (ssh) also what the agent
  ///     and the user's configuration need.
  public init(folder: String, keeper: KeeperProgram = KeeperProgram(), environment: [String: String]? = nil) {
    let environment = environment ?? Environment.all
    self.folder = folder
    self.keeper = keeper
    var base = environment.filter { ["HOME", "LANG", "TZ", "PATH"].contains($0.key) }
    if base["PATH"] == nil { base["PATH"] = "/usr/local/bin:/usr/bin:/bin" }
    if base["HOME"] == nil, let home = User.home { base["HOME"] = home }
    detachedEnvironment = base
    let extra = environment.filter { ["SSH_AUTH_SOCK", "USER", "LOGNAME"].contains($0.key) }
    attachedEnvironment = base.merging(extra) { first, _ in first }
  }

  public func start(_ request: ScriptRequest) async throws(StepFailure) {
    let script = ScriptFolder(path: "\(folder)/\(request.key)")
    let link: KeeperLink
    do throws(PosixError) {
      let (opened, directory) = try open()
      link = opened
      guard try Folder.makeNew(script.path) else { return }
      try directory.synchronize()
    } catch {
      throw Self.failure("the script's folder in `\(folder)` could not be made", error)
    }
    var order = order(request, base: detachedEnvironment, in: script)
    order.input = request.script.map { Array(ShellText.program($0).utf8) }
    try await begin(order, on: link, in: script, request.tenure)
  }

  func order(_ request: ScriptRequest, base: [String: String], in script: ScriptFolder) -> KeeperOrder {
    let own = request.environment.mapValues { $0.reveal() }
    let environment = base.merging(own) { _, own in own }.map { "\($0.key)=\($0.value)" }.sorted()
    return KeeperOrder(
      key: request.key, folder: script.path, command: request.command, environment: environment,
      workingDirectory: request.workingDirectory ?? "", input: nil, secretFile: nil, isAttached: false,
      timeoutMilliseconds: 0)
  }

  /// - Parameter tenure: asked now, when there is nothing left to do but start it.
  func begin(
    _ order: KeeperOrder, on link: KeeperLink, in script: ScriptFolder, _ tenure: (any Tenure)?
  ) async throws(StepFailure) {
    var order = order
    if let tenure {
      guard tenure.begin() else {
        script.remove()
        throw StepFailure.notCertainlyOurs
      }
      let (seconds, attoseconds) = tenure.until.elapsed.components
      order.notAfter = seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
    // The keeper has answered: it was started, or never will be.
    defer { tenure?.end() }
    switch await link.start(order) {
    case .started: return
    case .refused(_, KeeperOrder.Refusal.tooLate):
      script.remove()
      throw StepFailure.notCertainlyOurs
    case .refused(let reason, let code):
      script.remove()
      let isShortage = PosixError(code, in: "").isShortage
      throw StepFailure(isShortage ? .limit : .input, reason, effect: .none, retryable: isShortage)
    case .gone:
      throw StepFailure(
        .crashed, "the process that keeps the scripts ended while one was being started", effect: .unknown)
    }
  }

  public func state(of key: String) async throws(StepFailure) -> ScriptState {
    if opened.withLock({ $0?.link.isRunning(key) }) == true { return .running }
    return try await looking { () throws(PosixError) in try self.settledState(of: key) }
  }

  public func wait(for key: String, timeout: Duration) async throws(StepFailure) -> ScriptState {
    let limit = Monotonic.now + timeout
    if let link = opened.withLock({ $0?.link }) {
      switch await link.wait(for: key, until: limit) {
      case .ended(let ending): return .ended(ScriptFolder(path: "\(folder)/\(key)").end(ending))
      case .interrupted: return .running
      case .gone: break
      }
    }
    return try await waitOutside(for: key, until: limit)
  }

  /// Removes what is kept of a script: call it when its outcome is journaled.
  public func forget(_ key: String) async {
    opened.withLock { $0?.link.forget(key) }
    ScriptFolder(path: "\(folder)/\(key)").remove()
  }

  public func cancel(_ key: String, grace: Duration) async throws(StepFailure) {
    let script = ScriptFolder(path: "\(folder)/\(key)")
    let pid = opened.withLock { $0?.link.pid(of: key) }
    let left = try await looking { () throws(PosixError) -> Int in
      guard try self.settledState(of: key) == .running else { return 0 }
      if let family = try script.process?.family { return family.stop(grace: grace) }
      // A full disk has kept `process` from being written; we still know whom we started.
      guard let root = pid.flatMap({ ProcessIdentity($0) }) else { return 0 }
      return ProcessFamily(root: root).stop(grace: grace)
    }
    guard left == 0 else {
      throw StepFailure(.timeout, "\(left) processes of the script could not be ended", effect: .unknown)
    }
    // Nothing of it is left; its end may be a moment away from the disk.
    _ = try await wait(for: key)
  }
}

extension DetachedScripts {
  func open() throws(PosixError) -> (link: KeeperLink, directory: Descriptor) {
    let result = opened.withLock { opened -> Result<(link: KeeperLink, directory: Descriptor), PosixError> in
      if let known = opened, !known.link.isGone { return .success(known) }
      do throws(PosixError) {
        try Folder.make(folder)
        removeStrays()
        let new = (link: try KeeperLink(keeper), directory: try Descriptor.open(folder, O_RDONLY | O_DIRECTORY))
        opened = new
        return .success(new)
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  /// Output of attached programs whose engine was killed.
  private func removeStrays() {
    for name in FileReading.names(in: folder) where name.hasPrefix(Self.attachedPrefix) {
      let pid = name.dropFirst(Self.attachedPrefix.count).prefix { $0 != "-" }
      if let pid = Int32(pid), pid != getpid(), ProcessIdentity(pid) == nil {
        ScriptFolder(path: "\(folder)/\(name)").remove()
      }
    }
  }

  /// Blocking looks at folders and processes, on a thread of their own. What cannot be told now may be told later.
  private func looking<T: Sendable>(
    _ body: @escaping @Sendable () throws(PosixError) -> T
  ) async throws(StepFailure) -> T {
    let outcome = try await blocking { () -> Result<T, PosixError> in
      do throws(PosixError) { return .success(try body()) } catch { return .failure(error) }
    }
    do throws(PosixError) { return try outcome.get() } catch {
      throw StepFailure(.limit, "the script cannot be looked at: \(error)", effect: .unknown, retryable: true)
    }
  }

  func blocking<T: Sendable>(_ body: @escaping @Sendable () -> T) async throws(StepFailure) -> T {
    do throws(PosixError) {
      return try await Thread.run(body)
    } catch {
      throw StepFailure(.limit, "no thread could be started: \(error.reason)", retryable: true)
    }
  }

  static func failure(_ what: String, _ error: PosixError) -> StepFailure {
    StepFailure(
      error.isShortage || error.isDiskFull ? .limit : .input, "\(what): \(error.reason)", retryable: error.isShortage)
  }

  /// The state by the folder alone, once it is sure. May take a moment; never called where it would block others for
  /// long.
  private func settledState(of key: String) throws(PosixError) -> ScriptState {
    let script = ScriptFolder(path: "\(folder)/\(key)")
    // Between its start and `process`, and between its end and `rc`, a living keeper needs microseconds. Somebody
    // else's keeper may be at it just now: be patient before calling a script lost.
    var patience = 40
    while true {
      if let ending = try script.ending { return .ended(script.end(ending)) }
      guard try script.exists else { return .absent }
      let process = try script.process
      let state = process?.identity.state
      if state == .alive { return .running }
      // Gone: its keeper wrote `rc` before that, or never will.
      if state == .gone { return try script.ending.map { .ended(script.end($0)) } ?? .lost }
      // A keeper that lives will write `rc`, however busy the machine is.
      if state != .zombie || process?.keeper.state != .alive { patience -= 1 }
      if patience == 0 { return .lost }
      _ = try? Poll.wait(for: [], timeout: .milliseconds(25))
    }
  }

  /// Waits for a script of an earlier engine, whose keeper is none of ours.
  private func waitOutside(for key: String, until limit: Duration) async throws(StepFailure) -> ScriptState {
    let wake: (reader: Descriptor, writer: Descriptor)
    do throws(PosixError) { wake = try Descriptor.pipe() } catch {
      throw StepFailure(.limit, "the script cannot be watched: \(error.reason)", effect: .unknown, retryable: true)
    }
    let outcome = await withTaskCancellationHandler { () async -> Result<ScriptState, StepFailure> in
      do throws(StepFailure) {
        return .success(
          try await looking { () throws(PosixError) in try self.watch(key, until: limit, wake: wake.reader) })
      } catch { return .failure(error) }
    } onCancel: {
      try? wake.writer.write([0])
    }
    return try outcome.get()
  }

  /// Until it is no longer running, `limit` is over or `wake` has something to read.
  private func watch(_ key: String, until limit: Duration, wake: Descriptor) throws(PosixError) -> ScriptState {
    while true {
      let state = try settledState(of: key)
      guard state == .running, Monotonic.now < limit else { return state }
      // One that has ended just now is seen by the next look; so is a pid that was a stranger's when we opened it.
      guard let process = try ScriptFolder(path: "\(folder)/\(key)").process?.identity,
        let handle = try ProcessHandle.of(process)
      else { continue }
      let interests = [Poll.Interest(handle.descriptor.number, .readable), Poll.Interest(wake.number, .readable)]
      let ready = try Poll.wait(for: interests, timeout: limit - Monotonic.now)
      if ready[1] { return try settledState(of: key) }
    }
  }
}
