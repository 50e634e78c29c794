import CPosix

/// The heap of this process.
public enum Heap {
  /// Keeps it in two pieces, by `mallopt`. Otherwise glibc gives each thread an arena of its own, up to eight a core,
  /// and what one has freed the others cannot use: in a process with thousands of waiting runs that is a tenth of its
  /// memory. One alone would have the engine's queue wait for the threads that read lists. To be called before there is
  /// a second thread.
  public static func keepTogether() { _ = mallopt(M_ARENA_MAX, 2) }
}
