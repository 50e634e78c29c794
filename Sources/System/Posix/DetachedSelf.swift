import CPosix

/// This very program, started anew without a terminal, in a session of its own. No `fork`: a process with threads
/// must not.
public enum DetachedSelf {
  /// The program file we run, even if it was replaced meanwhile.
  public static let program = "/proc/self/exe"

  /// - Parameters:
  ///   - arguments: the first is the name it is told.
  ///   - environment: nil inherits ours.
  ///   - log: takes its standard output and error; nil throws them away.
  /// - Returns: its pid, and the end of a pipe on which it writes its `report`; end of file without one means that it
  ///   failed.
  public static func start(
    arguments: [String], environment: [String: String]? = nil, log: Descriptor? = nil
  ) throws(PosixError) -> (pid: Int32, report: Descriptor) {
    let null = try Descriptor.open("/dev/null", O_RDWR)
    let (reader, writer) = try Descriptor.pipe()
    let output = log ?? null
    let variables = (environment ?? Environment.all).map { "\($0.key)=\($0.value)" }
    let request = SpawnRequest(
      program, arguments: arguments, environment: variables,
      descriptors: [null.number, output.number, output.number, writer.number])
    return (try request.start(), reader)
  }

  /// In the started process: where to write what the starting one waits for. Take it once.
  public static func report() -> Descriptor? {
    guard posix_is_open(3) != 0 else { return nil }
    // A copy that our own children do not inherit.
    let copy = posix_duplicate_above(3, 4)
    _ = close(3)
    return copy < 0 ? nil : Descriptor(adopting: copy)
  }
}
