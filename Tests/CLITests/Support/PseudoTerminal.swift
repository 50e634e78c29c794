import Glibc
import Posix

/// A terminal without a screen: the command thinks that somebody is watching.
final class PseudoTerminal: Sendable {
  private let ours: Descriptor
  private let theirs: Descriptor

  init(columns: UInt16 = 80, rows: UInt16 = 24) throws {
    ours = try Descriptor.open("/dev/ptmx", O_RDWR | O_NOCTTY)
    // Linux's own: unlock it (TIOCSPTLCK), ask for its number (TIOCGPTN).
    var isLocked: Int32 = 0
    var number: UInt32 = 0
    guard unsafe ioctl(ours.number, 0x4004_5431, &isLocked) == 0, unsafe ioctl(ours.number, 0x8004_5430, &number) == 0
    else { throw PosixError(errno, in: "ioctl") }
    let path = "/dev/pts/\(number)"
    theirs = try Descriptor.open(path, O_RDWR | O_NOCTTY)
    try ours.setNonblocking()
    resize(columns: columns, rows: rows)
  }

  func resize(columns: UInt16, rows: UInt16) {
    var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
    _ = unsafe ioctl(ours.number, UInt(TIOCSWINSZ), &size)
  }

  func start(_ arguments: [String], in workplace: Workplace, _ extra: [String: String] = [:]) throws -> Int32 {
    let environment = workplace.environment(["TERM": "xterm-256color"].merging(extra) { _, mine in mine })
    return try SpawnRequest(
      Workplace.binary, arguments: ["runbook"] + arguments, environment: environment,
      workingDirectory: workplace.folder, descriptors: [theirs.number, theirs.number, theirs.number]
    ).start()
  }

  func type(_ text: String) throws { try ours.write(Array(text.utf8)) }

  /// What has been written since the last call.
  func read() -> String {
    var bytes: [UInt8] = []
    while let piece = (try? ours.read(limit: 4096)) ?? nil, !piece.isEmpty { bytes += piece }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Everything until the process has ended.
  func readToEnd(of pid: Int32, whenSeen expected: String? = nil, _ act: () -> Void = {}) async throws -> (
    text: String, end: ProcessEnd
  ) {
    var text = ""
    var hasActed = false
    for _ in 0..<6000 {
      let ended = Children.ended(pid)
      text += read()
      if let expected, !hasActed, text.contains(expected) {
        hasActed = true
        act()
      }
      if let ended {
        Children.reap(pid)
        return (text, ended.end)
      }
      try await Task.sleep(for: .milliseconds(5))
    }
    _ = kill(pid, SIGKILL)
    throw Running.TookTooLong(what: "not ended after 30 s", stdout: text, stderr: "")
  }
}
