import Glibc
import Posix
public import Runbook
import Synchronization

/// What scripts write, handed over while they write it.
extension DetachedScripts {
  /// Between two looks at what a running script has written; the first ones come sooner.
  private static let tick = Duration.milliseconds(250)
  /// A little less than the first tick of the link, which finds that it is over.
  private static let firstPause = Duration.milliseconds(20)
  /// So much is handed over where the caller runs.
  private static let little = 64 << 10

  public func wait(
    for key: String, timeout: Duration, output: any OutputSink
  ) async throws(StepFailure) -> ScriptState {
    let script = ScriptFolder(path: "\(folder)/\(key)")
    let state = try await state(of: key, in: script, timeout: timeout, handingTo: output)
    switch state {
    case .ended(let end):
      if end.output.total + end.errors.total <= DetachedScripts.little {
        end.hand(over: output)
      } else {
        try await blocking { end.hand(over: output) }
      }
    case .lost: _ = try await blocking { script.hand(over: output, limit: .max) }
    case .running, .absent: break
    }
    return state
  }

  private func state(
    of key: String, in script: ScriptFolder, timeout: Duration, handingTo output: any OutputSink
  ) async throws(StepFailure) -> ScriptState {
    let limit = Monotonic.now + timeout
    // Our own keeper tells of the end: then one task is enough.
    if let link = opened.withLock({ $0 }), link.isRunning(key) != nil {
      var pause = DetachedScripts.firstPause
      loop: while true {
        switch await link.wait(for: key, until: min(limit, Monotonic.now + pause)) {
        case .ended(let ending): return .ended(script.end(ending))
        case .interrupted where Task.isCancelled || Monotonic.now >= limit: return .running
        case .interrupted:
          await handOver(script, output)
          pause = min(pause * 2, DetachedScripts.tick)
        case .gone: break loop
        }
      }
    }
    let left = max(limit - Monotonic.now, .zero)
    let outcome = await withTaskGroup(of: Result<ScriptState, StepFailure>?.self) { group in
      // Two: whoever waits for the end, and whoever hands over what is written meanwhile, which ends with it.
      group.addTask {
        do throws(StepFailure) { return .success(try await self.wait(for: key, timeout: left)) } catch {
          return .failure(error)
        }
      }
      group.addTask {
        await self.follow(script, output)
        return nil
      }
      var outcome: Result<ScriptState, StepFailure>?
      while outcome == nil, let next = await group.next() { outcome = next }
      group.cancelAll()
      return outcome
    }
    return try outcome?.get() ?? .running
  }

  /// Until the task is cancelled. The last 32 MiB lie in a ring, which is read when the script has ended.
  private func follow(_ script: ScriptFolder, _ output: any OutputSink) async {
    var pause = KeeperLink.ticks.first
    while !Task.isCancelled {
      try? await Task.sleep(for: pause)
      pause = min(pause * 2, DetachedScripts.tick)
      await handOver(script, output)
    }
  }

  private func handOver(_ script: ScriptFolder, _ output: any OutputSink) async {
    // One that writes much is followed without a pause.
    while !Task.isCancelled, script.hasMore(for: output) {
      let handed = try? await blocking { script.hand(over: output, limit: 8 << 20) }
      guard let handed, handed >= 8 << 20 else { break }
    }
  }

  public func forgetOutput(_ key: String) async {
    let script = ScriptFolder(path: "\(folder)/\(key)")
    guard let state = try? await state(of: key) else { return }
    switch state {
    case .ended, .lost: script.removeOutput()
    case .running, .absent: break
    }
  }
}

extension ScriptFolder {
  /// How much of the beginning of a stream is there.
  private func size(of stream: OutputStream) -> Int {
    var status = stat()
    guard unsafe stat("\(path)/\(stream.rawValue)", &status) == 0 else { return 0 }
    return min(Int(status.st_size), ScriptOutput.head)
  }

  fileprivate func hasMore(for sink: any OutputSink) -> Bool {
    OutputStream.allCases.contains { size(of: $0) > sink.position(of: $0) }
  }

  /// - Parameter limit: bytes of each stream.
  /// - Returns: bytes of both.
  @discardableResult
  fileprivate func hand(over sink: any OutputSink, limit: Int) -> Int {
    var handed = 0
    for stream in OutputStream.allCases {
      var position = sink.position(of: stream)
      var left = limit
      guard position < size(of: stream), let file = try? Descriptor.open("\(path)/\(stream.rawValue)", O_RDONLY) else {
        continue
      }
      while left > 0 {
        let wanted = min(left, 1 << 20, ScriptOutput.head - position)
        guard wanted > 0, let bytes = try? file.read(at: position, limit: wanted), !bytes.isEmpty else { break }
        sink.take(bytes, of: stream, at: position)
        position += bytes.count
        left -= bytes.count
        handed += bytes.count
      }
    }
    sink.publish()
    return handed
  }
}
