import Runbook

/// A script that ends with its connection (`detached: false`, and steps that only read): what is sent, and what the
/// reply means.
struct SSHSession {
  /// Marks in the other side's output where the script begins and ends.
  let key: String
  /// Who runs it, by `sudo`; nil: the login.
  var become: String?

  private var beginning: String { "runbook \(key) begin" }
  private var ending: String { "runbook \(key) end" }

  /// What the other side's `/bin/sh` reads. One command in braces: it is read to its end before any of it runs, so a
  /// connection that breaks while it is sent has started nothing, and the mark of the beginning proves that all of it
  /// arrived.
  func program(_ script: String, environment: [String: Secret]) -> Secret {
    let variables = ScriptText.exports(environment)
    let work = "set -eu; \(variables)eval \(ShellText.quoted(script))"
    let text =
      "{ printf '\\n%s\\n' '\(beginning)'; printf '\\n%s\\n' '\(beginning)' >&2; set +e; ( \(work) ) </dev/null; "
      + "rc=$?; printf '\\n%s %s\\n' '\(ending)' \"$rc\" >&2; exit \"$rc\"; }\n"
    return Secret(text, named: environment.values.flatMap { $0.names })
  }

  /// What the client's end says about the script. The client itself ends with 255 when something is wrong with the
  /// connection; so may the script.
  func result(of end: ScriptEnd, at place: String, _ call: ActionCall) throws(StepFailure) -> ActionResult {
    let log = SSHLog(end.stderr, mask: call.mask)
    let began = log.position(after: "\n" + beginning + "\n")
    let ended = log.position(before: "\n" + ending + " ")
    let isAnswered = end.exitCode != nil && (end.exitCode != 255 || log.isOrderlyEnd)
    guard let began else {
      throw isAnswered ? log.rejection(at: place, stdout: end.stdout, become: become) : log.failure(at: place)
    }
    guard isAnswered || ended != nil else {
      throw StepFailure(
        .unreachable, "the connection to \(place) was lost while the script ran: whether it went on is not known",
        effect: .unknown, detail: log.detail)
    }
    var result = end
    let start = min(began, end.stderr.count)
    result.stderr = Array(end.stderr[start..<max(start, ended ?? end.stderr.count)])
    // What the login says before the mark is none of the script's.
    let mark = Array("\n\(beginning)\n".utf8)
    if let place = end.stdout.firstRange(of: mark) { result.stdout = Array(end.stdout[place.upperBound...]) }
    if let output = call.output { result.hand(over: output) }
    return try ScriptResult(result, of: call).get(of: "the script on \(place)")
  }
}
