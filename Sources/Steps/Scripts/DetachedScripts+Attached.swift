import Glibc
import Posix
public import Runbook
import Synchronization

/// Programs that end with the call (ssh), and connections.
extension DetachedScripts {
  /// From TERM to KILL.
  private static let attachedGrace = Duration.seconds(2)

  public func run(_ request: ScriptRequest, stdin: Secret?, timeout: Duration) async throws(StepFailure) -> ScriptEnd {
    let (key, script, link) = try makeAttached()
    defer {
      link.forget(key)
      script.remove()
    }
    var order = attachedOrder(request, key, in: script, life: timeout)
    order.input = stdin.map { Array($0.reveal().utf8) } ?? []
    try await begin(order, on: link, in: script, request.tenure)
    return try await end(of: key, on: link, in: script, request)
  }

  /// Waits for the end of an attached program. Ends it if the task is cancelled.
  func end(
    of key: String, on link: KeeperLink, in script: ScriptFolder, _ request: ScriptRequest
  ) async throws(StepFailure) -> ScriptEnd {
    switch await wait(for: key, on: link, in: script, handingTo: request.reading) {
    case .ended(let ending) where ending.cause == .timedOut:
      throw StepFailure(.timeout, "`\(request.command.first ?? "")` ran out of time and was stopped", effect: .unknown)
    case .ended(let ending):
      // Its folder goes with this call.
      let end = script.end(ending)
      return try await blocking {
        ScriptEnd(exitCode: end.exitCode, signal: end.signal, stdout: end.stdout, stderr: end.stderr)
      }
    case .interrupted:
      let identity = link.pid(of: key).flatMap { ProcessIdentity($0) }
      _ = try await blocking {
        identity.map { ProcessFamily(root: $0, mark: ScriptFolder.mark(key)).stop(grace: Self.attachedGrace) }
      }
      throw StepFailure(.cancelled, "`\(request.command.first ?? "")` was stopped", effect: .unknown)
    case .gone:
      throw StepFailure(.crashed, "the process that keeps the scripts ended while one was running", effect: .unknown)
    }
  }

  public func hold(_ request: ScriptRequest, life: Duration) async throws(StepFailure) -> (any HeldProgram)? {
    let (key, script, link) = try makeAttached()
    let program = AttachedProgram(key: key, script: script, link: link, request, of: self)
    var request = request
    if request.workingDirectory == nil { request.workingDirectory = script.path }
    var order = attachedOrder(request, key, in: script, life: life)
    order.awaitsInput = request.awaitsInput
    try await begin(order, on: link, in: script, request.tenure)
    return program
  }

  private func makeAttached() throws(StepFailure) -> (String, ScriptFolder, KeeperLink) {
    do throws(PosixError) {
      let link = try open()
      let key = try attachedName()
      let script = ScriptFolder(path: "\(folder)/\(key)")
      _ = try Folder.makeNew(script.path)
      return (key, script, link)
    } catch {
      throw Self.failure("a folder in `\(folder)` could not be made", error)
    }
  }

  private func attachedOrder(
    _ request: ScriptRequest, _ key: String, in script: ScriptFolder, life: Duration
  ) -> KeeperOrder {
    var order = order(request, base: attachedEnvironment, in: script)
    order.key = key
    order.secretFile = request.secretFile.map { Array($0.reveal().utf8) }
    order.password = request.password.map { Array($0.reveal().utf8) }
    order.isAttached = true
    order.lifetimeMilliseconds = max(life.boundedMilliseconds, 1)
    order.graceMilliseconds = Self.attachedGrace.boundedMilliseconds
    return order
  }

  /// How often what a program writes is handed over while it runs.
  private static let rhythm = Duration.milliseconds(100)

  private func wait(
    for key: String, on link: KeeperLink, in script: ScriptFolder, handingTo reading: (@Sendable ([UInt8]) -> Void)?
  ) async -> KeeperLink.Wait {
    guard let reading else { return await link.wait(for: key, until: .seconds(Int64.max >> 2)) }
    var count = 0
    while true {
      let wait = await link.wait(for: key, until: Monotonic.now + Self.rhythm)
      // Beyond the head of the file is the ring, whose bytes have other places.
      while count < ScriptOutput.head {
        let (start, limit) = (count, min(1 << 20, ScriptOutput.head - count))
        let handed = try? await blocking { () -> Int in
          let bytes = script.written(from: start, limit: limit)
          if !bytes.isEmpty { reading(bytes) }
          return bytes.count
        }
        guard let handed, handed > 0 else { break }
        count += handed
      }
      if wait != .interrupted || Task.isCancelled { return wait }
    }
  }

  public func connect(host: String, port: Int, timeout: Duration) async throws(StepFailure) {
    enum Answer: Sendable { case open, failed(TCPFailure), cancelled }
    let promise = Promise<Answer>()
    do throws(PosixError) {
      try Thread.start {
        do throws(TCPFailure) {
          try TCP.probe(host: host, port: port, timeout: timeout)
          promise.give(.open)
        } catch {
          promise.give(.failed(error))
        }
      }
    } catch {
      throw StepFailure(.limit, "no thread could be started to connect: \(error.reason)", retryable: true)
    }
    // A look-up cannot be interrupted: it is left to its thread.
    let answer = await withTaskGroup(of: Answer.self) { group in
      // Two, of which the first to end decides: the answer of the thread, and the time it may take.
      group.addTask { await promise.value(whenCancelled: .cancelled) }
      group.addTask {
        try? await Task.sleep(for: timeout + .milliseconds(100))
        return Task.isCancelled ? .cancelled : .failed(.timeout)
      }
      defer { group.cancelAll() }
      return await group.next() ?? .cancelled
    }
    switch answer {
    case .open: return
    case .cancelled: throw StepFailure(.cancelled, "the connection attempt was cancelled")
    case .failed(let failure):
      throw StepFailure(.unreachable, "\(host):\(port) \(failure.reason)", retryable: true)
    }
  }
}
