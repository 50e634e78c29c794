import Glibc
import Posix
public import Runbook
import Synchronization

/// Scripts as real processes, detached from the engine by a keeper (`ScriptKeeper`), each with a folder named by its
/// key (`ScriptFolder`).
///
/// That a script was started is on the disk before its program begins: what has no folder, or one without `process`,
/// was never started. Its keeper holds a lock in the folder as long as it keeps it; a script that no keeper keeps, of
/// which no process is left, and which has no `rc`, is `lost`, and nobody can tell how it ended.
public final class DetachedScripts: ScriptHost {
  let folder: String
  private let keeper: KeeperProgram
  private let detachedEnvironment: [String: String]
  let attachedEnvironment: [String: String]
  let counter = Atomic<UInt64>(0)
  /// How long a keeper may take to write down the end of a script that was ended.
  private let patience: Duration
  /// The link to the keeper; made when first needed.
  let opened = Mutex<KeeperLink?>(nil)
  /// Keys that a call of `start` is at work on.
  private let starting = Mutex<Set<String>>([])
  /// Told by `place`; the same as long as we live.
  let knownPlace = Mutex<String?>(nil)
  /// Proves that we live: taken before the first attached program.
  let ownLock = Mutex<(name: String, lock: FileLock)?>(nil)
  /// For tests that end this process between two steps of a start.
  private let probe: @Sendable (EnginePoint) -> Void

  /// - Parameters:
  ///   - folder: absolute; made if it is missing, 0700.
  ///   - environment: nil: our own. Scripts get PATH HOME LANG TZ of it; attached programs (ssh) also what the agent
  ///     and the user's configuration need.
  public convenience init(
    folder: String, keeper: KeeperProgram = KeeperProgram(), environment: [String: String]? = nil
  ) {
    self.init(folder: folder, keeper: keeper, environment: environment) { _ in }
  }

  package init(
    folder: String, keeper: KeeperProgram, environment: [String: String]?, patience: Duration = .seconds(10),
    probe: @escaping @Sendable (EnginePoint) -> Void
  ) {
    self.probe = probe
    self.patience = patience
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
    starting.withLock { _ = $0.insert(request.key) }
    defer { starting.withLock { _ = $0.remove(request.key) } }
    let script = ScriptFolder(path: "\(folder)/\(request.key)")
    let link: KeeperLink
    do throws(PosixError) { link = try open() } catch {
      throw Self.failure("the folder of the scripts `\(folder)` could not be used", error)
    }
    probe(.called)
    guard try await makeFolder(script, request.key) else { return }
    probe(.folderMade)
    var order = order(request, base: detachedEnvironment, in: script)
    order.input = request.script.map { Array(ShellText.program($0).utf8) }
    order.secretFile = request.secretFile.map { Array($0.reveal().utf8) }
    // At least a moment: 0 would be for ever.
    order.lifetimeMilliseconds = request.lifetime.map { max($0.boundedMilliseconds, 1) } ?? 0
    try await begin(order, on: link, in: script, request.tenure)
    probe(.answered)
  }

  /// - Returns: false if the script was started already.
  private func makeFolder(_ script: ScriptFolder, _ key: String) async throws(StepFailure) -> Bool {
    for _ in 0..<10 {
      do throws(PosixError) {
        if try script.make() { return true }
      } catch {
        throw Self.failure("the script's folder in `\(folder)` could not be made", error)
      }
      // One in which nothing was started is removed by the look.
      let state = try await looking { () throws(PosixError) in try self.settledState(of: key) }
      if state != .absent { return false }
    }
    return false
  }

  func order(_ request: ScriptRequest, base: [String: String], in script: ScriptFolder) -> KeeperOrder {
    let own = request.environment.mapValues { $0.reveal() }
    let environment = base.merging(own) { _, own in own }.map { "\($0.key)=\($0.value)" }.sorted()
    return KeeperOrder(
      key: request.key, folder: script.path, command: request.command, environment: environment,
      workingDirectory: request.workingDirectory ?? "", input: nil, secretFile: nil, password: nil, isAttached: false,
      lifetimeMilliseconds: 0, graceMilliseconds: request.grace.boundedMilliseconds)
  }

  /// - Parameter tenure: asked now, when there is nothing left to do but start it.
  func begin(
    _ order: KeeperOrder, on link: KeeperLink, in script: ScriptFolder, _ tenure: (any Tenure)?
  ) async throws(StepFailure) {
    var order = order
    order.environment.removeAll { $0.hasPrefix("RUNBOOK_SCRIPT=") }
    order.environment.append(ScriptFolder.mark(order.key))
    if let tenure {
      guard tenure.begin() else {
        script.remove()
        throw StepFailure.notCertainlyOurs
      }
      order.notAfter = Self.nanoseconds(tenure)
    }
    // The keeper has answered: it was started, or never will be.
    defer { tenure?.end() }
    let answer = await link.start(order, sent: { probe(.ordered) })
    switch answer {
    case .started: return
    case .refused(_, let code) where code == EEXIST && !order.isAttached: return
    case .refused(_, ETIME):
      script.remove()
      throw StepFailure.notCertainlyOurs
    case .refused(let reason, let code):
      if code != ESTALE { script.remove() }
      throw Self.failure(nil, PosixError(code, in: reason))
    case .gone where order.isAttached:
      throw StepFailure(
        .crashed, "the process that keeps the scripts ended while one was being started", effect: .unknown)
    case .gone:
      let key = order.key
      let state = try await looking { () throws(PosixError) in try self.settledState(of: key) }
      // If it was started, whoever waits for it finds its folder.
      guard state == .absent else { return }
      throw StepFailure(
        .crashed, "the process that keeps the scripts ended before it had started this one", effect: .none,
        retryable: true)
    }
  }

  /// When the run may belong to another process, on the boot-time clock.
  static func nanoseconds(_ tenure: any Tenure) -> Int {
    let (seconds, attoseconds) = tenure.until.elapsed.components
    return Int(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
  }

  public func state(of key: String) async throws(StepFailure) -> ScriptState {
    if starting.withLock({ $0.contains(key) }) { return .running }
    if opened.withLock({ $0?.isRunning(key) }) == true { return .running }
    return try await looking { () throws(PosixError) in try self.settledState(of: key) }
  }

  public func wait(for key: String, timeout: Duration) async throws(StepFailure) -> ScriptState {
    let limit = Monotonic.now + timeout
    if let link = opened.withLock({ $0 }) {
      switch await link.wait(for: key, until: limit) {
      case .ended(let ending): return .ended(ScriptFolder(path: "\(folder)/\(key)").end(ending))
      case .interrupted: return .running
      case .gone: break
      }
    }
    return try await waitOutside(for: key, until: limit)
  }

  /// Removes what is kept of a script: call it when its outcome is journaled. The folder of one that runs all the same
  /// stays: without it nobody could tell that it does.
  public func forget(_ key: String) async {
    opened.withLock { $0?.forget(key) }
    let script = ScriptFolder(path: "\(folder)/\(key)")
    if (try? FileLock.isHeld(script.lockPath)) != .some(.some(true)) { script.remove() }
  }

  public func cancel(_ key: String, grace: Duration) async throws(StepFailure) {
    let script = ScriptFolder(path: "\(folder)/\(key)")
    let pid = opened.withLock { $0?.pid(of: key) }
    let left = try await looking { () throws(PosixError) -> Int in
      guard try self.settledState(of: key) == .running else { return 0 }
      // If we are killed on the way, the next one knows that it is not enough that the program itself has ended.
      do throws(PosixError) { try script.write("stop", to: "stop") } catch {
        if !error.isExisting && !error.isDiskFull { throw error }
      }
      if let family = try script.process?.family(key) { return family.stop(grace: grace) }
      // It is just being started by somebody: there is no telling whom to end.
      guard let root = pid.flatMap({ ProcessIdentity($0) }) else { return 0 }
      return ProcessFamily(root: root, mark: ScriptFolder.mark(key)).stop(grace: grace)
    }
    guard left == 0 else {
      throw StepFailure(.timeout, "\(left) processes of the script could not be ended", effect: .unknown)
    }
    // Nothing of it is left; its end may be a moment away from the disk.
    guard try await wait(for: key, timeout: patience) == .running, !Task.isCancelled else { return }
    guard try await looking({ () throws(PosixError) in try script.recordStop(of: key) }) else {
      throw StepFailure(
        .timeout, "the process that keeps the script does not answer: whether the script still runs is not known",
        effect: .unknown)
    }
  }
}

extension DetachedScripts {
  func open() throws(PosixError) -> KeeperLink {
    let result = opened.withLock { opened -> Result<KeeperLink, PosixError> in
      if let known = opened, !known.isGone { return .success(known) }
      do throws(PosixError) {
        try Folder.make(folder)
        removeStrays()
        let new = try KeeperLink(keeper)
        opened = new
        return .success(new)
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  /// Blocking looks at folders and processes, on a thread of their own. What cannot be told now may be told later.
  func looking<T: Sendable>(
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

  /// - Parameter what: nil: the call that failed says it.
  static func failure(_ what: String?, _ error: PosixError) -> StepFailure {
    let isShortage = error.isShortage || error.isDiskFull
    return StepFailure(
      isShortage ? .limit : error.code == ESTALE ? .crashed : .input,
      what.map { "\($0): \(error.reason)" } ?? error.call, effect: .none, retryable: isShortage)
  }
}
