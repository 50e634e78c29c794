import Runbook
import Synchronization

/// What one session asks of the other machine (`Remote/remote.sh`).
struct RemoteOrder {
  enum Verb {
    /// Starts the script unless it was started already, and follows it. Removes what the scripts of the keys `done`
    /// wrote.
    case start(script: String, launcher: String, life: Duration, grace: Duration, done: [String])
    /// Follows it. One that was not started can no longer be started by an order that was sent before this one.
    case follow
    /// Has it ended, with all that came from it, and tells when that is done.
    case stop(grace: Duration)
    /// Removes what the scripts of these keys wrote, unless they run, and tells of all that are kept then.
    case forget([String])

    var isStart: Bool { if case .start = self { true } else { false } }
  }

  let key: String
  /// Of two orders the one that was made later has the higher one, in whatever process.
  let rank: Int64
  let verb: Verb
  /// How long the session may follow before it says that it goes on.
  var share: Duration
  /// Where the streams go on; nil: nobody wants them.
  var offsets: (stdout: Int, stderr: Int)?

  private static let counter = Atomic<Int64>(0)

  /// Higher than that of any owner of a run: for runs that are over.
  static let highestEpoch: Int64 = 0x3fff_ffff

  /// - Parameter epoch: of the run's lease: a later owner's is higher.
  static func newRank(epoch: Int64) -> Int64 {
    let number = counter.wrappingAdd(1, ordering: .relaxed).newValue
    if PlantedMistake.rankWithoutEpoch.isMade { return number }
    return (min(max(epoch, 0), highestEpoch) << 32) | (number & 0xffff_ffff)
  }

  /// The line with which the answer begins. What the login writes before it is none of ours.
  var mark: String { "runbook \(key) \(rank) ready" }

  /// What the other side's `/bin/sh -s` reads: one command in braces, so that a part of it does nothing.
  func text(_ library: RemoteLibrary) -> String {
    var words = [
      "rb_gen=\(rank)", "rb_share=\(share.hundredths)",
      "rb_out=\(offsets.map { String($0.stdout) } ?? "")", "rb_err=\(offsets.map { String($0.stderr) } ?? "")",
      "rb_key=\(key)",
    ]
    var calls: [String]
    switch verb {
    case .start(let script, let launcher, let life, let grace, let done):
      words += [
        "rb_script=\(ShellText.quoted(script))", "rb_launch=\(ShellText.quoted(launcher))",
        "rb_life=\(max(life.hundredths, 1))", "rb_grace=\(grace.hundredths)",
        "rb_done='\(done.joined(separator: " "))'",
      ]
      calls = ["rb_start"]
    case .follow: calls = ["rb_attach"]
    case .stop(let grace):
      words.append("rb_grace=\(grace.hundredths)")
      calls = ["rb_stop"]
    case .forget(let keys): calls = ["rb_more"] + keys.map { "rb_key=\($0); rb_forget" } + ["rb_list"]
    }
    calls.append("exit 0")
    words += [
      "rb_lib=\(library.session)", "rb_seldom=\(library.seldom)", "rb_keeper_lib=\(library.keeper)",
      "printf '\\n%s\\n' '\(mark)'", "eval \"$rb_keeper_lib\"", "eval \"$rb_lib\"",
    ]
    return "{ " + (words + calls).joined(separator: "; ") + "; }\n"
  }

  /// What a process of the keeper reads before it becomes the script. It comes over a pipe: the environment is on no
  /// disk and on no command line.
  ///
  /// - Parameter work: shell words of the program. `$1` is the script's folder, `$2` its mask, `$3` the program
  ///   `setsid`, which the script's own `PATH` need not hold.
  static func launcher(key: String, environment: [String: Secret], work: String) -> String {
    "{ exec 3<&-; read -r rb_line </proc/self/stat; "
      + "set -- \"$1\" \"$2\" \"$3\" \"${rb_line%% *}\" ${rb_line##*') '}; "
      + "printf '%s %s\\n' \"$4\" \"${24}\" >\"$1/process\" || exit 126; "
      + "umask \"$2\"; unset rb_line; \(ScriptText.exports(environment))"
      + "RUNBOOK_SCRIPT='\(key).'; export RUNBOOK_SCRIPT; exec \"$3\" \(work); }\n"
  }
}

extension Duration {
  /// Hundredths of a second, rounded up; at most a year, at least 0.
  fileprivate var hundredths: Int { (boundedMilliseconds + 9) / 10 }
}
