import Runbook

/// How a script ended, as expressions and people read it.
struct ScriptResult {
  static let members: [String: ValueType] = ["stdout": .string, "stderr": .string, exitCode: .int]
  /// The member by which an author may judge a script.
  static let exitCode = "exit_code"
  /// Of each stream, in `error.detail`: lines, and bytes.
  static let excerpt = (lines: 20, bytes: 2048)
  /// So much of its end is masked to find them. No form of a secret is longer.
  private static let window = 256 << 10

  let end: ScriptEnd
  private let mask: @Sendable ([UInt8]) -> [UInt8]
  private let acceptsAnyExitCode: Bool

  /// - Parameters:
  ///   - mask: masks the run's secrets (`ActionCall.mask`).
  ///   - acceptsAnyExitCode: the author decides about it.
  init(_ end: ScriptEnd, mask: @escaping @Sendable ([UInt8]) -> [UInt8], acceptsAnyExitCode: Bool = false) {
    self.end = end
    self.mask = mask
    self.acceptsAnyExitCode = acceptsAnyExitCode
  }

  init(_ end: ScriptEnd, of call: ActionCall) throws(StepFailure) {
    let acceptsAny = try call.with.bool(EngineField.acceptsAny(Self.exitCode)) ?? false
    self.init(end, mask: call.mask, acceptsAnyExitCode: acceptsAny)
  }

  /// - Throws: `exit_code` unless it ended with 0, or with any exit code if the author decides about it. What it did
  ///   before stays done, so the effect is `applied`.
  func get(of subject: String) throws(StepFailure) -> ActionResult {
    if end.exitCode == 0 || acceptsAnyExitCode && end.exitCode != nil { return ActionResult(result: members) }
    let ending =
      switch (end.exitCode, end.signal) {
      case (let code?, _): "ended with exit code \(code)"
      case (nil, let signal?): "was ended by \(SignalName.of(signal))"
      case (nil, nil): "ended without an exit code"
      }
    throw StepFailure(.exitCode, "\(subject) \(ending)", effect: .applied, detail: detail)
  }

  var members: [String: Value] {
    [
      "stdout": Self.value(of: end.output, .stdout), "stderr": Self.value(of: end.errors, .stderr),
      "exit_code": .int(Int64(end.exitCode ?? -1)),
    ]
  }

  private var detail: [String: Value] {
    [
      "exit_code": end.exitCode.map { .int(Int64($0)) } ?? .null,
      "signal": end.signal.map { .string(SignalName.of($0)) } ?? .null,
      "stdout": .string(cut(end.output)), "stderr": .string(cut(end.errors)),
    ]
  }

  /// The last lines. Masked first and cut afterwards: a secret that is cut in two is not found any more.
  private func cut(_ output: OutputBytes) -> String {
    let end = output.end(limit: Self.window)
    let masked = PlantedMistake.cutBeforeMasking.isMade ? mask(Array(end.suffix(Self.excerpt.bytes))) : mask(end)
    let text = (masked.last == 0x0a ? masked.dropLast() : masked[...]).suffix(Self.excerpt.bytes)
    let lines = text.split(separator: 0x0a, omittingEmptySubsequences: false).suffix(Self.excerpt.lines)
    return String(decoding: Array(lines.joined(separator: [0x0a])), as: UTF8.self)
  }

  /// A long one is read when an expression needs it.
  private static func value(of output: OutputBytes, _ stream: OutputStream) -> Value {
    let count = output.count
    guard count > OutputLimit.inline else {
      return .string(StoredText.text(of: output.all() ?? OutputLimit.marker(leftOut: output.total)))
    }
    return .stored(
      StoredText(stream: stream, count: count) {
        guard let bytes = output.all() else { return .failure(.unreadable("the output of the script is gone")) }
        return .success(StoredText.text(of: bytes))
      })
  }
}

enum SignalName {
  private static let names: [Int32: String] = [
    1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE", 9: "SIGKILL",
    11: "SIGSEGV", 13: "SIGPIPE", 14: "SIGALRM", 15: "SIGTERM", 24: "SIGXCPU", 25: "SIGXFSZ",
  ]
  static func of(_ signal: Int32) -> String { names[signal] ?? "signal \(signal)" }
}
