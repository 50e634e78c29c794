import Runbook

/// The script to run, as written under `run:` or in `with:` of `ssh.run`: exactly one of the three.
struct ScriptFields {
  static let declared = [
    Field(
      "script", .string, allowsInterpolation: false,
      help: "text for `/bin/sh -eu`, or for the program that a first line `#!…` names; values come in through `env`"),
    Field(
      "script_file", .string, allowsInterpolation: false, help: "a file with such a text, pinned when the run starts"),
    Field("command", .list, help: "a program and its arguments, with no shell: `[tar, -cf, data.tar, ./data]`"),
    Field(
      "grace", .duration,
      help: "from TERM to KILL, when its time is over or the run is cancelled; at most `10m`; default `10s`"),
  ]
  static let longestGrace = Duration.seconds(600)

  /// For `/bin/sh -eu`; nil when `command` is given.
  let script: String?
  let command: [String]?
  let grace: Duration

  static func grace(_ with: Arguments) throws(StepFailure) -> Duration {
    let grace = try with.duration("grace") ?? .seconds(10)
    guard grace >= .zero, grace <= longestGrace else { throw StepFailure(.input, "`grace` must be 0s to 10m") }
    return grace
  }

  init(_ with: Arguments) throws(StepFailure) {
    grace = try Self.grace(with)
    let given = ["script", "script_file", "command"].filter { with[$0] != nil }
    guard given.count == 1 else {
      throw StepFailure.unfit("exactly one of `script`, `script_file` and `command` must be given")
    }
    if given == ["command"] {
      script = nil
      command = try Self.argv(with)
      return
    }
    command = nil
    let field = given == ["script_file"] ? EngineField.script : "script"
    guard let text = try with.optionalText(field), !text.allSatisfy(\.isWhitespace) else {
      throw StepFailure.unfit(
        given == ["script_file"] ? "`script_file` was not read or is empty" : "`script` is empty")
    }
    guard !text.utf8.contains(0) else { throw StepFailure.unfit("the script holds a NUL byte") }
    script = text
  }

  static func argv(_ with: Arguments) throws(StepFailure) -> [String] {
    guard let items = with["command"]?.list else { throw StepFailure.unfit("`command` must be a list of words") }
    var argv: [String] = []
    for item in items {
      switch item {
      case .string(let word): argv.append(word)
      case .int(let number): argv.append(String(number))
      case .bool(let flag): argv.append(flag ? "true" : "false")
      default: throw StepFailure.unfit("`command`: element \(argv.count + 1) is not text")
      }
    }
    guard let program = argv.first, !program.isEmpty else {
      throw StepFailure.unfit("`command` must begin with the name of a program")
    }
    guard !argv.contains(where: { $0.utf8.contains(0) }) else {
      throw StepFailure.unfit("`command` holds a NUL byte")
    }
    return argv
  }
}
