import CPosix

/// How many files this process may still open.
public enum DescriptorRoom {
  /// What is usual on Linux; programs that use `select` cannot take more.
  static let usual = 1024

  /// How many more can be opened, counted up to `wanted`. Raises the soft limit of the process to 1024 first, if it is
  /// lower and the hard limit allows it; children inherit that.
  public static func free(upTo wanted: Int) -> Int {
    let limit = posix_raise_descriptor_limit(usual)
    var free = 0
    for number in 0..<Int32(clamping: limit) where free < wanted {
      if posix_is_open(number) == 0 { free += 1 }
    }
    return free
  }
}
