import CPosix

/// A child that exists but is not yet its program: what must be on the disk first can be written while it waits.
///
/// If the process that started it ends before `release`, or is stopped until it is too late, the child removes the file
/// `mark` and ends without having become the program. So a mark that is there after everybody is gone means: it was
/// released.
public struct GatedChild: Sendable {
  public let pid: Int32
  private let gate: Descriptor
  private let report: Descriptor
  private let mark: String

  /// Forks, so the calling process must have a single thread. The caller must reap the child.
  /// - Parameters:
  ///   - request: always gets a session of its own; its descriptors must be larger than their number.
  ///   - mark: the path of the file that the child removes when it does not become the program.
  ///   - notAfter: a moment of `BootClock` after which it does not become the program (`ETIME`); nil: whenever. A child
  ///     that is stopped between its look at the clock and the program is ended by the kernel `slack` after it.
  public static func start(
    _ request: SpawnRequest, mark: String, notAfter: Duration? = nil, slack: Duration = .zero
  ) throws(PosixError) -> GatedChild {
    let (gateReader, gate) = try Descriptor.pipe()
    let (report, reportWriter) = try Descriptor.pipe()
    let limit = notAfter.map { ($0 + BootClock.namespaceOffset).wholeNanoseconds } ?? 0
    let count = request.descriptors.count
    let numbers = request.descriptors + [gateReader.number, reportWriter.number]
    guard numbers.allSatisfy({ $0 >= count }) else { throw PosixError(EBADF, in: "fork") }
    let pid = unsafe CStrings.lend(request.arguments) { arguments in
      unsafe CStrings.lend(request.environment) { environment in
        unsafe request.descriptors.withUnsafeBufferPointer { descriptors in
          unsafe posix_start_gated(
            request.program, arguments, environment, request.workingDirectory, descriptors.baseAddress, Int32(count),
            gateReader.number, reportWriter.number, mark, limit, slack.wholeNanoseconds)
        }
      }
    }
    if pid < 0 { throw PosixError("fork") }
    return GatedChild(pid: pid, gate: gate, report: report, mark: mark)
  }

  /// Lets it become the program. - Throws: why it could not; then it has ended, and `mark` is removed.
  public func release() throws(PosixError) {
    var hasGone: PosixError?
    do throws(PosixError) { try gate.write([1]) } catch { hasGone = error }
    var answer: [UInt8] = []
    while let bytes = try report.read(limit: 8), !bytes.isEmpty { answer += bytes }
    if hasGone != nil { _ = unsafe unlink(mark) }
    guard answer.count == 8 else {
      // Before its time, and not by itself.
      if let hasGone { throw hasGone }
      return
    }
    let numbers = unsafe answer.withUnsafeBytes { bytes in
      unsafe [bytes.loadUnaligned(as: Int32.self), bytes.loadUnaligned(fromByteOffset: 4, as: Int32.self)]
    }
    throw PosixError(numbers[1], in: numbers[0] == 1 ? "chdir" : "posix_spawn")
  }

  /// It will not become the program: ends it, and returns when it is gone.
  public func abandon() {
    gate.closeEarly()
    Children.reap(pid)
  }
}

extension Duration {
  /// Saturating.
  fileprivate var wholeNanoseconds: Int64 {
    let (seconds, attoseconds) = components
    let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, carried) = whole.addingReportingOverflow(attoseconds / 1_000_000_000)
    return overflow || carried ? .max : sum
  }
}
