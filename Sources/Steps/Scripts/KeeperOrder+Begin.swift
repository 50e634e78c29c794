import Glibc
import Posix
import Runbook

extension KeeperOrder {
  /// Why it was not started.
  struct Refusal: Error {
    let reason: String
    let code: Int32

    /// Somebody else has started it, or is about to.
    static let isStarted = Refusal(reason: "it was started already", code: EEXIST)
    /// Its folder was removed: another engine has found that it was not started, and relies on it.
    static let isRemoved = Refusal(reason: "another process has found that it was not started", code: ESTALE)
  }

  /// Starts it. Its program begins only when `process` is on the disk.
  /// - Throws: with the reason, in words for the author; then nothing was done.
  func begin(bystanders: Set<Int32>, keeper: ProcessIdentity, probe: KeeperProbe) throws(Refusal) -> KeptScript {
    let program = try resolve()
    do throws(PosixError) {
      let lock = isAttached ? nil : try claim()
      try pass(.locked, probe)
      let (out, outWriter) = try Descriptor.pipe()
      let (err, errWriter) = try Descriptor.pipe()
      try out.setNonblocking()
      try err.setNonblocking()
      let source: Descriptor
      var feeding: (pipe: Descriptor, bytes: [UInt8], written: Int)?
      var awaited: Descriptor?
      if input != nil || awaitsInput {
        let (reader, writer) = try Descriptor.pipe()
        try writer.setNonblocking()
        source = reader
        feeding = input.map { (writer, $0, 0) }
        awaited = awaitsInput ? writer : nil
      } else {
        source = try Descriptor.open("/dev/null", O_RDONLY)
      }
      let secret = try secretFile.map { (content) throws(PosixError) in try Descriptor.inMemory(content) }
      let secretPath = secret.map { "/proc/\(keeper.pid)/fd/\($0.number)" }
      let words = command.map { word in
        secretPath.map { word.replacing(ScriptRequest.secretFilePlaceholder, with: $0) } ?? word
      }
      let password = try password.map { (content) throws(PosixError) in try Descriptor.inMemory(content) }
      let asking = password.map { PasswordAnswer.environment(keeper: keeper.pid, file: $0.number) } ?? []
      let request = SpawnRequest(
        program, arguments: words, environment: environment + asking,
        workingDirectory: workingDirectory.isEmpty ? nil : workingDirectory,
        descriptors: [source.number, outWriter.number, errWriter.number])
      let child = try GatedChild.start(
        request, mark: isAttached ? "" : ScriptFolder(path: folder).processPath,
        notAfter: notAfter > 0 ? .nanoseconds(notAfter) : nil, slack: TenureLimit.stretch)
      let identity = ProcessIdentity(child.pid) ?? ProcessIdentity(pid: child.pid, start: 0, bootID: Host.bootID)
      let process = ScriptProcess(identity: identity, keeper: keeper, bystanders: bystanders)
      do throws(PosixError) {
        try pass(.forked, probe)
        if !isAttached { try ScriptFolder(path: folder).write(process.line, to: "process", isDurable: true) }
        try pass(.recorded, probe)
        try child.release()
      } catch {
        child.abandon()
        throw error
      }
      var script = KeptScript(
        self, pid: child.pid, family: process.family(key), lock: lock, stdout: out, stderr: err, input: feeding,
        secretFiles: [secret, password].compactMap { $0 })
      script.awaitedInput = awaited
      script.feed()
      _ = probe(key, .released)
      return script
    } catch {
      if error.call == "claim" { throw error.code == EEXIST ? .isStarted : .isRemoved }
      throw Refusal(reason: words(for: error, program: program), code: error.code)
    }
  }

  /// The lock of its folder, in which nothing was started.
  private func claim() throws(PosixError) -> FileLock {
    let script = ScriptFolder(path: folder)
    // Held for a moment by who removes it, and for long by another keeper that starts it.
    for _ in 0..<200 {
      let lock: FileLock?
      do throws(PosixError) { lock = try FileLock.take(script.lockPath) } catch {
        if error.isMissing { throw PosixError(ESTALE, in: "claim") }
        throw error
      }
      if let lock {
        let (process, ending) = (try script.process, try script.ending)
        if process != nil || ending != nil { throw PosixError(EEXIST, in: "claim") }
        if notAfter > 0 { try lock.append(ScriptFolder.claim(notAfter: notAfter)) }
        return lock
      }
      _ = try? Poll.wait(for: [], timeout: .milliseconds(5))
    }
    throw PosixError(EEXIST, in: "claim")
  }

  private func pass(_ point: KeeperPoint, _ probe: KeeperProbe) throws(PosixError) {
    let code = probe(key, point)
    if code != 0 { throw PosixError(code, in: "fork") }
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
