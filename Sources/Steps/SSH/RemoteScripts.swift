public import Runbook

/// A script that another machine keeps: one that runs, or one of which output is left.
public struct KeptRemoteScript: Sendable, Equatable {
  /// Of the step's attempt; begins with the run's id.
  public let key: String
  /// `absent`, `starting`, `running`, `unkept` (it runs, and its keeper is gone), `ended`, `lost` (over, and how is not
  /// known) or `rebooted` (the machine was booted while it ran).
  public let state: String
  /// nil: it has not ended, or was ended by a signal that nobody saw.
  public let exitCode: Int32?
  /// `exited`, `timeout` or `cancelled`; nil: it has not ended.
  public let cause: String?
  /// Since its start, by that machine's clock; nil: it was not started.
  public let age: Duration?
  /// Bytes of its output that lie there.
  public let bytes: Int64
  /// Absolute path on the other machine.
  public let folder: String

  public var isRunning: Bool { ["starting", "running", "unkept"].contains(state) }
  /// The id of the run that started it.
  public var run: String { ScriptKey.run(of: key) ?? key }

  /// - Parameter line: key, state, code, cause, seconds, bytes of both streams, folder.
  init?(_ line: String) {
    let words = line.split(separator: " ", maxSplits: 7, omittingEmptySubsequences: false).map(String.init)
    // The key becomes a word of an order again.
    guard words.count == 8, ScriptKey.run(of: words[0]) != nil, words[0].utf8.allSatisfy(Self.isOfAKey),
      let stdout = Int64(words[5]), stdout >= 0, let stderr = Int64(words[6]), stderr >= 0
    else { return nil }
    key = words[0]
    state = words[1]
    exitCode = Int32(words[2])
    cause = words[3] == "-" ? nil : words[3]
    age = Int64(words[4]).map { .seconds(max(0, min($0, 1 << 40))) }
    bytes = stdout.addingReportingOverflow(stderr).partialValue
    folder = words[7]
  }

  private static func isOfAKey(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
      UInt8(ascii: "_"):
      true
    default: false
    }
  }
}

/// The scripts that another machine keeps for one login.
public struct RemoteScripts: Sendable {
  private let remote: RemoteScript

  /// - Parameters:
  ///   - with: fields of `ssh.*` that lead there.
  ///   - program: the OpenSSH client.
  ///   - world: starts it, and has the clock.
  ///   - time: how long one order may take.
  /// - Throws: `input` for a field that cannot be what it is.
  public init(
    _ with: [String: Value], over program: SSHProgram, in world: RunWorld, within time: Duration = .seconds(60)
  ) throws(StepFailure) {
    let call = ActionCall(
      with: Arguments(with), key: "scripts", runID: "scripts", clock: world.clock, transport: world.transport,
      scripts: world.scripts, files: world.files, deadline: world.clock.now + time)
    remote = RemoteScript(try SSHCommand(program, call.with), call, grace: .zero)
  }

  /// - Parameter removing: keys of scripts of runs that are over: what they wrote goes before, unless they run.
  /// - Returns: in the order of their keys. At most 1000.
  public func list(removing keys: [String] = []) async throws(StepFailure) -> [KeptRemoteScript] {
    let outcome = try await remote.session(
      .forget(keys), share: .zero, until: remote.call.deadline, epoch: RemoteOrder.highestEpoch)
    switch outcome {
    case .answered(.listed(let scripts)): return scripts
    case .answered(let answer): throw remote.failure(answer)
    case .rejected(let failure), .cut(let failure): throw failure
    }
  }
}
