import Runbook

extension SSHCommand {
  /// The one place that opens a channel to another machine: runs `words` there, which are ours and never an author's.
  ///
  /// - Parameters:
  ///   - wrapping: makes the command that is started of the client's own: one that feeds it, or reads it.
  ///   - reading: handed what the command writes to stdout, in pieces, while it writes; nil: only the end tells.
  /// - Throws: `timeout` when `deadline` came first, `cancelled`; both with the effect `unknown`.
  func run(
    _ words: [String], input: Secret?, until deadline: Timestamp, _ call: ActionCall,
    wrapping: (([String]) -> [String])? = nil, reading: (@Sendable ([UInt8]) -> Void)? = nil
  ) async throws(StepFailure) -> ScriptEnd {
    let client = argv(running: words)
    var request = ScriptRequest(key: call.key, command: wrapping?(client) ?? client, secretFile: key)
    request.reading = reading
    let left = max(deadline - call.clock.now, .milliseconds(1))
    do throws(StepFailure) {
      return try await call.scripts.run(request, stdin: input, timeout: left)
    } catch {
      guard error.kind == .input else { throw error }
      throw StepFailure(.input, "the OpenSSH client could not be started: \(error.message)")
    }
  }
}
