import Runbook

/// One order to another machine's `sh`, as `ssh.run` sends it: what `Remote/remote.sh` would carry out there.
struct SimulatedSession {
  enum Verb: String {
    case start = "rb_start"
    case follow = "rb_attach"
    case stop = "rb_stop"
    case forget = "rb_forget"
  }

  let key: String
  let rank: Int64
  let verb: Verb
  let share: Duration
  /// The script's own time; nil: the order starts none.
  let life: Duration?
  /// Where the streams go on; nil: nobody wants them.
  let offsets: (stdout: Int, stderr: Int)?
  /// Whether it also removes what earlier scripts have left.
  let isForgetting: Bool
  /// The order without what every order begins with.
  let text: String

  /// nil if it is no such order.
  init?(_ stdin: String) {
    guard stdin.hasPrefix("{ rb_gen="), let library = stdin.firstRange(of: "; rb_lib=") else { return nil }
    let text = "; " + stdin[..<library.lowerBound].dropFirst(2) + ";"
    // What it calls stands behind the library, which is long.
    let calls = String(decoding: stdin.utf8.suffix(100), as: UTF8.self)
    let verb = [Verb.start, .follow, .stop].first { calls.contains("; \($0.rawValue); exit 0; }") }
    func value(_ name: String) -> Substring? {
      text.firstRange(of: "; \(name)=").map { text[$0.upperBound...].prefix { $0 != ";" } }
    }
    guard let rank = value("rb_gen").flatMap({ Int64($0) }), let key = value("rb_key") else { return nil }
    self.text = text
    self.rank = rank
    self.key = String(key)
    self.verb = verb ?? .forget
    isForgetting = value("rb_done").map { $0.count > 2 } ?? false
    share = .milliseconds(10 * (value("rb_share").flatMap { Int($0) } ?? 0))
    life = value("rb_life").flatMap { Int($0) }.map { .milliseconds(10 * $0) }
    if let stdout = value("rb_out").flatMap({ Int($0) }), let stderr = value("rb_err").flatMap({ Int($0) }) {
      offsets = (stdout, stderr)
    } else {
      offsets = nil
    }
  }

  /// The line with which every answer begins, and `lines`.
  func answer(_ lines: [UInt8]) -> ScriptEnd {
    let forgotten = isForgetting && lines.first != UInt8(ascii: "g") ? "f\n" : ""
    return ScriptEnd(exitCode: 0, stdout: Array("\nrunbook \(key) \(rank) ready\n\(forgotten)".utf8) + lines)
  }

  func answer(_ line: String) -> ScriptEnd { answer(Array("\(line)\n".utf8)) }

  /// Its output from where the reader is, and its end.
  func end(_ end: ScriptEnd, cause: String) -> ScriptEnd {
    var lines = Array("b /simulated/\(key)\n".utf8)
    if let offsets {
      for (letter, bytes, offset) in [("o", end.stdout, offsets.stdout), ("e", end.stderr, offsets.stderr)]
      where offset < bytes.count {
        lines += Array("\(letter) \(offset) \(bytes.count - offset)\n".utf8) + bytes[offset...]
      }
    }
    return answer(lines + Array("x \(end.exitCode.map { String($0) } ?? "-") \(cause)\n".utf8))
  }
}

/// A script that another machine keeps.
struct RemoteScriptState {
  var endsAt: Duration
  var end: ScriptEnd
  var cause: String
}
