import Runbook

/// How ZStack writes a time: `Nov 14, 2017 10:20:57 PM`, the management node's local time, without a zone.
enum ZStackTime {
  private static let months: [String: Int64] = [
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11,
    "dec": 12,
  ]

  /// The instant it would be in UTC; nil for any other text. A comma after the year and any kind of blank are accepted,
  /// as newer Java writes them.
  static func local(_ text: String) -> Timestamp? {
    guard text.utf8.count <= 64 else { return nil }
    let words = text.split { $0.isWhitespace || $0 == "," }
    guard words.count == 5, let month = months[words[0].lowercased()], let day = number(words[1], 1...2),
      let year = number(words[2], 4...4)
    else { return nil }
    let clock = words[3].split(separator: ":", omittingEmptySubsequences: false)
    guard clock.count == 3, let hour = number(clock[0], 1...2), let minute = number(clock[1], 2...2),
      let second = number(clock[2], 2...2), (1...12).contains(hour), minute < 60, second < 60, year >= 1, day >= 1,
      day <= CivilDate.days(inMonth: month, of: year)
    else { return nil }
    let afternoon: Int64
    switch words[4].lowercased() {
    case "am": afternoon = 0
    case "pm": afternoon = 12
    default: return nil
    }
    let days = CivilDate(year: year, month: month, day: day).daysSinceEpoch
    return Timestamp(seconds: days * 86_400 + (hour % 12 + afternoon) * 3600 + minute * 60 + second)
  }

  private static func number(_ digits: Substring, _ length: ClosedRange<Int>) -> Int64? {
    guard length.contains(digits.utf8.count), digits.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
    return Int64(digits)
  }

  /// As access keys want their `Date`: `Thu, 16 Jan 2025 16:15:30 GMT`.
  static func httpDate(_ instant: Timestamp) -> String {
    let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    let names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    let text = Timestamp(seconds: instant.seconds).description  // 2025-01-16T16:15:30Z
    let parts = text.dropLast().split { $0 == "-" || $0 == "T" }
    let day = (instant.seconds / 86_400 - (instant.seconds % 86_400 < 0 ? 1 : 0)) % 7
    let weekday = days[Int((day + 7) % 7)]
    guard parts.count == 4, let month = Int(parts[1]), (1...12).contains(month) else { return text }
    return "\(weekday), \(parts[2]) \(names[month - 1]) \(parts[0]) \(parts[3]) GMT"
  }
}
