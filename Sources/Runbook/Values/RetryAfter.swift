/// The pause that an HTTP answer asks for: `Retry-After` (RFC 9110, 10.2.3), or the end of a limit that is used up.
public enum RetryAfter {
  /// More than any step lasts, and what any larger number counts as. 100 years.
  public static let longest = Duration.seconds(100 * 365 * 86_400)

  /// The pause asked for: whole seconds, or a date in the preferred form (`Sun, 06 Nov 1994 08:49:37 GMT`) seen from
  /// `now`. It is never cut to something that suits us better: who has less time gives up. A date gone by is zero; nil
  /// for anything else, a negative number included.
  public static func pause(_ text: String, now: Timestamp) -> Duration? {
    let bytes = Array(text.utf8)
    if !bytes.isEmpty, bytes.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) {
      guard let seconds = Int64(text) else { return longest }  // more digits than there is time
      return .seconds(min(seconds, longest.components.seconds))
    }
    guard let date = HTTPDate.read(text) else { return nil }
    return max(.zero, min(date - now, longest))
  }

  /// Of an answer. Without `Retry-After`, one that says "too many requests" (429) asks for a pause until its limit is
  /// reset: `RateLimit-Reset` or `X-RateLimit-Reset`. nil: it asks for none.
  public static func pause(of response: HTTPResponse, now: Timestamp) -> Duration? {
    if let asked = response.header("retry-after").flatMap({ pause($0, now: now) }) { return asked }
    guard response.status == 429 else { return nil }
    // Seen from the other side's own clock, where it tells it: the two may differ.
    let theirs = response.header("date").flatMap { HTTPDate.read($0) } ?? now
    return ["ratelimit-reset", "x-ratelimit-reset"].lazy.compactMap { name in
      response.header(name).flatMap { untilReset($0, now: theirs) }
    }.first
  }

  /// Seconds from now, or since 1970: three years in seconds and more are a date, and what would be a date after the
  /// year 5000 is one in milliseconds. nil for anything else.
  static func untilReset(_ text: String, now: Timestamp) -> Duration? {
    let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard let whole = parts.first, (1...15).contains(whole.utf8.count),
      parts.joined().utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }),
      let number = Int64(whole)
    else { return HTTPDate.read(text).map { max(.zero, $0 - now) } }
    // A fraction of a second is waited out.
    let seconds = number + (parts.count > 1 ? 1 : 0)
    if seconds < 100_000_000 { return .seconds(seconds) }
    let epoch = seconds < 100_000_000_000 ? seconds : seconds / 1000 + 1
    return max(.zero, min(Timestamp(seconds: epoch) - now, longest))
  }

  /// For the message of the failure, which may be the last that is said when the pause outlasts the step: "it asks
  /// for a pause of 2h".
  public static func words(_ pause: Duration) -> String {
    if pause >= longest { return "it asks for no further request" }
    return "it asks for a pause of \(Duration.seconds(pause.components.seconds).text)"
  }
}

/// The dates of HTTP in their preferred form (RFC 9110, 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`.
public enum HTTPDate {
  private static let months = [
    "Jan": 1, "Feb": 2, "Mar": 3, "Apr": 4, "May": 5, "Jun": 6, "Jul": 7, "Aug": 8, "Sep": 9, "Oct": 10, "Nov": 11,
    "Dec": 12,
  ]

  /// nil for anything else.
  public static func read(_ text: String) -> Timestamp? {
    let words = text.split(separator: " ")
    guard words.count == 6, words[0].count == 4, words[1].utf8.count == 2, words[3].utf8.count == 4, words[5] == "GMT",
      let month = months[String(words[2])]
    else { return nil }
    return Timestamp("\(words[3])-\(month < 10 ? "0" : "")\(month)-\(words[1])T\(words[4])Z")
  }
}
