import Runbook

/// How a script ended, as expressions and people read it.
struct ScriptResult {
  static let members: [String: ValueType] = ["stdout": .string, "stderr": .string, "exit_code": .int]
  /// Of each stream, in `error.detail`; in bytes.
  static let excerpt = 512

  let end: ScriptEnd
  private let mask: @Sendable ([UInt8]) -> [UInt8]

  /// - Parameter mask: masks the run's secrets (`ActionCall.mask`).
  init(_ end: ScriptEnd, mask: @escaping @Sendable ([UInt8]) -> [UInt8]) {
    self.end = end
    self.mask = mask
  }

  /// - Throws: `exit_code` unless it ended with 0. What it did before stays done, so the effect is `applied`.
  func get(of subject: String) throws(StepFailure) -> ActionResult {
    if end.exitCode == 0 { return ActionResult(result: members) }
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
      "stdout": .string(Self.text(end.stdout)), "stderr": .string(Self.text(end.stderr)),
      "exit_code": .int(Int64(end.exitCode ?? -1)),
    ]
  }

  private var detail: [String: Value] {
    [
      "exit_code": end.exitCode.map { .int(Int64($0)) } ?? .null,
      "signal": end.signal.map { .string(SignalName.of($0)) } ?? .null,
      "stdout": .string(Self.text(cut(end.stdout))),
      "stderr": .string(Self.text(cut(end.stderr))),
    ]
  }

  private func cut(_ output: [UInt8]) -> [UInt8] {
    if PlantedMistake.cutBeforeMasking.isMade { return mask(Array(output.suffix(Self.excerpt))) }
    return Array(mask(output).suffix(Self.excerpt))
  }

  /// Without one trailing newline; bytes that are no UTF-8 become U+FFFD.
  private static func text(_ bytes: [UInt8]) -> String {
    String(decoding: bytes.last == UInt8(ascii: "\n") ? bytes.dropLast() : bytes[...], as: UTF8.self)
  }
}

enum SignalName {
  private static let names: [Int32: String] = [
    1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE", 9: "SIGKILL",
    11: "SIGSEGV", 13: "SIGPIPE", 14: "SIGALRM", 15: "SIGTERM", 24: "SIGXCPU", 25: "SIGXFSZ",
  ]
  static func of(_ signal: Int32) -> String { names[signal] ?? "signal \(signal)" }
}
