import Runbook

extension SSHCommand {
  /// The one place that opens a channel to another machine: runs `words` there, which are ours and never an author's.
  ///
  /// It goes over the connection that an earlier step of the run has opened, or opens one that is kept; over one of its
  /// own if none can be kept. That changes nothing about what an end means.
  ///
  /// - Parameters:
  ///   - wrapping: makes the command that is started of the client's own: one that feeds it, or reads it. It ends as
  ///     the client does, and is started anew if nothing was run.
  ///   - reading: handed what the command writes to stdout, in pieces, while it writes; nil: only the end tells.
  /// - Throws: `timeout` when `deadline` came first, `cancelled`; both with the effect `unknown`.
  func run(
    _ words: [String], input: Secret?, until deadline: Timestamp, _ call: ActionCall,
    wrapping: (([String]) -> [String])? = nil, reading: (@Sendable ([UInt8]) -> Void)? = nil
  ) async throws(StepFailure) -> ScriptEnd {
    let words = becoming(words)
    let wrap = wrapping ?? { $0 }
    if isShared, let connections = program.connections {
      // A connection that has ended, and a server that lets in no more of them, take a turn each.
      for _ in 0..<4 {
        switch try await connections.way(to: self, until: deadline, call) {
        case .none: return try await alone(wrap(argv(running: words)), input, until: deadline, call, reading)
        case .failed(let end): return end
        case .shared(let connection):
          let log = connection.newLog()
          let client = sharingArgv(socket: SSHConnection.socket, log: log, running: words)
          let end = try await shared(connection, log, wrap(client), input, until: deadline, call, reading)
          if let end { return end }
        }
      }
    }
    return try await alone(wrap(argv(running: words)), input, until: deadline, call, reading)
  }

  private func alone(
    _ command: [String], _ input: Secret?, until deadline: Timestamp, _ call: ActionCall,
    _ reading: (@Sendable ([UInt8]) -> Void)?
  ) async throws(StepFailure) -> ScriptEnd {
    var request = ScriptRequest(key: call.key, command: command, secretFile: key)
    request.password = password
    request.reading = reading
    let left = max(deadline - call.clock.now, .milliseconds(1))
    do throws(StepFailure) {
      return try await call.scripts.run(request, stdin: input, timeout: left)
    } catch {
      throw Self.unstarted(error)
    }
  }

  /// - Returns: nil if the words were certainly not run.
  private func shared(
    _ connection: SSHConnection, _ log: String, _ command: [String], _ input: Secret?, until deadline: Timestamp,
    _ call: ActionCall, _ reading: (@Sendable ([UInt8]) -> Void)?
  ) async throws(StepFailure) -> ScriptEnd? {
    let left = max(deadline - call.clock.now, .milliseconds(1))
    connection.live(for: left)
    defer { connection.leave(log) }
    var request = ScriptRequest(key: call.key, command: command, workingDirectory: connection.folder)
    request.reading = reading
    var end: ScriptEnd
    do throws(StepFailure) {
      end = try await call.scripts.run(request, stdin: input, timeout: left)
    } catch {
      // Its folder is gone.
      if error.kind == .input, error.effect == .none {
        connection.giveUp()
        return nil
      }
      if error.kind == .timeout, !connection.told(in: log).isBegun { connection.giveUp() }
      throw error
    }
    let told = connection.told(in: log)
    if !told.isBegun, end.exitCode == 255 {
      if told.isFull {
        connection.learnLimit()
        return nil
      }
      connection.giveUp()
      if told.isRefused { return nil }
      if told.isLost, await connection.hasEndedByItself(call.clock) { return nil }
    }
    end.stderr = told.transcript(login: connection.login, end.stderr)
    return end
  }

  static func unstarted(_ error: StepFailure) -> StepFailure {
    guard error.kind == .input else { return error }
    return StepFailure(.input, "the OpenSSH client could not be started: \(error.message)")
  }

  /// The same as another user. Whoever has logged in as that user needs no `sudo`.
  private func becoming(_ words: [String]) -> [String] {
    guard let become else { return words }
    let work = words.joined(separator: " ")
    let text =
      "test \"`id -un`\" = \(become) && exec \(work); exec sudo -n -H -u \(become) -- \(work)"
    return ["/bin/sh", "-c", ShellText.quoted(text)]
  }
}
