/// An instant, in UTC, to the nanosecond, between the years 1 and 9999.
public struct Timestamp: Sendable, Hashable, Comparable {
  /// Since 1970-01-01T00:00:00Z; negative before.
  public let seconds: Int64
  /// 0 ..< 1 000 000 000, always forward from `seconds`.
  public let nanoseconds: Int32

  public static let minimumSeconds: Int64 = -62_135_596_800
  public static let maximumSeconds: Int64 = 253_402_300_799

  /// Clamped into the years 1 to 9999.
  public init(seconds: Int64, nanoseconds: Int32 = 0) {
    self.seconds = min(max(seconds, Timestamp.minimumSeconds), Timestamp.maximumSeconds)
    self.nanoseconds = min(max(nanoseconds, 0), 999_999_999)
  }

  public static func < (left: Timestamp, right: Timestamp) -> Bool {
    (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
  }

  /// Saturates at the ends of the range.
  public static func + (left: Timestamp, right: Duration) -> Timestamp {
    let (wholeSeconds, attoseconds) = right.components
    var (seconds, overflow) = left.seconds.addingReportingOverflow(wholeSeconds)
    if overflow { return Timestamp(seconds: wholeSeconds > 0 ? .max : .min) }
    var nanoseconds = Int64(left.nanoseconds) + attoseconds / 1_000_000_000
    if nanoseconds < 0 {
      nanoseconds += 1_000_000_000
      seconds -= 1
    } else if nanoseconds >= 1_000_000_000 {
      nanoseconds -= 1_000_000_000
      seconds += 1
    }
    return Timestamp(seconds: seconds, nanoseconds: Int32(truncatingIfNeeded: nanoseconds))
  }
  public static func - (left: Timestamp, right: Duration) -> Timestamp { left + (Duration.zero - right) }
  public static func - (left: Timestamp, right: Timestamp) -> Duration {
    .seconds(left.seconds - right.seconds) + .nanoseconds(Int64(left.nanoseconds) - Int64(right.nanoseconds))
  }
}

extension Timestamp: CustomStringConvertible {
  /// RFC 3339 in UTC: `2025-01-16T16:15:00Z`; with a fraction only if there is one, at most nine digits, no
  /// trailing zeros.
  public var description: String {
    let date = CivilDate(daysSinceEpoch: seconds.floorDivided(by: 86_400))
    let time = seconds - seconds.floorDivided(by: 86_400) * 86_400
    var text = pad(date.year, 4) + "-" + pad(date.month, 2) + "-" + pad(date.day, 2) + "T"
    text += pad(time / 3600, 2) + ":" + pad(time / 60 % 60, 2) + ":" + pad(time % 60, 2)
    if nanoseconds > 0 {
      var fraction = pad(Int64(nanoseconds), 9)
      while fraction.hasSuffix("0") { fraction.removeLast() }
      text += "." + fraction
    }
    return text + "Z"
  }

  /// Parses RFC 3339 with `Z` or an offset; nil for anything else, an impossible date included.
  public init?(_ text: String) {
    var reader = DigitReader(text)
    guard let year = reader.digits(4), reader.eat("-"), let month = reader.digits(2), reader.eat("-"),
      let day = reader.digits(2), reader.eat("T") || reader.eat("t") || reader.eat(" "), let hour = reader.digits(2),
      reader.eat(":"),
      let minute = reader.digits(2), reader.eat(":"), let second = reader.digits(2)
    else { return nil }
    var nanoseconds: Int64 = 0
    if reader.eat(".") {
      guard let fraction = reader.fraction() else { return nil }
      nanoseconds = fraction
    }
    var offset: Int64 = 0
    if !(reader.eat("Z") || reader.eat("z")) {
      let sign: Int64
      if reader.eat("+") { sign = 1 } else if reader.eat("-") { sign = -1 } else { return nil }
      guard let hours = reader.digits(2), reader.eat(":"), let minutes = reader.digits(2), hours < 24, minutes < 60
      else {
        return nil
      }
      offset = sign * (hours * 3600 + minutes * 60)
    }
    guard reader.isAtEnd, (1...12).contains(month), day >= 1, day <= CivilDate.days(inMonth: month, of: year),
      hour < 24,
      minute < 60, second < 60, year >= 1
    else { return nil }
    let days = CivilDate(year: year, month: month, day: day).daysSinceEpoch
    self.init(
      seconds: days * 86_400 + hour * 3600 + minute * 60 + second - offset,
      nanoseconds: Int32(truncatingIfNeeded: nanoseconds))
  }
}

/// A date of the proleptic Gregorian calendar, and its count of days since 1970-01-01 (Howard Hinnant's algorithm).
public struct CivilDate: Sendable, Equatable {
  public var year: Int64
  public var month: Int64
  public var day: Int64

  public init(year: Int64, month: Int64, day: Int64) {
    self.year = year
    self.month = month
    self.day = day
  }

  public init(daysSinceEpoch days: Int64) {
    let shifted = days + 719_468
    let era = shifted.floorDivided(by: 146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }

  public var daysSinceEpoch: Int64 {
    let shiftedYear = month <= 2 ? year - 1 : year
    let era = shiftedYear.floorDivided(by: 400)
    let yearOfEra = shiftedYear - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  public static func days(inMonth month: Int64, of year: Int64) -> Int64 {
    switch month {
    case 2: (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }
}

extension Int64 {
  /// Rounds towards minus infinity. `divisor` is one of our constants, never zero.
  func floorDivided(by divisor: Int64) -> Int64 {
    let quotient = self / divisor
    return self % divisor < 0 ? quotient - 1 : quotient
  }
}

private func pad(_ number: Int64, _ width: Int) -> String {
  let text = String(number)
  return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
}

/// Reads fixed runs of ASCII digits.
private struct DigitReader {
  private let bytes: [UInt8]
  private var position = 0
  init(_ text: String) { bytes = Array(text.utf8) }
  var isAtEnd: Bool { position == bytes.count }

  mutating func eat(_ character: Character) -> Bool {
    guard position < bytes.count, bytes[position] == character.asciiValue else { return false }
    position += 1
    return true
  }
  mutating func digits(_ count: Int) -> Int64? {
    guard bytes.count - position >= count else { return nil }
    var number: Int64 = 0
    for _ in 0..<count {
      let byte = bytes[position]
      guard byte >= 0x30, byte <= 0x39 else { return nil }
      number = number * 10 + Int64(byte - 0x30)
      position += 1
    }
    return number
  }
  /// One to nine digits, as nanoseconds; further digits are dropped.
  mutating func fraction() -> Int64? {
    var nanoseconds: Int64 = 0
    var scale: Int64 = 100_000_000
    let start = position
    while position < bytes.count, bytes[position] >= 0x30, bytes[position] <= 0x39 {
      nanoseconds += Int64(bytes[position] - 0x30) * scale
      scale /= 10
      position += 1
    }
    return position > start ? nanoseconds : nil
  }
}

extension Timestamp {
  /// Without its fraction, for people.
  public var wholeSecond: String { Timestamp(seconds: seconds).description }
}
