import Runbook

/// A script's way to another machine: what is sent, and what the reply means.
struct SSHSession {
  /// Marks in the other side's stderr where the script begins and ends.
  let key: String

  private var beginning: String { "runbook \(key) begin" }
  private var ending: String { "runbook \(key) end" }

  /// What the other side's `/bin/sh` reads. One logical line: it is read to its end before any of it runs, so a
  /// connection that breaks while it is sent has started nothing, and the mark of the beginning proves that all of it
  /// arrived.
  func program(_ script: String, environment: [String: Secret]) -> Secret {
    let variables = environment.sorted { $0.key < $1.key }.map { name, value in
      "\(name)=\(ShellText.quoted(value.reveal())); export \(name); "
    }
    let work = "set -eu; \(variables.joined())eval \(ShellText.quoted(script))"
    let text =
      "printf '%s\\n' '\(beginning)' >&2; set +e; ( \(work) ) </dev/null; "
      + "rc=$?; printf '\\n%s %s\\n' '\(ending)' \"$rc\" >&2; exit \"$rc\"\n"
    return Secret(text, named: environment.values.flatMap { $0.names })
  }

  /// What the client's end says about the script. The client itself ends with 255 when something is wrong with the
  /// connection; so may the script.
  func result(
    of end: ScriptEnd, at place: String, mask: @escaping @Sendable ([UInt8]) -> [UInt8],
    output: (any OutputSink)? = nil
  ) throws(StepFailure) -> ActionResult {
    let log = SSHLog(end.stderr, mask: mask)
    let began = log.position(after: beginning + "\n")
    let ended = log.position(before: "\n" + ending + " ")
    let isAnswered = end.exitCode != nil && end.exitCode != 255
    guard isAnswered || ended != nil else {
      if began != nil {
        throw StepFailure(
          .unreachable, "the connection to \(place) was lost while the script ran: whether it went on is not known",
          effect: .unknown, detail: log.detail)
      }
      throw log.failure(at: place)
    }
    var result = end
    let start = min(began ?? 0, end.stderr.count)
    result.stderr = Array(end.stderr[start..<max(start, ended ?? end.stderr.count)])
    if let output { result.hand(over: output) }
    return try ScriptResult(result, mask: mask).get(of: "the script on \(place)")
  }
}

/// What OpenSSH wrote to stderr, at its level VERBOSE.
struct SSHLog {
  let bytes: [UInt8]
  let text: String
  /// Masks the run's secrets (`ActionCall.mask`).
  private let mask: @Sendable ([UInt8]) -> [UInt8]

  init(_ bytes: [UInt8], mask: @escaping @Sendable ([UInt8]) -> [UInt8]) {
    self.bytes = bytes
    self.mask = mask
    text = String(decoding: bytes, as: UTF8.self)
  }

  func position(after mark: String) -> Int? { find(mark).map { $0 + mark.utf8.count } }
  func position(before mark: String) -> Int? { find(mark) }

  private func find(_ mark: String) -> Int? {
    bytes.firstRange(of: Array(mark.utf8))?.lowerBound
  }

  /// The last lines, as a person would want to see them.
  var detail: [String: Value] { ["ssh": .string(String(decoding: mask(bytes).suffix(1024), as: UTF8.self))] }

  /// Words with which OpenSSH ends before it has logged in.
  private static let beforeLogin = [
    "Could not resolve hostname", "connect to host", "kex_exchange_identification", "banner exchange",
    "Connection closed by",
    "Connection reset by", "Unable to negotiate", "Too many authentication failures", "Bad configuration option",
    "bad configuration options", "Bad owner or permissions", "no matching", "Connection timed out",
  ]

  /// Why the client could not even begin; the effect is `none` only if that is certain.
  func failure(at place: String) -> StepFailure {
    if !text.contains("Authenticated to") {
      if text.contains("Host key verification failed") || text.contains("REMOTE HOST IDENTIFICATION HAS CHANGED") {
        return StepFailure(
          .auth, "the host key of \(place) is not the known one: check it, then correct `known_hosts`", detail: detail)
      }
      if text.contains("Permission denied") {
        return StepFailure(.auth, "\(place) refused the login: check `user` and `key`", detail: detail)
      }
      if Self.beforeLogin.contains(where: { text.contains($0) }) {
        return StepFailure(
          .unreachable, "\(place) cannot be reached by ssh: \(reason)", retryable: true, detail: detail,
          beforeFirstByte: true)
      }
    }
    return StepFailure(
      .unreachable, "the connection to \(place) was lost: whether anything was run is not known", effect: .unknown,
      detail: detail)
  }

  /// OpenSSH's last line, shortened.
  private var reason: String {
    let lines = String(decoding: mask(bytes), as: UTF8.self).split(whereSeparator: { $0.isNewline })
    return String((lines.last ?? "it said nothing").prefix(200))
  }
}
