import CPosix

/// The heap of this process.
public enum Heap {
  /// Keeps it in two pieces, by `mallopt`. Otherwise glibc gives each thread an arena of its own, up to eight a core,
  /// and what one has freed the others cannot use: in a process with thousands of waiting runs that is a tenth of its
  /// memory. One alone would have the engine's queue wait for the threads that read lists. To be called before there is
  /// a second thread.
  ///
  /// What is larger than 512 KiB (a list of thousands of servers, as text) goes back to the system once it is freed.
  /// By itself glibc would keep such room after the first time, with the small things of runs in between. A chunk of
  /// output is smaller: giving its room back each time would take longer than storing it.
  public static func keepTogether() {
    _ = mallopt(M_ARENA_MAX, 2)
    _ = mallopt(M_MMAP_THRESHOLD, 512 << 10)
    _ = mallopt(M_TRIM_THRESHOLD, 4 << 20)
  }
}
