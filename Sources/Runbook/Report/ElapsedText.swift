extension Duration {
  /// How long something took, as short as it can be read: `0.4s`, `32s`, `1m12s`, `2h05m`, `3d04h`. Below ten seconds
  /// with one decimal.
  public var elapsedText: String {
    let milliseconds = max(0, milliseconds)
    if milliseconds < 9_950 { return "\((milliseconds + 50) / 1000).\((milliseconds + 50) / 100 % 10)s" }
    return (self + .milliseconds(500)).elapsedSeconds
  }

  /// The same in whole seconds, for a figure that runs: `4s`, `1m12s`.
  public var elapsedSeconds: String {
    let seconds = max(0, components.seconds)
    func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : String(number) }
    return switch seconds {
    case ..<60: "\(seconds)s"
    case ..<3600: "\(seconds / 60)m\(two(seconds % 60))s"
    case ..<86_400: "\(seconds / 3600)h\(two(seconds / 60 % 60))m"
    default: "\(seconds / 86_400)d\(two(seconds / 3600 % 24))h"
    }
  }
}
