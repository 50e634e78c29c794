/// What scripts do that makes them hard to end, to wait for or to read: one list for this machine and for others.
public enum HostileShape: String, Sendable, CaseIterable {
  /// A loop that forks children and leaves them behind.
  case forkLoop
  /// Leaves its session, and its parent ends.
  case setsidChild
  case ignoredTerm
  case closedStdio
  /// One long line, without a line break at its end.
  case longLine
  /// Bytes that are no text.
  case binary
  /// The exit code with which ssh tells failures of its own, also where it is ended by TERM.
  case exit255
  /// A child in the background that holds stdout open.
  case backgroundChild

  /// How it comes to its end.
  public enum Ending: String, Sendable, CaseIterable { case ordinary, cancelled, timedOut }

  /// The text of the script, for `/bin/sh -eu`.
  /// - Parameter ready: a file that is made when the hostile deed is done and the script only waits to be ended.
  public func script(_ ending: Ending, ready: String) -> String {
    switch ending {
    case .ordinary: "\(deed)\nexit \(exitCode)\n"
    case .cancelled, .timedOut: "\(deed)\n: > \(ready)\nwhile :; do sleep 600 & wait $!; done\n"
    }
  }

  private var deed: String {
    switch self {
    case .forkLoop: "echo told; i=0; while [ $i -lt 6 ]; do sleep 901 & i=$((i + 1)); done"
    case .setsidChild: "echo told; (setsid sh -c 'sleep 902 & sleep 903; exit' &)"
    case .ignoredTerm: "echo told; trap '' TERM; sh -c 'while :; do sleep 904; done' &"
    case .closedStdio: "exec 0<&- 1>&- 2>&-"
    case .longLine: "head -c \(Self.long) /dev/zero | tr '\\0' x"
    case .binary: "printf '\\000\\377\\376a\\r\\n\\033[2J\\200'"
    case .exit255: "trap 'exit 255' TERM; echo told"
    case .backgroundChild: "echo told; sleep 905 &"
    }
  }

  private static let long = 300_000

  public var exitCode: Int32 { self == .exit255 ? 255 : 0 }

  /// What it writes to stdout.
  public var stdout: [UInt8] {
    switch self {
    case .closedStdio: []
    case .longLine: [UInt8](repeating: UInt8(ascii: "x"), count: Self.long)
    case .binary: [0, 0xff, 0xfe, 0x61, 0x0d, 0x0a, 0x1b, 0x5b, 0x32, 0x4a, 0x80]
    case .forkLoop, .setsidChild, .ignoredTerm, .exit255, .backgroundChild: Array("told\n".utf8)
    }
  }

  /// Whether it leaves children behind on purpose, which live on after an ordinary end.
  public var leavesChildren: Bool {
    switch self {
    case .forkLoop, .setsidChild, .ignoredTerm, .backgroundChild: true
    case .closedStdio, .longLine, .binary, .exit255: false
    }
  }
}

/// The same with so much output that it fits into no memory.
public enum HugeOutput: String, Sendable, CaseIterable {
  case oneLine, noNewline, binary

  /// The text of the script, and how many bytes it writes to stdout.
  /// - Parameter mebibytes: about as many.
  public func script(mebibytes: Int) -> (text: String, count: Int) {
    let count = mebibytes << 20
    switch self {
    case .oneLine: return ("head -c \(count) /dev/zero | tr '\\0' x; echo", count + 1)
    case .noNewline: return ("head -c \(count) /dev/zero | tr '\\0' x", count)
    case .binary:
      // Random bytes are slow to make: one piece of them, again and again.
      let text = """
        piece=$(mktemp); head -c 1048576 /dev/urandom > "$piece"
        i=0; while [ $i -lt \(mebibytes) ]; do cat "$piece"; i=$((i + 1)); done; rm "$piece"
        """
      return (text, count)
    }
  }
}
