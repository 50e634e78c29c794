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
  ///   - expectsMore: another call with the same words is likely to follow soon. Its client is started early.
  ///   - reading: handed what the command writes to stdout, in pieces, while it writes; nil: only the end tells.
  /// - Throws: `timeout` when `deadline` came first, `cancelled`; both with the effect `unknown`.
  func run(
    _ words: [String], input: Secret?, until deadline: Timestamp, _ call: ActionCall,
    wrapping: (([String]) -> [String])? = nil, expectsMore: Bool = false,
    reading: (@Sendable ([UInt8]) -> Void)? = nil
  ) async throws(StepFailure) -> ScriptEnd {
    // Nobody becomes another user before there is a reason.
    let mayBeEarly = become == nil && wrapping == nil
    let words = becoming(words)
    let wrap = wrapping ?? { $0 }
    if isShared, let connections = program.connections {
      // A connection that has ended, and a server that lets in no more of them, take a turn each.
      for _ in 0..<4 {
        switch try await connections.way(to: self, until: deadline, call) {
        case .none: return try await alone(wrap(argv(running: words)), input, until: deadline, call, reading)
        case .failed(let end): return end
        case .shared(let connection):
          if mayBeEarly, let input, let early = await early(words, on: connection, call) {
            let end = try await served(early, connection, input, until: deadline, call, expectsMore, reading)
            if let end { return end }
            continue
          }
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
    let end: ScriptEnd
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
    return await judged(end, connection, log, call)
  }

  /// What the end of a client says that shares a connection. - Returns: nil if its words were certainly not run.
  private func judged(
    _ end: ScriptEnd, _ connection: SSHConnection, _ log: String, _ call: ActionCall
  ) async -> ScriptEnd? {
    var end = end
    let told = connection.told(in: log)
    if told.isOver { connection.noteAnswer() }
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

  /// A client that awaits its order: one that was started early, or the first of them.
  private func early(_ words: [String], on connection: SSHConnection, _ call: ActionCall) async -> SSHEarlyClient? {
    if let early = connection.takeEarly(words) { return early }
    guard connection.shallStartEarly() else { return nil }
    let early = await startEarly(words, on: connection, call)
    connection.keepEarly(nil)
    return early
  }

  /// Gives the order to a client that awaits it, and starts the next one while the other side works.
  /// - Returns: nil if the order was certainly not carried out.
  private func served(
    _ early: SSHEarlyClient, _ connection: SSHConnection, _ input: Secret, until deadline: Timestamp,
    _ call: ActionCall, _ expectsMore: Bool, _ reading: (@Sendable ([UInt8]) -> Void)?
  ) async throws(StepFailure) -> ScriptEnd? {
    let left = max(deadline - call.clock.now, .milliseconds(1))
    connection.live(for: left)
    defer { connection.leave(early.log) }
    guard early.program.feed(input, life: left) else {
      // The next one is started for its order.
      connection.forgetAnswer()
      if connection.told(in: early.log).isFull { connection.startNoneEarly() }
      return nil
    }
    if expectsMore, connection.shallStartEarly() {
      connection.keepEarly(await startEarly(early.words, on: connection, call))
    }
    let end: ScriptEnd
    do throws(StepFailure) { end = try await early.program.end(reading: reading) } catch {
      if error.kind == .timeout, !connection.told(in: early.log).isBegun { connection.giveUp() }
      throw error
    }
    // It was refused while another one had its place.
    if connection.told(in: early.log).isFull, connection.startNoneEarly() { return nil }
    return await judged(end, connection, early.log, call)
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
