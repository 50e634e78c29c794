import Glibc
import Posix
import Runbook

/// One child of the keeper: its pipes, and where their bytes go.
struct KeptScript {
  /// One stream of output: from a pipe into a file, as `ScriptOutput` says; what has no room is counted and thrown
  /// away, so that the script never blocks and never fills the disk.
  struct Stream {
    /// nil once every writer has closed it.
    var pipe: Descriptor?
    var file: Descriptor?
    var amount = ScriptEnding.Amount(total: 0, kept: 0)
    var isBroken = false

    /// Reads what is there, at most `limit` bytes.
    mutating func drain(into path: String, limit: Int) {
      var left = limit
      while left > 0, let source = pipe {
        guard let bytes = try? source.read(limit: min(left, 64 << 10)) else { return }
        if bytes.isEmpty {
          pipe = nil
          return
        }
        left -= bytes.count
        amount.total += bytes.count
        keep(bytes, in: path)
      }
    }

    /// A full disk loses output, not the script: the amount tells how much is missing.
    private mutating func keep(_ bytes: [UInt8], in path: String) {
      guard !isBroken else { return }
      do throws(PosixError) {
        let target: Descriptor
        if let file { target = file } else { target = try Descriptor.open(path, O_WRONLY | O_CREAT, mode: 0o600) }
        file = target
        var rest = bytes[...]
        while !rest.isEmpty {
          let kept = amount.kept ?? 0
          let (offset, room) = ScriptOutput.place(after: kept)
          let part = rest.prefix(room)
          try target.write(part, at: offset)
          amount.kept = kept + part.count
          rest = rest.dropFirst(part.count)
        }
      } catch {
        isBroken = true
      }
    }
  }

  /// How far it is on its way to be ended.
  enum Stop: Equatable {
    case none
    /// TERM was sent; KILL follows then, on the boot-time clock.
    case asked(until: Duration)
    case killing(since: Duration)
  }

  let key: String
  let pid: Int32
  let folder: ScriptFolder
  let isAttached: Bool
  let family: ProcessFamily
  let grace: Duration
  /// Held as long as it is kept; nil for attached ones.
  var lock: FileLock?
  var stdout: Stream
  var stderr: Stream
  /// What is left to be written to its standard input.
  var input: (pipe: Descriptor, bytes: [UInt8], written: Int)?
  /// The standard input of a program that is given it later; nil: it was given, or is not awaited.
  var awaitedInput: Descriptor?
  /// Keeps the files in memory that an argument or the environment names.
  let secretFiles: [Descriptor]
  var stop = Stop.none
  /// When its time is over or, while it is being ended, when to look again. On the boot-time clock; nil: never.
  var wakeAt: Duration?
  /// How the program itself ended, while others of its family are still being ended.
  var end: ProcessEnd?
  private var pause = Duration.milliseconds(2)

  /// A pipe holds at most this much (the kernel's upper bound for an unprivileged process): what a script wrote
  /// before it ended is read with one drain of this size, and a survivor that writes for ever does not hold us up.
  static let pipeLimit = 1 << 20

  init(
    _ order: KeeperOrder, pid: Int32, family: ProcessFamily, lock: FileLock?, stdout: Descriptor, stderr: Descriptor,
    input: (pipe: Descriptor, bytes: [UInt8], written: Int)?, secretFiles: [Descriptor]
  ) {
    key = order.key
    self.pid = pid
    folder = ScriptFolder(path: order.folder)
    isAttached = order.isAttached
    self.family = family
    grace = .milliseconds(order.graceMilliseconds)
    self.lock = lock
    self.stdout = Stream(pipe: stdout)
    self.stderr = Stream(pipe: stderr)
    self.input = input
    self.secretFiles = secretFiles
    if order.lifetimeMilliseconds > 0 { wakeAt = BootClock.now + .milliseconds(order.lifetimeMilliseconds) }
  }

  mutating func drain(limit: Int = KeptScript.pipeLimit) {
    stdout.drain(into: folder.path + "/stdout", limit: limit)
    stderr.drain(into: folder.path + "/stderr", limit: limit)
  }

  /// The program reads this, and nothing after it.
  mutating func give(_ bytes: [UInt8]) {
    guard let pipe = awaitedInput else { return }
    awaitedInput = nil
    input = (pipe, bytes, 0)
    feed()
  }

  mutating func feed() {
    guard var feeding = input else { return }
    do throws(PosixError) {
      feeding.written += try feeding.pipe.writeSome(feeding.bytes, from: feeding.written)
      input = feeding.written < feeding.bytes.count ? feeding : nil
    } catch {
      // It closed its standard input; that is its own affair.
      input = nil
    }
  }

  /// Its time is over so long from now.
  mutating func live(for life: Duration) {
    if stop == .none { wakeAt = BootClock.now + life }
  }

  /// Ends all that came from it, a step each time its `wakeAt` has come: TERM, the grace, then KILL until nothing is
  /// left, however long that takes.
  /// - Returns: whether nothing of it is left.
  mutating func goOnEnding() -> Bool {
    let now = BootClock.now
    guard let wakeAt, now >= wakeAt else { return false }
    switch stop {
    case .none:
      signal(SIGTERM)
      stop = .asked(until: now + grace)
    case .asked(let until) where now < until: break
    case .asked:
      stop = .killing(since: now)
      signal(SIGKILL)
    case .killing: signal(SIGKILL)
    }
    if end != nil, family.members().isEmpty { return true }
    // A process that the kernel does not let go of is looked at now and then.
    let longest: Duration =
      if case .killing(let since) = stop, now - since > .seconds(10) { .seconds(1) } else { .milliseconds(50) }
    self.wakeAt = now + pause
    pause = min(pause * 2, longest)
    return false
  }

  private func signal(_ number: Int32) {
    if family.signal(number) > 0 || end != nil { return }
    // The table of processes cannot be read; but the group is ours as long as its leader is not reaped.
    _ = kill(-pid, number)
  }
}
