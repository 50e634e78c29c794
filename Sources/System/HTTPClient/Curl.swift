import CCurl
import Glibc

/// The functions of libcurl, loaded on first use and kept until the process ends. `@unchecked Sendable`: the table is
/// filled before anybody sees it, and never changed.
@safe struct Curl: @unchecked Sendable {
  /// Written once, before anybody else can see it; never freed.
  let table: UnsafePointer<curl_functions>

  static let loaded: Result<Curl, ClientFailure> = {
    let table = UnsafeMutablePointer<curl_functions>.allocate(capacity: 1)
    if let reason = unsafe curl_functions_load(table) {
      let why = unsafe String(cString: reason)
      let message = "HTTP and mail need libcurl: install the Debian package `libcurl4` (\(why))"
      return .failure(ClientFailure(.unavailable, message, beforeFirstByte: true))
    }
    guard unsafe table.pointee.global_init(Int(CURL_GLOBAL_ALL)) == CURLE_OK else {
      return .failure(ClientFailure(.unavailable, "libcurl cannot be initialised", beforeFirstByte: true))
    }
    return .success(unsafe Curl(table: UnsafePointer(table)))
  }()
}

/// A handle of libcurl for one transfer at a time. Kept and used again: its buffers are allocated once.
typealias EasyHandle = UnsafeMutableRawPointer

/// Nanoseconds since an arbitrary instant; never goes back.
typealias Instant = Int64

extension Instant {
  static var now: Instant {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
  /// Saturating: a deadline in a far future is none.
  func advanced(by duration: Duration) -> Instant {
    let (sum, overflow) = addingReportingOverflow(duration.nanoseconds)
    return overflow ? .max : sum
  }
}

extension Duration {
  /// Saturating; negative counts as zero.
  var nanoseconds: Int64 {
    let (seconds, attoseconds) = components
    guard seconds >= 0, attoseconds >= 0 else { return 0 }
    let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    if overflow { return .max }
    let (sum, carried) = whole.addingReportingOverflow(attoseconds / 1_000_000_000)
    return carried ? .max : sum
  }
  /// For libcurl, where 0 means "no limit": at least 1 ms, at most 24 days.
  var curlMilliseconds: Int { Int(Swift.max(1, Swift.min(nanoseconds / 1_000_000, 2_000_000_000))) }

  /// What an operator reads: `30s`, `1.5s`, `250ms`.
  var words: String {
    let milliseconds = nanoseconds / 1_000_000
    if milliseconds < 1000 { return "\(milliseconds)ms" }
    let tenths = milliseconds % 1000 / 100
    return tenths == 0 ? "\(milliseconds / 1000)s" : "\(milliseconds / 1000).\(tenths)s"
  }
}
