import Glibc
import Posix
import Runbook

/// One child of the keeper: its pipes, and where their bytes go.
struct KeptScript {
  /// One stream of output: from a pipe into a file, up to the limit; the rest is read, counted and thrown away, so
  /// that the script never blocks and never fills the disk.
  struct Stream {
    /// nil once every writer has closed it.
    var pipe: Descriptor?
    var file: Descriptor?
    var total = 0
    var kept = 0
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
        total += bytes.count
        keep(bytes, in: path)
      }
    }

    /// A full disk loses output, not the script: `total` tells how much is missing.
    private mutating func keep(_ bytes: [UInt8], in path: String) {
      guard !isBroken, kept < ScriptFolder.diskLimit else { return }
      do throws(PosixError) {
        let target: Descriptor
        if let file { target = file } else { target = try Descriptor.open(path, O_WRONLY | O_CREAT, mode: 0o600) }
        file = target
        let part =
          bytes.count <= ScriptFolder.diskLimit - kept ? bytes : Array(bytes.prefix(ScriptFolder.diskLimit - kept))
        try target.write(part)
        kept += part.count
      } catch {
        isBroken = true
      }
    }
  }

  let key: String
  let pid: Int32
  let folder: ScriptFolder
  let isAttached: Bool
  /// On the monotonic clock.
  let deadline: Duration?
  var stdout: Stream
  var stderr: Stream
  /// What is left to be written to its standard input.
  var input: (pipe: Descriptor, bytes: [UInt8], written: Int)?
  /// Keeps the file in memory that an argument names.
  let secretFile: Descriptor?
  var hasTimedOut = false

  /// A pipe holds at most this much (the kernel's upper bound for an unprivileged process): what a script wrote
  /// before it ended is read with one drain of this size, and a survivor that writes for ever does not hold us up.
  static let pipeLimit = 1 << 20

  mutating func drain(limit: Int = KeptScript.pipeLimit) {
    stdout.drain(into: folder.path + "/stdout", limit: limit)
    stderr.drain(into: folder.path + "/stderr", limit: limit)
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
}

extension KeeperOrder {
  /// Starts it. - Throws: with the reason, in words for the author; then nothing was done.
  func begin(bystanders: Set<Int32>, keeper: ProcessIdentity) throws(Refusal) -> KeptScript {
    let program = try resolve()
    do throws(PosixError) {
      let (out, outWriter) = try Descriptor.pipe()
      let (err, errWriter) = try Descriptor.pipe()
      try out.setNonblocking()
      try err.setNonblocking()
      let source: Descriptor
      var feeding: (pipe: Descriptor, bytes: [UInt8], written: Int)?
      if let input {
        let (reader, writer) = try Descriptor.pipe()
        try writer.setNonblocking()
        source = reader
        feeding = (writer, input, 0)
      } else {
        source = try Descriptor.open("/dev/null", O_RDONLY)
      }
      let secret = try secretFile.map { (content) throws(PosixError) in try Descriptor.inMemory(content) }
      let secretPath = secret.map { "/proc/\(keeper.pid)/fd/\($0.number)" }
      let words = command.map { word in
        secretPath.map { word.replacing(ScriptRequest.secretFilePlaceholder, with: $0) } ?? word
      }
      let request = SpawnRequest(
        program, arguments: words, environment: environment,
        workingDirectory: workingDirectory.isEmpty ? nil : workingDirectory,
        descriptors: [source.number, outWriter.number, errWriter.number])
      let pid = try start(request)
      var script = KeptScript(
        key: key, pid: pid, folder: ScriptFolder(path: folder), isAttached: isAttached,
        deadline: timeoutMilliseconds > 0 ? Monotonic.now + .milliseconds(timeoutMilliseconds) : nil,
        stdout: .init(pipe: out), stderr: .init(pipe: err), input: feeding, secretFile: secret)
      script.feed()
      if !isAttached {
        let identity = ProcessIdentity(pid) ?? ProcessIdentity(pid: pid, start: 0, bootID: Host.bootID)
        // If this fails (a full disk) the script runs on, and only finding it again after a crash is lost.
        try? script.folder.write(
          ScriptProcess(identity: identity, keeper: keeper, bystanders: bystanders).line, to: "process")
      }
      return script
    } catch {
      throw Refusal(reason: words(for: error, program: program), code: error.code)
    }
  }

  struct Refusal: Error {
    let reason: String
    let code: Int32
    /// The time for starting it was over. No program's start fails so.
    static let tooLate: Int32 = ETIME
  }

  /// Not after `notAfter`: the kernel ends a keeper that is stopped between this look at the clock and the start.
  private func start(_ request: SpawnRequest) throws(PosixError) -> Int32 {
    guard notAfter > 0 else { return try request.start() }
    guard BootClock.now < .nanoseconds(notAfter) else { throw PosixError(Refusal.tooLate, in: "clock_gettime") }
    let timer = try? KillTimer.ofProcess.get()
    timer?.arm(at: .nanoseconds(notAfter) + TenureLimit.stretch)
    defer { timer?.disarm() }
    return try request.start()
  }

  private func words(for error: PosixError, program: String) -> String {
    guard error.call == "posix_spawn" else { return "the program could not be started: \(error.description)" }
    return switch error.code {
    case ENOENT: "`\(program)` or the interpreter it names does not exist"
    case EACCES: "`\(program)` is not executable"
    case ENOEXEC: "`\(program)` is no program: it has no `#!` line"
    case E2BIG: "the arguments and the environment are too long"
    default: "`\(program)` could not be started: \(error.reason)"
    }
  }

  /// The program's path: as written if it has a `/`, else from the `PATH` of its own environment.
  private func resolve() throws(Refusal) -> String {
    guard let name = command.first, !name.isEmpty else { throw Refusal(reason: "there is no command", code: EINVAL) }
    if !workingDirectory.isEmpty, !Folder.exists(workingDirectory) {
      throw Refusal(reason: "the working directory `\(workingDirectory)` does not exist", code: ENOENT)
    }
    if name.contains("/") { return name }
    let path = environment.first { $0.hasPrefix("PATH=") }?.dropFirst(5) ?? "/usr/local/bin:/usr/bin:/bin"
    for folder in path.split(separator: ":") where folder.hasPrefix("/") {
      let candidate = "\(folder)/\(name)"
      if unsafe access(candidate, X_OK) == 0, !Folder.exists(candidate) { return candidate }
    }
    throw Refusal(reason: "there is no program `\(name)` on PATH", code: ENOENT)
  }
}
