import Runbook

/// The header `Retry-After`: how long the other side wants to be left alone.
enum RetryAfter {
  /// Longer pauses are cut to this: an operator would rather see another refusal than a step that sleeps for a day.
  static let cap: Duration = .seconds(300)

  /// Whole seconds or an HTTP date; nil for anything else, negative numbers and dates gone by included.
  static func parse(_ text: String?, now: Timestamp) -> Duration? {
    guard let text else { return nil }
    if !text.isEmpty, text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) {
      guard let seconds = Int64(text) else { return cap }  // more digits than fit: certainly beyond the cap
      return min(.seconds(min(seconds, 86_400)), cap)
    }
    guard let date = httpDate(text), date > now else { return nil }
    return min(date - now, cap)
  }

  private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

  /// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, IMF-fixdate).
  private static func httpDate(_ text: String) -> Timestamp? {
    let parts = text.split(separator: " ", omittingEmptySubsequences: false)
    guard parts.count == 6, parts[5] == "GMT", parts[1].count == 2, let month = months.firstIndex(of: String(parts[2]))
    else {
      return nil
    }
    let number = month + 1 < 10 ? "0\(month + 1)" : "\(month + 1)"
    return Timestamp("\(parts[3])-\(number)-\(parts[1])T\(parts[4])Z")
  }
}
