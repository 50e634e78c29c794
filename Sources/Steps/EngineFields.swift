import Runbook

/// What the engine hands to an action beside the author's fields. Their names cannot be written in a runbook.
enum EngineField {
  /// The evaluated `env` of the step: a map of text or secret.
  static let environment = "_env"
  /// The pinned content of `script_file`.
  static let script = "_script"
  /// Absolute path of the runbook's folder.
  static let folder = "_cwd"
  /// With `host_key: rescue`: the servers that the run has put into rescue, with the instant, and the run's id.
  static let rescued = "_rescued"
  static let run = "_run"
  /// True when the author's `expect` or `until` reads this member of `result`: then no value of it is a failure by
  /// itself (`ActionDeclaration.judgedMember`).
  static func acceptsAny(_ member: String) -> String { "_accept_any_" + member }
}

extension Arguments {
  /// A path of the author's, resolved against the runbook's folder.
  func inFolder(_ path: String) throws(StepFailure) -> String {
    if path.hasPrefix("/") { return path }
    guard path != "~", !path.hasPrefix("~/") else {
      throw StepFailure.unfit("`\(path)`: `~` is not replaced by a home folder; write the whole path")
    }
    guard let folder = try optionalText(EngineField.folder) else { return path }
    return folder.hasSuffix("/") ? folder + path : folder + "/" + path
  }

  /// The step's `env`. Numbers and booleans are written as an author would; anything else is refused by name.
  func environment() throws(StepFailure) -> [String: Secret] {
    guard let entries = self[EngineField.environment]?.map else { return [:] }
    var environment: [String: Secret] = [:]
    for (name, value) in entries {
      guard EnvironmentName.isValid(name) else {
        throw StepFailure.unfit(
          "`env`: a variable's name is letters, digits and `_`, and does not begin with a digit")
      }
      let text = try Self.environmentText(value, name: name)
      guard !text.reveal().utf8.contains(0) else { throw StepFailure.unfit("`env.\(name)` holds a NUL byte") }
      guard text.reveal().utf8.count < EnvironmentName.longestValue - name.utf8.count else {
        throw StepFailure.unfit(
          "`env.\(name)` is \(text.reveal().utf8.count) bytes long, and the system takes at most 128 KiB: "
            + "give the script a file")
      }
      environment[name] = text
    }
    return environment
  }

  private static func environmentText(_ value: Value, name: String) throws(StepFailure) -> Secret {
    switch value {
    case .secret(let secret): return secret
    case .string(let text): return Secret(text, named: [])
    case .int(let number): return Secret(String(number), named: [])
    case .double(let number): return Secret("\(number)", named: [])
    case .bool(let flag): return Secret(flag ? "true" : "false", named: [])
    default: throw StepFailure.unfit("`env.\(name)` must be text")
    }
  }
}

enum EnvironmentName {
  /// Of name, sign and value, with the byte that ends them: Linux takes no longer one.
  static let longestValue = 128 << 10

  static func isValid(_ name: String) -> Bool {
    guard let first = name.utf8.first, name.utf8.count <= 255, !isDigit(first) else { return false }
    return name.utf8.allSatisfy { isDigit($0) || isLetter($0) || $0 == UInt8(ascii: "_") }
  }
  private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
  private static func isLetter(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
  }
}
