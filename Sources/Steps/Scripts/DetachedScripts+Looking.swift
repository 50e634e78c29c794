import Glibc
import Posix
import Runbook

/// What can be told of a script by its folder, whoever has started it.
extension DetachedScripts {
  /// The state by the folder alone. Never called where it would block others for long.
  func settledState(of key: String) throws(PosixError) -> ScriptState {
    let script = ScriptFolder(path: "\(folder)/\(key)")
    // Between two of these looks it may have gone on; it does so a few times at most.
    for _ in 0..<40 {
      if let ending = try script.ending {
        let isStopping = try script.isBeingStopped
        let process = try script.process
        return isStopping && process?.hasSurvivors(key) == true ? .running : .ended(script.end(ending))
      }
      guard try script.exists else { return .absent }
      if try FileLock.isHeld(script.lockPath) == true { return try script.removeLate() ? .absent : .running }
      if let process = try script.process {
        if process.isAlive(key) { return .running }
        // Its keeper wrote `rc` before it let go of it, or never will.
        let ending = try script.ending
        let isThere = try script.process != nil
        if ending == nil, isThere { return .lost }
      } else if try script.ending == nil {
        // Emptied, or made before the machine was booted: nobody can tell whether something was started in it.
        guard try script.isOfThisBoot else {
          if try script.exists { return .lost }
          continue
        }
        if try script.removeUnstarted() { return .absent }
      }
      _ = try? Poll.wait(for: [], timeout: .milliseconds(5))
    }
    return .running
  }

  /// Waits for a script of an earlier engine, whose keeper is none of ours.
  func waitOutside(for key: String, until limit: Duration) async throws(StepFailure) -> ScriptState {
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
      // One that has ended just now is seen by the next look. Others of its family, and those of another pid
      // namespace, are looked at again and again.
      guard let process = try ScriptFolder(path: "\(folder)/\(key)").process?.identity,
        let handle = try ProcessHandle.of(process)
      else {
        let ready = try Poll.wait(for: [.init(wake.number, .readable)], timeout: .milliseconds(50))
        if ready[0] { return try settledState(of: key) }
        continue
      }
      let interests = [Poll.Interest(handle.descriptor.number, .readable), Poll.Interest(wake.number, .readable)]
      let ready = try Poll.wait(for: interests, timeout: limit - Monotonic.now)
      if ready[1] { return try settledState(of: key) }
    }
  }
}
