/// Words that other tools use for what has a word of its own here, and words of this language that have to wait. Both
/// are refused by name: a step that looks guarded and is not is worse than one that does not load.
enum LaterFeatures {
  /// Keys of steps and of the top level that are not supported yet.
  static let keys: Set<String> = ["schedule"]
  /// Built-in actions of the language that are not built yet. What clouds can do, their tables say.
  static let actions: Set<String> = ["report.publish"]

  /// Never part of v1.
  private static let absent: [String: String] = [
    "targets": "name the servers in `inputs`", "before": "steps run in the order of the file",
    "after": "steps run in the order of the file", "windows": "start the run when the window begins",
  ]

  /// What to write here, for the words of other tools.
  private static let habits: [String: String] = [
    "uses": "write `action: NAME` with `with:`", "needs": order,
    "depends_on": order, "when": "write `if: EXPRESSION`",
    "register": "take it out: read `steps.ID.outputs` of a step with an `id`", "loop": each, "with_items": each,
    "foreach": each, "matrix": each, "strategy": each, "include": call, "include_tasks": call, "import_tasks": call,
    "script": "write `run: TEXT`", "shell": "write `run: TEXT`", "command": "write `run: {command: [WORD, …]}`",
    "args": "write `run: {command: [WORD, …]}`", "failed_when": "write `expect: EXPRESSION` (what must hold)",
    "changed_when": "write `effect: none` for a step that changes nothing",
    "ignore_errors": "write `continue_on_error: true`", "continue-on-error": "write `continue_on_error: true`",
    "timeout-minutes": "write `timeout: 10m`", "timeoutSeconds": "write `timeout: 30s`",
    "retries": "write `retry: {attempts: 3}`", "delay": "write `retry: {delay: 5s}` or `wait: {every: 5s}`",
    "until": "write `wait: {until: EXPRESSION}`", "notify": "write a step of its own where it is due",
    "handlers": "write steps where they are due", "working-directory": "begin the script with `cd FOLDER`",
    "chdir": "begin the script with `cd FOLDER`", "finally": "write `always:` at the top level",
    "tasks": "write `steps:`", "jobs": "write `steps:`", "stages": "write `steps:`",
    "services": "write `steps:` that start them", "variables": "write `vars:`", "params": "write `inputs:`",
    "parameters": "write `inputs:`", "undo": "write `rollback:`", "compensate": "write `rollback:`",
    "on_error": "write `continue_on_error: true`", "environment": "write `env:`",
    "become": "for `ssh.run` write `with: {become: root}`; `run` runs as the user of the run",
    "hosts": "write `with: {host: NAME}` of `ssh.run`", "version": "write `runbook: v1`",
    "apiVersion": "write `runbook: v1`", "kind": "take it out: every file is a runbook",
    "metadata": "write `name:` and `labels:`", "spec": "write `steps:`",
    "on": "take it out: there are no triggers; start the run with `runbook run`",
  ]
  private static let each = "write `for_each: LIST`; the item is `item`"
  private static let call = "write `call: ./FILE.yaml`"
  private static let order = "take it out: steps run in the order of the file, and those under `parallel:` at once"

  /// A diagnostic for a key that is known, though not here or not yet.
  static func key(_ entry: Node.Entry) -> Diagnostic? {
    if keys.contains(entry.key) { return unsupported(entry.key, at: entry.keyRange) }
    if let instead = absent[entry.key] {
      return Diagnostic(
        .unsupported, at: entry.keyRange, "`\(entry.key)` is not part of the language", hint: instead)
    }
    guard let ours = habits[entry.key] else { return nil }
    return Diagnostic(
      .keyForeign, at: entry.keyRange, "`\(entry.key)` is a word of other tools", hint: ours)
  }

  static func unsupported(_ word: String, at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .unsupported, at: range, "`\(word)` is not supported yet", hint: "take it out; a later release will read it")
  }

  /// Habits inside expressions: `failure()`, `env.X`.
  static func expression(_ text: String, at range: SourceRange) -> Diagnostic? {
    for (call, ours) in [
      ("failure()", "put the steps under `on_failure:`"), ("always()", "put the steps under `always:`"),
      ("success()", "leave it out: steps run only when all before succeeded"),
      ("cancelled()", "read `failure.kind == 'cancelled'` in `on_failure` or `always`"),
    ] where text.contains(call) && !text.contains("." + call) {
      return Diagnostic(.keyForeign, at: range, "`\(call)` is a word of other tools", hint: ours)
    }
    if hasRoot("env", in: text) {
      return Diagnostic(
        .keyForeign, at: range, "expressions cannot read the environment (`env`)",
        hint: "declare an input (`inputs.x`) or a secret (`source: env`)")
    }
    if hasRoot("github", in: text) || hasRoot("params", in: text) {
      return Diagnostic(.keyForeign, at: range, "this is a name of other tools", hint: "here it is `inputs.NAME`")
    }
    return nil
  }

  /// `env.` or `env[` at the beginning of a name.
  private static func hasRoot(_ root: String, in text: String) -> Bool {
    let bytes = Array(text.utf8)
    let word = Array(root.utf8)
    guard bytes.count > word.count else { return false }
    for start in 0..<(bytes.count - word.count) where bytes[start] == word[0] && bytes[start...].starts(with: word) {
      let next = bytes[start + word.count]
      let previous = start > 0 ? bytes[start - 1] : 0x20
      let isMember =
        previous == UInt8(ascii: ".") || previous == UInt8(ascii: "_") || previous >= 0x30 && previous <= 0x39
      let isName = isMember || previous >= 0x61 && previous <= 0x7a || previous >= 0x41 && previous <= 0x5a
      if !isName, next == UInt8(ascii: ".") || next == UInt8(ascii: "[") { return true }
    }
    return false
  }
}
